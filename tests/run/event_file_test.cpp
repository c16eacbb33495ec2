#include "protean/run/event_file.h"

#include <cmath>
#include <cstring>
#include <map>

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"

#include "support/catch.h"
#include "support/temp_dir.h"

using namespace protean;

namespace {

// CRC32C bit by bit, which shares nothing with the program's.
uint32_t slow_crc(const std::string& data) {
  uint32_t crc = ~0u;
  for (const unsigned char byte : data) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit)
      crc = crc & 1 ? (crc >> 1) ^ 0x82F63B78u : crc >> 1;
  }
  return ~crc;
}

template <typename T>
T number_at(const std::string& bytes, size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

// Contents of the records, each checked as TensorFlow does.
std::vector<std::string> records(const std::string& file) {
  const auto masked = [](uint32_t crc) {
    return ((crc >> 15) | (crc << 17)) + 0xA282EAD8u;
  };
  std::vector<std::string> all;
  for (size_t at = 0; at < file.size();) {
    const auto size = number_at<uint64_t>(file, at);
    CHECK(number_at<uint32_t>(file, at + 8) ==
          masked(slow_crc(file.substr(at, 8))));
    const auto data = file.substr(at + 12, size);
    CHECK(number_at<uint32_t>(file, at + 12 + size) == masked(slow_crc(data)));
    all.push_back(data);
    at += 16 + size;
  }
  return all;
}

// Field numbers and contents of a protocol buffer; numbers as they stand.
std::multimap<int, std::string> fields(const std::string& message) {
  std::multimap<int, std::string> all;
  size_t at = 0;
  const auto varint = [&] {
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(message.at(at++));
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.size()) {
    const auto key = varint();
    std::string content;
    const auto take = [&](size_t size) {
      content = message.substr(at, size);
      at += size;
    };
    switch (key & 7) {
      case 0:
        content = std::to_string(varint());
        break;
      case 1:
        take(8);
        break;
      case 2: {
        const auto size = varint();
        take(size);
        break;
      }
      default:
        take(4);
    }
    all.emplace(static_cast<int>(key >> 3), content);
  }
  return all;
}

std::string one(const std::multimap<int, std::string>& of, int field) {
  REQUIRE(of.count(field) == 1);
  return of.find(field)->second;
}

}  // namespace

TEST_CASE("an event file holds what TensorFlow's format says", "[run]") {
  TempDir dir;
  EventFile file(dir.path(), 10);
  file.scalars(300,
               {{"loss", 1.5}, {"none", std::nan("")}, {"accuracy", 0.25}});
  file.text(300, "config", "# hello");
  file.histogram(301, "accuracy", {0, 0.5, 0.5, 1, INFINITY});
  file.flush();
  CHECK(file.path().filename().string().find("events.out.tfevents.") == 0);
  const auto all = records(read_file(file.path()));
  REQUIRE(all.size() == 5);
  CHECK(one(fields(all[0]), 3) == "brain.Event:2");
  // The dashboard drops what an earlier file says of steps after 10.
  CHECK(one(fields(all[1]), 2) == "11");
  CHECK(one(fields(one(fields(all[1]), 7)), 1) == "1");  // START

  const auto scalars = fields(all[2]);
  CHECK(one(scalars, 2) == "300");
  const auto values = fields(one(scalars, 5));
  REQUIRE(values.count(1) == 2);
  auto at = values.begin();
  CHECK(one(fields(at->second), 1) == "loss");
  CHECK(number_at<float>(one(fields(at->second), 2), 0) == 1.5f);
  ++at;
  CHECK(one(fields(at->second), 1) == "accuracy");
  CHECK(number_at<float>(one(fields(at->second), 2), 0) == 0.25f);

  const auto text = fields(one(fields(one(fields(all[3]), 5)), 1));
  CHECK(one(text, 1) == "config");
  CHECK(one(fields(one(text, 8)), 8) == "# hello");
  CHECK(one(fields(one(fields(one(text, 9)), 1)), 1) == "text");

  const auto histogram =
      fields(one(fields(one(fields(one(fields(all[4]), 5)), 1)), 5));
  const auto real = [&](int field) {
    return number_at<double>(one(histogram, field), 0);
  };
  CHECK(real(1) == 0);    // min
  CHECK(real(2) == 1);    // max
  CHECK(real(3) == 4);    // how many: infinity is left out
  CHECK(real(4) == 2);    // sum
  CHECK(real(5) == 1.5);  // of squares
  const auto limits = one(histogram, 6), counts = one(histogram, 7);
  REQUIRE(limits.size() == counts.size());
  std::map<double, double> found;  // limit -> count
  for (size_t i = 0; i < limits.size(); i += sizeof(double))
    if (const auto n = number_at<double>(counts, i); n > 0)
      found[number_at<double>(limits, i)] = n;
  REQUIRE(found.size() == 3);
  auto bucket = found.begin();
  CHECK(bucket->second == 1);
  ++bucket;
  CHECK(bucket->first == Approx(0.5).margin(0.034));
  CHECK(bucket->second == 2);
  ++bucket;
  CHECK(bucket->first == 1);
  CHECK(bucket->second == 1);
}

TEST_CASE("equal values are one bucket of a histogram", "[run]") {
  TempDir dir;
  EventFile file(dir.path(), 0);
  file.histogram(1, "a", {3, 3, 3});
  file.histogram(1, "b", {});
  file.flush();
  const auto all = records(read_file(file.path()));
  REQUIRE(all.size() == 3);  // nothing of b
  const auto histogram =
      fields(one(fields(one(fields(one(fields(all[2]), 5)), 1)), 5));
  CHECK(number_at<double>(one(histogram, 3), 0) == 3);
}

TEST_CASE("an event file that cannot be made names its key and path", "[run]") {
  try {
    EventFile file("/proc/none", 0);
    FAIL("no error");
  } catch (const DataError& e) {
    CHECK(std::string(e.what()).find("run.tensorboard: /proc/none/") !=
          std::string::npos);
  }
}
