#include "protean/run/event_file.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>

#include <unistd.h>

#include "protean/core/error.h"
#include "protean/core/hash.h"
#include "protean/core/log.h"

namespace protean {
namespace {

// Protocol buffers' wire format: a key of field and type, then the value.
enum WireType { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

class Message {
 public:
  Message& integer(int field, uint64_t value) {
    key(field, kVarint);
    varint(value);
    return *this;
  }
  Message& real(int field, double value) {
    key(field, kFixed64);
    raw(value);
    return *this;
  }
  Message& single(int field, float value) {
    key(field, kFixed32);
    raw(value);
    return *this;
  }
  Message& bytes(int field, const std::string& value) {
    key(field, kBytes);
    varint(value.size());
    text_ += value;
    return *this;
  }
  Message& reals(int field, const std::vector<double>& values) {
    std::string packed(values.size() * sizeof(double), '\0');
    std::memcpy(packed.data(), values.data(), packed.size());
    return bytes(field, packed);
  }
  const std::string& text() const { return text_; }

 private:
  void key(int field, WireType type) {
    varint(static_cast<uint64_t>(field) << 3 | type);
  }
  void varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) text_ += static_cast<char>(value | 0x80);
    text_ += static_cast<char>(value);
  }
  template <typename T>
  void raw(T value) {
    char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);
    text_.append(bytes, sizeof bytes);
  }

  std::string text_;
};

// Fields of Event, Summary.Value and what they hold.
constexpr int kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5,
              kSessionLog = 7;
constexpr int kTag = 1, kSimpleValue = 2, kHistogram = 5, kTensor = 8,
              kMetadata = 9;

void put_u32(std::string& to, uint32_t value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  to.append(bytes, sizeof bytes);
}

// So that a checksum stored beside its data is not one of data that holds it.
uint32_t masked_crc(const void* data, size_t size) {
  const uint32_t crc = crc32c(data, size);
  return ((crc >> 15) | (crc << 17)) + 0xA282EAD8u;
}

std::string record(const std::string& data) {
  const uint64_t size = data.size();
  std::string text(sizeof size, '\0');
  std::memcpy(text.data(), &size, sizeof size);
  put_u32(text, masked_crc(&size, sizeof size));
  text += data;
  put_u32(text, masked_crc(data.data(), data.size()));
  return text;
}

double now() {
  return std::chrono::duration<double>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string host() {
  char name[256] = "host";
  ::gethostname(name, sizeof name - 1);
  return name;
}

}  // namespace

EventFile::EventFile(const std::filesystem::path& folder, int64_t step) {
  const auto seconds = static_cast<int64_t>(now());
  path_ = folder /
          concat("events.out.tfevents.", seconds, ".", host(), ".", ::getpid());
  out_.open(path_, std::ios::binary | std::ios::app);
  if (!out_)
    throw DataError(concat("run.tensorboard: ", path_.string(), ": ",
                           std::strerror(errno)));
  event(0, kFileVersion, "brain.Event:2");
  // SessionLog with status START, which takes back its own step and later ones.
  event(step + 1, kSessionLog, Message().integer(1, 1).text());
  flush();
}

void EventFile::event(int64_t step, int field, const std::string& content) {
  if (failed_) return;
  const auto bytes = record(Message()
                                .real(kWallTime, now())
                                .integer(kStep, static_cast<uint64_t>(step))
                                .bytes(field, content)
                                .text());
  out_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (out_) return;
  failed_ = true;
  log_warning(concat("run.tensorboard: ", path_.string(), ": ",
                     std::strerror(errno), "; no more is written there"));
}

void EventFile::summary(int64_t step, const std::string& value) {
  event(step, kSummary, Message().bytes(1, value).text());
}

void EventFile::scalars(
    int64_t step, const std::vector<std::pair<std::string, double>>& values) {
  Message all;
  for (const auto& [tag, value] : values)
    if (std::isfinite(value))
      all.bytes(1, Message()
                       .bytes(kTag, tag)
                       .single(kSimpleValue, static_cast<float>(value))
                       .text());
  event(step, kSummary, all.text());
}

void EventFile::text(int64_t step, const std::string& tag,
                     const std::string& markdown) {
  constexpr uint64_t kString = 7, kDataIsTensor = 2;
  const auto shape =
      Message().bytes(2, Message().integer(1, 1).text()).text();  // [1]
  const auto tensor =
      Message().integer(1, kString).bytes(2, shape).bytes(8, markdown).text();
  const auto metadata = Message()
                            .bytes(1, Message().bytes(1, "text").text())
                            .integer(4, kDataIsTensor)
                            .text();
  summary(step, Message()
                    .bytes(kTag, tag)
                    .bytes(kMetadata, metadata)
                    .bytes(kTensor, tensor)
                    .text());
}

void EventFile::histogram(int64_t step, const std::string& tag,
                          const std::vector<double>& values) {
  std::vector<double> v;
  for (const double x : values)
    if (std::isfinite(x)) v.push_back(x);
  if (v.empty()) return;
  const auto [least, most] = std::minmax_element(v.begin(), v.end());
  constexpr int kBuckets = 30;
  const double width = (*most - *least) / kBuckets;
  std::vector<double> limits, counts(kBuckets, 0.0);
  for (int b = 1; b < kBuckets; ++b) limits.push_back(*least + b * width);
  limits.push_back(*most);
  double sum = 0, squares = 0;
  for (const double x : v) {
    const auto at = std::lower_bound(limits.begin(), limits.end(), x);
    ++counts[static_cast<size_t>(at - limits.begin())];
    sum += x;
    squares += x * x;
  }
  const auto content = Message()
                           .real(1, *least)
                           .real(2, *most)
                           .real(3, static_cast<double>(v.size()))
                           .real(4, sum)
                           .real(5, squares)
                           .reals(6, limits)
                           .reals(7, counts)
                           .text();
  summary(step, Message().bytes(kTag, tag).bytes(kHistogram, content).text());
}

void EventFile::flush() {
  if (!failed_) out_.flush();
}

}  // namespace protean
