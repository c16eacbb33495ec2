// The bytes of a pack of records; see record_pack.h.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace protean {

static_assert(std::endian::native == std::endian::little,
              "packs are read and written as they lie in memory");

constexpr char kRecordPackMagic[8] = {'P', 'R', 'O', 'T', 'R', 'E', 'C', 'S'};

struct RecordPackHead {
  char magic[8];
  uint32_t version;
  uint32_t head_crc;  // CRC32C of bytes [0, 12), then [16, payload)
  uint64_t file_length;
  uint64_t json_length;  // at byte 64
  uint64_t records;
  uint64_t tables;   // byte of the tables, a multiple of 64
  uint64_t payload;  // byte that images begin at, a multiple of 64
  uint64_t stride;   // bytes of a raw image; 0 = encoded
};
static_assert(sizeof(RecordPackHead) == 64);

// Of an encoded image.
struct RecordPlace {
  uint64_t begin;  // from the payload
  uint64_t length;
};

constexpr uint64_t aligned(uint64_t at) { return (at + 63) / 64 * 64; }

// Where everything is, given how long the JSON is and how many images there
// are.
struct RecordPackLayout {
  uint64_t records, crcs, places, payload;

  RecordPackLayout(uint64_t json_length, uint64_t records, bool encoded)
      : records(records),
        crcs(aligned(sizeof(RecordPackHead) + json_length)),
        places(aligned(crcs + records * sizeof(uint32_t))),
        payload(places +
                (encoded ? aligned(records * sizeof(RecordPlace)) : 0)) {}
};

}  // namespace protean
