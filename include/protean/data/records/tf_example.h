// The payload of a Meta-Dataset record: a tf.train.Example with two features,
//
//   image  one byte string, an encoded image
//   label  one int64, the number of the class, which is the file's too
//
// read straight from protocol-buffer wire format (message Example { Features
// features = 1; }, Features { map<string, Feature> feature = 1; }, Feature {
// oneof { BytesList bytes_list = 1; FloatList float_list = 2; Int64List
// int64_list = 3; } }, lists { repeated value = 1; }, numbers packed or not).
// The order of features is nobody's promise; others than these two, and unknown
// fields, are passed over. Nothing is copied.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace protean {

struct ImageExample {
  std::string_view image;  // within the payload
  int64_t label = 0;
};

// Throws DataError: "PLACE: byte N of the payload: cause".
ImageExample parse_image_example(std::string_view payload,
                                 const std::string& place);

// The payload's bytes, image first, as TensorFlow writes them.
std::string image_example(std::string_view image, int64_t label);

}  // namespace protean
