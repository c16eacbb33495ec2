#include "protean/data/records/tf_record.h"

#include <bit>
#include <cstring>
#include <iomanip>

#include "protean/core/error.h"
#include "protean/core/hash.h"

namespace protean {
namespace {

static_assert(std::endian::native == std::endian::little,
              "records are read and written as they lie in memory");

template <typename T>
T number_at(std::string_view bytes, uint64_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

std::string hex(uint32_t value) {
  std::ostringstream out;
  out << "0x" << std::hex << std::setw(8) << std::setfill('0') << value;
  return out.str();
}

// A function of the place, so that sound records cost no text.
template <typename Place>
void check_crc(std::string_view bytes, uint32_t stored, const char* what,
               const Place& place) {
  const uint32_t crc = masked_crc32c(bytes.data(), bytes.size());
  if (crc != stored)
    throw DataError(concat(place(), ": damaged ", what, ": masked CRC32C ",
                           hex(stored), " in the file; expected ", hex(crc)));
}

}  // namespace

uint32_t masked_crc32c(const void* data, size_t size) {
  return std::rotr(crc32c(data, size), 15) + 0xA282EAD8u;
}

std::string record_place(const std::string& file, uint64_t number,
                         uint64_t offset) {
  return concat(file, ": record ", number, " at byte ", offset);
}

TfRecord record_span(std::string_view file, uint64_t offset, uint64_t number,
                     const std::string& name) {
  const auto place = [&] { return record_place(name, number, offset); };
  const uint64_t left = file.size() - offset;
  if (left < kRecordHead + kRecordTail)
    throw DataError(concat(place(), ": truncated: ", left,
                           " bytes are left; expected at least ",
                           kRecordHead + kRecordTail));
  check_crc(file.substr(offset, 8), number_at<uint32_t>(file, offset + 8),
            "length", place);
  const auto length = number_at<uint64_t>(file, offset);
  if (length > left - kRecordHead - kRecordTail)
    throw DataError(concat(place(), ": truncated: a payload of ", length,
                           " bytes; the file has ",
                           left - kRecordHead - kRecordTail, " left for it"));
  return {file.substr(offset + kRecordHead, length),
          offset + kRecordHead + length + kRecordTail};
}

TfRecord record_at(std::string_view file, uint64_t offset, uint64_t number,
                   const std::string& name) {
  const TfRecord record = record_span(file, offset, number, name);
  check_crc(record.payload,
            number_at<uint32_t>(file, record.next - kRecordTail), "payload",
            [&] { return record_place(name, number, offset); });
  return record;
}

std::string tf_record(std::string_view payload) {
  const auto append = [](std::string& to, auto value) {
    to.append(reinterpret_cast<const char*>(&value), sizeof value);
  };
  std::string bytes;
  bytes.reserve(kRecordHead + payload.size() + kRecordTail);
  append(bytes, uint64_t{payload.size()});
  append(bytes, masked_crc32c(bytes.data(), 8));
  bytes += payload;
  append(bytes, masked_crc32c(payload.data(), payload.size()));
  return bytes;
}

}  // namespace protean
