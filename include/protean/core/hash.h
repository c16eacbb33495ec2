// Checksums: CRC32C for records, a 64-bit hash for comparing ranks, SHA-256 for
// results that are published or stored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace protean {

// CRC32C (Castagnoli); crc32c("123456789") = 0xE3069283. `crc` continues an
// earlier call. Uses the CPU instruction where there is one.
uint32_t crc32c(const void* data, size_t size, uint32_t crc = 0);

// 64-bit non-cryptographic hash, equal on every little-endian machine.
class Hash64 {
 public:
  void add(uint64_t value);
  void add(const void* data, size_t size);
  uint64_t value() const;

 private:
  uint64_t state_ = 0x9E3779B97F4A7C15ull;
};

// FIPS 180-4. Use once: add..., then hex().
class Sha256 {
 public:
  Sha256();
  void add(const void* data, size_t size);
  std::string hex();  // 64 lower-case digits

 private:
  void block(const uint8_t* p);
  uint32_t h_[8];
  uint64_t length_ = 0;
  uint8_t buffer_[64];
  size_t used_ = 0;
};

std::string sha256_hex(const void* data, size_t size);

}  // namespace protean
