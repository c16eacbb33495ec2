// libFuzzer: any bytes as a file of records. Whatever is accepted must be
// within the file, and every refusal must name its place.
#include <cstdlib>
#include <string>

#include "protean/core/error.h"
#include "protean/data/records/tf_example.h"
#include "protean/data/records/tf_record.h"

using namespace protean;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // A copy of just these bytes: a read beyond them is seen.
  const std::string owned(reinterpret_cast<const char*>(data), size);
  const std::string_view file = owned;
  try {
    uint64_t number = 0;
    for (uint64_t at = 0; at < file.size(); ++number) {
      const auto record = record_at(file, at, number, "f");
      if (record.next <= at || record.next > file.size()) std::abort();
      parse_image_example(record.payload, "f");
      at = record.next;
    }
  } catch (const DataError& e) {
    if (std::string(e.what()).rfind("f", 0) != 0) std::abort();
  }
  // Payloads get past no checksum by chance: parse these bytes as one too.
  try {
    const auto example = parse_image_example(file, "f");
    if (example.image.data() < file.data() ||
        example.image.data() + example.image.size() > file.data() + file.size())
      std::abort();
    // What was read is what is written, and reads back.
    const auto again = image_example(example.image, example.label);
    if (parse_image_example(again, "f").label != example.label) std::abort();
  } catch (const DataError& e) {
    if (std::string(e.what()).rfind("f: byte ", 0) != 0) std::abort();
  }
  return 0;
}
