// TFRecord files, as TensorFlow writes them without compression: record after
// record, nothing before, between or behind them.
//
//   u64 length, u32 masked CRC32C of these 8 bytes,
//   payload,    u32 masked CRC32C of the payload         (all little-endian)
//
// A length is believed only once its checksum holds and the file is as long as
// it says, so that nothing is read or allocated for a damaged one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace protean {

// CRC32C, rotated right by 15 bits, plus 0xA282EAD8: checksums of data that
// holds checksums stay sound.
uint32_t masked_crc32c(const void* data, size_t size);

constexpr uint64_t kRecordHead = 12, kRecordTail = 4;  // bytes

struct TfRecord {
  std::string_view payload;
  uint64_t next = 0;  // where the next record begins
};

// Where a record is, for messages: "FILE: record 3 at byte 120".
std::string record_place(const std::string& file, uint64_t number,
                         uint64_t offset);

// The record that begins at byte `offset` of a file, offset < file.size(). The
// payload's checksum is looked at by record_at alone: record_span hops over it
// without reading it. Throw DataError naming the place and what is wrong.
TfRecord record_span(std::string_view file, uint64_t offset, uint64_t number,
                     const std::string& name);
TfRecord record_at(std::string_view file, uint64_t offset, uint64_t number,
                   const std::string& name);

// A payload as a record's bytes.
std::string tf_record(std::string_view payload);

}  // namespace protean
