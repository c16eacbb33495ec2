#include "protean/data/records/tf_example.h"

#include "protean/core/error.h"

namespace protean {
namespace {

// Wire types of protocol buffers.
enum Wire : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

struct Field {
  uint32_t number = 0;
  uint32_t wire = 0;
  uint64_t value = 0;           // of a varint
  std::string_view bytes = {};  // of all others
};

// The fields of one message, one after the other.
class Message {
 public:
  // whole: the payload that `bytes` lie in.
  Message(std::string_view bytes, std::string_view whole,
          const std::string& place)
      : rest_(bytes), whole_(whole), place_(place) {}

  bool next(Field& field) {
    if (rest_.empty()) return false;
    const uint64_t tag = varint();
    if (tag >> 3 == 0 || tag >> 3 > (1u << 29) - 1)
      fail(concat("field number ", tag >> 3, "; expected 1 to 2^29 - 1"));
    field = {static_cast<uint32_t>(tag >> 3), static_cast<uint32_t>(tag & 7)};
    if (field.wire == kVarint)
      field.value = varint();
    else if (field.wire == kBytes)
      field.bytes = take(varint());
    else if (field.wire == kFixed64 || field.wire == kFixed32)
      field.bytes = take(field.wire == kFixed64 ? 8 : 4);
    else
      fail(concat("wire type ", field.wire, "; expected 0, 1, 2 or 5"));
    return true;
  }

  // The message in a field that must hold one.
  Message inner(const Field& field) const {
    expect(field, kBytes, "a message");
    return {field.bytes, whole_, place_};
  }
  void expect(const Field& field, uint32_t wire, const char* what) const {
    if (field.wire != wire)
      fail(concat("field ", field.number, " of wire type ", field.wire,
                  "; expected ", what));
  }
  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) fail("it ends within a number");
      const auto byte = static_cast<uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      if (shift == 63 && byte > 1) fail("a number of more than 64 bits");
      value |= uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) return value;
    }
    fail("a number of more than 64 bits");
  }
  bool empty() const { return rest_.empty(); }

  [[noreturn]] void fail(const std::string& cause) const {
    throw DataError(concat(place_, ": byte ", rest_.data() - whole_.data(),
                           " of the payload: ", cause));
  }

 private:
  std::string_view take(uint64_t size) {
    if (size > rest_.size())
      fail(concat("a field of ", size, " bytes; ", rest_.size(), " are left"));
    const auto bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }

  std::string_view rest_, whole_;
  const std::string& place_;
};

constexpr uint32_t kBytesList = 1, kInt64List = 3;

// What a feature holds, of the two kinds that are looked for.
struct Feature {
  uint32_t kind = 0;  // its list's field number; 0 = none
  uint64_t values = 0;
  std::string_view bytes;  // the last one
  int64_t number = 0;
};

void read_list(Message list, Feature& feature) {
  for (Field field; list.next(field);) {
    if (field.number != 1) continue;
    if (feature.kind == kBytesList) {
      list.expect(field, kBytes, "a byte string");
      feature.bytes = field.bytes;
      ++feature.values;
    } else if (feature.kind == kInt64List && field.wire == kVarint) {
      feature.number = static_cast<int64_t>(field.value);
      ++feature.values;
    } else if (feature.kind == kInt64List) {
      for (auto packed = list.inner(field); !packed.empty(); ++feature.values)
        feature.number = static_cast<int64_t>(packed.varint());
    }
  }
}

// One entry of the map. A name may come twice, then the last one counts.
void read_entry(Message entry, Feature& image, Feature& label) {
  std::string_view key;
  Feature feature;
  for (Field field; entry.next(field);) {
    if (field.number == 1) {
      entry.expect(field, kBytes, "a name");
      key = field.bytes;
    } else if (field.number == 2) {
      feature = {};
      auto message = entry.inner(field);
      for (Field kind; message.next(kind);) {
        if (kind.number > kInt64List) continue;
        feature = {};
        feature.kind = kind.number;
        read_list(message.inner(kind), feature);
      }
    }
  }
  if (key == "image") image = feature;
  if (key == "label") label = feature;
}

void check(const Message& example, const Feature& feature, const char* name,
           uint32_t kind, const char* what) {
  if (feature.kind == 0)
    example.fail(concat("no feature \"", name, "\"; expected ", what));
  if (feature.kind != kind || feature.values != 1)
    example.fail(concat("feature \"", name, "\" holds ", feature.values,
                        " values of kind ", feature.kind, "; expected ", what));
}

void append_varint(std::string& to, uint64_t value) {
  for (; value >= 0x80; value >>= 7)
    to += static_cast<char>((value & 0x7F) | 0x80);
  to += static_cast<char>(value);
}

std::string bytes_field(uint32_t number, std::string_view bytes) {
  std::string field;
  append_varint(field, number << 3 | kBytes);
  append_varint(field, bytes.size());
  field += bytes;
  return field;
}

std::string entry(std::string_view name, uint32_t kind, std::string_view list) {
  return bytes_field(
      1, bytes_field(1, name) + bytes_field(2, bytes_field(kind, list)));
}

}  // namespace

ImageExample parse_image_example(std::string_view payload,
                                 const std::string& place) {
  Feature image, label;
  Message example(payload, payload, place);
  for (Field field; example.next(field);) {
    if (field.number != 1) continue;
    auto features = example.inner(field);
    for (Field feature; features.next(feature);)
      if (feature.number == 1)
        read_entry(features.inner(feature), image, label);
  }
  check(example, image, "image", kBytesList, "one byte string");
  check(example, label, "label", kInt64List, "one int64");
  return {image.bytes, label.number};
}

std::string image_example(std::string_view image, int64_t label) {
  std::string number;
  append_varint(number, static_cast<uint64_t>(label));
  return bytes_field(1, entry("image", kBytesList, bytes_field(1, image)) +
                            entry("label", kInt64List, bytes_field(1, number)));
}

}  // namespace protean
