#include "protean/core/hash.h"

#include <vector>

#include "support/catch.h"

using namespace protean;

TEST_CASE("crc32c and SHA-256 give their published answers", "[core]") {
  CHECK(crc32c("123456789", 9) == 0xE3069283u);
  CHECK(crc32c("6789", 4, crc32c("12345", 5)) == 0xE3069283u);
  CHECK(crc32c("", 0) == 0u);
  CHECK(sha256_hex("abc", 3) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256_hex("", 0) ==
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  const std::string million(1000000, 'a');
  CHECK(sha256_hex(million.data(), million.size()) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("Hash64 changes with every bit and with the length", "[core]") {
  std::vector<uint8_t> bytes(37, 0);
  auto hash = [&] {
    Hash64 h;
    h.add(bytes.data(), bytes.size());
    return h.value();
  };
  const uint64_t base = hash();
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= 1 << bit % 8;
    CHECK(hash() != base);
    bytes[bit / 8] ^= 1 << bit % 8;
  }
  bytes.push_back(0);
  CHECK(hash() != base);
}
