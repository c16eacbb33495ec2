// The bytes of a pack; see protean/data/pack.h for the layout.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "protean/data/pack.h"

namespace protean {

static_assert(std::endian::native == std::endian::little,
              "packs are read and written as they lie in memory");

constexpr char kPackMagic[8] = {'P', 'R', 'O', 'T', 'P', 'A', 'C', 'K'};
constexpr uint64_t kPackAlign = 64;

struct PackHead {
  char magic[8];
  uint32_t version;
  // CRC32C of bytes [0, 12), then [16, payload).
  uint32_t head_crc;
  uint64_t file_length;
  uint64_t json_length;   // at byte 64
  uint64_t records;       // their CRC32Cs follow the JSON, 4 bytes each
  uint64_t names_length;  // then their names, each ended by a zero byte
  uint64_t payload;       // byte of the first record, a multiple of 64
  uint64_t stride;        // bytes of one record
};
static_assert(sizeof(PackHead) == 64);

constexpr size_t kCrcOffset = offsetof(PackHead, head_crc);
constexpr size_t kCrcEnd = kCrcOffset + sizeof(uint32_t);

inline uint64_t values_of(const std::vector<int64_t>& shape) {
  uint64_t n = 1;
  for (int64_t d : shape) n *= static_cast<uint64_t>(d);
  return n;
}

inline uint64_t record_bytes(Encoding encoding, uint64_t values) {
  return encoding == Encoding::bit1 ? (values + 7) / 8 : values;
}

inline const char* name_of(Encoding encoding) {
  return encoding == Encoding::bit1 ? "bit1" : "u8";
}

// What the SHA-256 of the content starts with: all that the records mean, but
// not where they came from.
inline std::string content_key(const nlohmann::json& meta) {
  return nlohmann::json{{"shape", meta.at("shape")},
                        {"encoding", meta.at("encoding")},
                        {"groups", meta.at("groups")},
                        {"preparation", meta.at("preparation")}}
      .dump();
}

}  // namespace protean
