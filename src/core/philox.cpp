#include "protean/core/philox.h"

#include <cmath>
#include <numbers>
#include <unordered_map>

#include "protean/core/error.h"

namespace protean {

PhiloxCounter philox4x32(PhiloxCounter c, PhiloxKey k) {
  constexpr uint32_t kMultiply0 = 0xD2511F53, kMultiply1 = 0xCD9E8D57;
  constexpr uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{kMultiply0} * c[0];
    const uint64_t p1 = uint64_t{kMultiply1} * c[2];
    c = {static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ k[0],
         static_cast<uint32_t>(p1),
         static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ k[1],
         static_cast<uint32_t>(p0)};
    k[0] += kWeyl0;
    k[1] += kWeyl1;
  }
  return c;
}

Draws::Draws(uint64_t seed, TaskId task, Purpose purpose, uint32_t slot)
    : counter_{0,
               static_cast<uint32_t>(purpose) << 24 |
                   static_cast<uint32_t>(task.stream) << 20 | slot,
               task.index, task.step},
      key_{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)} {
  if (slot >> 20)
    throw Error(concat("Draws: slot ", slot, "; expected below 2^20"));
}

uint32_t Draws::next() {
  if (used_ == 4) {
    block_ = philox4x32(counter_, key_);
    ++counter_[0];
    used_ = 0;
  }
  return block_[used_++];
}

uint64_t Draws::below(uint64_t n) {
  if (n == 0) throw Error("Draws::below(0): expected n >= 1");
  if (n >> 32) throw Error(concat("Draws::below(", n, "): expected n < 2^32"));
  // Lemire's multiply-shift; rejects the short first interval.
  const uint32_t threshold = static_cast<uint32_t>(-n) % n;
  uint64_t product;
  do {
    product = uint64_t{next()} * n;
  } while (static_cast<uint32_t>(product) < threshold);
  return product >> 32;
}

double Draws::uniform() {
  const uint64_t high = next() >> 5, low = next() >> 6;
  return (static_cast<double>(high) * 67108864.0 + static_cast<double>(low)) /
         9007199254740992.0;
}

double Draws::normal() {
  if (has_normal_) {
    has_normal_ = false;
    return normal_;
  }
  const double radius = std::sqrt(-2 * std::log(1 - uniform()));
  const double angle = 2 * std::numbers::pi * uniform();
  normal_ = radius * std::sin(angle);
  has_normal_ = true;
  return radius * std::cos(angle);
}

std::vector<uint32_t> Draws::sample(uint64_t n, uint64_t k) {
  if (k > n)
    throw Error(concat("Draws::sample: ", k, " of ", n, "; expected k <= n"));
  std::unordered_map<uint64_t, uint32_t> moved;
  auto at = [&](uint64_t i) {
    auto it = moved.find(i);
    return it == moved.end() ? static_cast<uint32_t>(i) : it->second;
  };
  std::vector<uint32_t> out(k);
  for (uint64_t i = 0; i < k; ++i) {
    const uint64_t j = i + below(n - i);
    out[i] = at(j);
    moved[j] = at(i);
  }
  return out;
}

}  // namespace protean
