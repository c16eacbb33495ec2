#include "protean/data/records/tf_record.h"

#include "protean/core/hash.h"
#include "protean/data/records/tf_example.h"

#include "data/records/bytes.h"
#include "support/catch.h"

using namespace protean;

namespace {

// image = FF D8 FF, label = 7, made with protoc 3.21 and the crc32c package.
const std::string kPayload = from_hex(
    "0a220a100a05696d61676512070a050a03ffd8ff0a0e0a056c6162656c12051a030a0107");
const std::string kRecord =
    from_hex("2400000000000000 422b804d") + kPayload + from_hex("d73cb2c7");

std::string parse_error(const std::string& payload) {
  return data_error([&] { parse_image_example(payload, "f: record 0"); });
}

// An Example of these features, as raw bytes of the map's entries.
std::string example(const std::string& entries) {
  return std::string("\x0a") + static_cast<char>(entries.size()) + entries;
}
const std::string kImage = from_hex("0a100a05696d61676512070a050a03ffd8ff");
const std::string kLabel = from_hex("0a0e0a056c6162656c12051a030a0107");

}  // namespace

TEST_CASE("masked checksums have their known values", "[records]") {
  CHECK(crc32c("123456789", 9) == 0xE3069283);
  CHECK(masked_crc32c("123456789", 9) == 0xC78AB0E5);
  CHECK(masked_crc32c("", 0) == 0xA282EAD8);
  CHECK(masked_crc32c("\0\0\0\0\0\0\0\0", 8) == 0x07980329);
}

TEST_CASE("the golden record is written and read", "[records]") {
  CHECK(image_example("\xFF\xD8\xFF", 7) == kPayload);
  CHECK(tf_record(kPayload) == kRecord);
  const auto record = record_at(kRecord, 0, 0, "f");
  CHECK(record.payload == kPayload);
  CHECK(record.next == 52);
  const auto parsed = parse_image_example(record.payload, "f");
  CHECK(parsed.image == "\xFF\xD8\xFF");
  CHECK(parsed.label == 7);
}

TEST_CASE("a record that is cut short is refused at every byte", "[records]") {
  const std::string file = kRecord + kRecord;
  for (size_t cut = 53; cut < file.size(); ++cut) {
    const std::string_view part(file.data(), cut);
    const auto message = data_error([&] { record_at(part, 52, 1, "7.tf"); });
    INFO(cut);
    CHECK(message.starts_with("7.tf: record 1 at byte 52: truncated: "));
  }
}

TEST_CASE("a record with any bit changed is refused", "[records]") {
  for (size_t bit = 0; bit < 8 * kRecord.size(); ++bit) {
    std::string damaged = kRecord;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    const auto message = data_error([&] { record_at(damaged, 0, 0, "7.tf"); });
    INFO("bit " << bit);
    CHECK(message.starts_with("7.tf: record 0 at byte 0: damaged "));
    CHECK(has(message, bit < 96 ? "length" : "payload"));
  }
}

TEST_CASE("a length that only looks sound is refused", "[records]") {
  // 2^63 bytes, with the checksum that belongs to it.
  std::string huge = from_hex("0000000000000080");
  const uint32_t crc = masked_crc32c(huge.data(), 8);
  huge.append(reinterpret_cast<const char*>(&crc), 4);
  huge += "rest of it";
  CHECK(data_error([&] { record_span(huge, 0, 0, "f"); }) ==
        "f: record 0 at byte 0: truncated: a payload of 9223372036854775808 "
        "bytes; the file has 6 left for it");
}

TEST_CASE("features come in any order, numbers packed or not", "[records]") {
  const auto reads = [](const std::string& payload) {
    const auto parsed = parse_image_example(payload, "f");
    CHECK(parsed.image == "\xFF\xD8\xFF");
    return parsed.label;
  };
  CHECK(reads(example(kLabel + kImage)) == 7);
  // int64_list { value: 300 } with the field's own tag.
  CHECK(reads(example(kImage + from_hex("0a0e0a056c6162656c12051a0308ac02"))) ==
        300);
  // Packed -1: ten bytes.
  CHECK(reads(example(
            kImage +
            from_hex("0a170a056c6162656c120e1a0c0a0affffffffffffffffff01"))) ==
        -1);
  // Another feature, a float list, and unknown fields before and behind.
  const auto other = from_hex("0a0d0a0178120812060a0400000000");
  CHECK(reads(from_hex("1001") + example(other + kImage + kLabel) +
              from_hex("2d01020304")) == 7);
  // A name that comes twice: the last one counts.
  CHECK(reads(example(kLabel + kImage +
                      from_hex("0a0e0a056c6162656c12051a030a0109"))) == 9);
}

TEST_CASE("a payload that is no image example is refused", "[records]") {
  CHECK(has(parse_error(""), "no feature \"image\""));
  CHECK(has(parse_error(example(kLabel)), "no feature \"image\""));
  CHECK(has(parse_error(example(kImage)), "no feature \"label\""));
  // Two labels.
  CHECK(has(parse_error(example(
                kImage + from_hex("0a0f0a056c6162656c12061a040a020708"))),
            "feature \"label\" holds 2 values of kind 3; expected one int64"));
  // A label that is a byte string.
  CHECK(has(parse_error(
                example(kImage + from_hex("0a0e0a056c6162656c12050a030a0107"))),
            "feature \"label\" holds 1 values of kind 1; expected one int64"));
  // An image that is a number.
  CHECK(has(parse_error(
                example(from_hex("0a0e0a05696d61676512051a030a0107") + kLabel)),
            "feature \"image\" holds 1 values of kind 3"));
  CHECK(parse_error(from_hex("0a23") + kPayload.substr(2)) ==
        "f: record 0: byte 2 of the payload: a field of 35 bytes; 34 are left");
  CHECK(has(parse_error(from_hex("0b")), "wire type 3"));
  CHECK(has(parse_error(from_hex("00")), "field number 0"));
  CHECK(has(parse_error(from_hex("0aff")), "it ends within a number"));
  CHECK(has(parse_error(from_hex("0affffffffffffffffff02")),
            "a number of more than 64 bits"));
  CHECK(has(parse_error(from_hex("0801")), "expected a message"));
}
