#include "protean/run/safetensors.h"

#include <cstring>

#include "protean/core/error.h"

#include "support/catch.h"

using namespace protean;

namespace {

std::string with_header(const std::string& header, const std::string& data) {
  const uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + data;
}

std::string message(const std::string& bytes) {
  try {
    Safetensors file(bytes, "file.st");
    return "accepted";
  } catch (const DataError& e) {
    return e.what();
  }
}

std::string tensor(const std::string& name, const std::string& dtype,
                   const std::string& shape, int begin, int end) {
  return concat("\"", name, "\":{\"dtype\":\"", dtype, "\",\"shape\":", shape,
                ",\"data_offsets\":[", begin, ",", end, "]}");
}

}  // namespace

TEST_CASE("a safetensors file is this sequence of bytes", "[run]") {
  const float values[] = {1.0f, -2.0f};
  const auto bytes = to_safetensors({{"w", StoredType::f32, {2, 1}, values}},
                                    {{"format", "pt"}});
  // As the reference implementation writes it: metadata first, no blanks,
  // header padded with spaces to a multiple of eight.
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"w":{"dtype":"F32","shape":[2,1],)"
      R"("data_offsets":[0,8]}})";
  CHECK(header.size() == 87);
  const std::string golden = std::string("\x58\0\0\0\0\0\0\0", 8) + header +
                             " " +
                             std::string("\x00\x00\x80\x3f\x00\x00\x00\xc0", 8);
  CHECK(bytes == golden);
}

TEST_CASE("every type and shape comes back from safetensors", "[run]") {
  const float f32[] = {1.5f, 2.5f, 3.5f};
  const double f64 = 0.1;
  const int64_t i64[] = {-1, int64_t{1} << 62};
  const uint8_t u8[] = {1, 2, 255};
  const Safetensors file(
      to_safetensors({{"bytes", StoredType::u8, {3}, u8},
                      {"floats", StoredType::f32, {3, 1}, f32},
                      {"single", StoredType::f64, {}, &f64},
                      {"none", StoredType::f32, {0, 7}, nullptr},
                      {"whole", StoredType::i64, {2}, i64}},
                     {{"key", "value \"quoted\" \n"}}),
      "file.st");
  CHECK(file.metadata().at("key") == "value \"quoted\" \n");
  REQUIRE(file.entries().size() == 5);
  const auto same = [&](const char* name, const void* data, size_t size) {
    const auto* entry = file.find(name);
    return entry && entry->size == size &&
           std::memcmp(file.data(*entry).data(), data, size) == 0;
  };
  CHECK(same("bytes", u8, 3));
  CHECK(same("floats", f32, 12));
  CHECK(same("single", &f64, 8));
  CHECK(same("whole", i64, 16));
  CHECK(file.find("none")->size == 0);
  CHECK(file.find("other") == nullptr);
  // Aligned for readers that map the file, whatever the order given.
  for (const auto& entry : file.entries())
    CHECK(entry.offset % type_size(entry.type) == 0);

  float out[3];
  file.copy_f32("floats", {3, 1}, out);
  CHECK(std::memcmp(out, f32, sizeof f32) == 0);
  CHECK_THROWS_WITH(file.copy_f32("floats", {1, 3}, out),
                    contains("file.st: tensor floats: F32[3,1], expected "
                             "F32[1,3]"));
  CHECK_THROWS_WITH(file.copy_f32("whole", {2}, out), contains("I64[2]"));
  CHECK_THROWS_WITH(file.copy_f32("other", {2}, out), contains("missing"));
}

TEST_CASE("safetensors without tensors or metadata is a file", "[run]") {
  const Safetensors file(to_safetensors({}), "file.st");
  CHECK(file.entries().empty());
  CHECK_THROWS_WITH(to_safetensors({{"a", StoredType::u8, {0}, nullptr},
                                    {"a", StoredType::u8, {0}, nullptr}}),
                    contains("the tensor name a is taken"));
}

TEST_CASE("a broken safetensors file is named with its fault", "[run]") {
  const std::string four(4, 'x'), eight(8, 'x');
  CHECK(message(with_header(concat("{", tensor("a", "F32", "[2]", 0, 8), "}"),
                            eight)) == "accepted");
  CHECK(message("") ==
        "file.st: not a safetensors file: 0 bytes, expected at "
        "least 8");
  CHECK_THAT(message(std::string("\xff\xff\xff\xff\xff\xff\xff\xff{}", 10)),
             contains("header of 18446744073709551615 bytes"));
  CHECK_THAT(message(with_header("{}", "").substr(0, 9)),
             contains("header of 2 bytes in a file of 9"));
  CHECK_THAT(message(with_header("", "")), contains("does not start with {"));
  CHECK_THAT(message(with_header(" {}", "")), contains("does not start with"));
  CHECK_THAT(message(with_header("{\"a\":", "")), contains("JSON"));
  CHECK_THAT(message(with_header("{\"a\":3}", "")),
             contains("file.st: tensor a: expected {dtype, shape"));
  const auto with = [&](const std::string& tensors, const std::string& data) {
    return message(with_header(concat("{", tensors, "}"), data));
  };
  CHECK_THAT(with(tensor("a", "F16", "[2]", 0, 4), four),
             contains("tensor a: dtype F16; expected one of: F32"));
  CHECK_THAT(with(tensor("a", "F32", "[-1]", 0, 4), four),
             contains("tensor a: shape with -1"));
  CHECK_THAT(with(tensor("a", "F32", "[4294967296,4294967296]", 0, 4), four),
             contains("impossible shape"));
  CHECK_THAT(with(tensor("a", "F32", "[2]", 0, 4), four),
             contains("tensor a: 4 bytes for F32[2], expected 8"));
  CHECK_THAT(with(tensor("a", "F32", "[2]", 0, 8), four),
             contains("tensor a: data_offsets [0,8] in 4 bytes"));
  CHECK_THAT(with(tensor("a", "F32", "[1]", 8, 4), eight),
             contains("data_offsets [8,4]"));
  CHECK_THAT(with(tensor("a", "F32", "[1]", 0, 4) + "," +
                      tensor("b", "F32", "[1]", 0, 4),
                  eight),
             contains("tensor b: starts at byte 0 of the data, expected 4 "
                      "(overlap)"));
  CHECK_THAT(with(tensor("a", "F32", "[1]", 4, 8), eight),
             contains("tensor a: starts at byte 4 of the data, expected 0 "
                      "(gap)"));
  CHECK_THAT(with(tensor("a", "F32", "[1]", 0, 4), eight),
             contains("4 bytes after the last tensor"));
  CHECK_THAT(with(tensor("a", "F32", "[1]", 0, 4) + "," +
                      tensor("a", "F32", "[1]", 4, 8),
                  eight),
             contains("the name a comes twice"));
  CHECK_THAT(with("\"__metadata__\":{\"a\":1}", ""),
             contains("__metadata__.a is no string"));
}
