// What one rank tells all others in a step's collective, as words that travel
// in the summed buffer itself: every rank writes its own slot and zeros
// elsewhere, so the sum is a gather.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#include "protean/trainer/reduction.h"

#include "trainer/slot_words.h"

namespace protean {

struct RankSlot {
  RankReport report;
  std::array<float, 3> largest{};
  int64_t overflow = 0;

  static constexpr int64_t kWords = 11;
  // The hash, then what StepFlags counts: words that a device may write itself.
  static constexpr int64_t kHash = 3, kFlags = 4;
  // In a float32 buffer each word is four 16-bit numbers, which float32 holds
  // exactly.
  static constexpr int64_t kFloats = 4 * kWords;

  void write(int64_t* out) const {
    const auto words = pack();
    std::memcpy(out, words.data(), sizeof words);
  }
  void write(float* out) const {
    for (uint64_t word : pack())
      for (int shift = 0; shift < 64; shift += 16)
        *out++ = static_cast<float>(word >> shift & 0xFFFF);
  }
  static RankSlot read(const int64_t* in) {
    std::array<uint64_t, kWords> words{};
    std::memcpy(words.data(), in, sizeof words);
    return unpack(words);
  }
  static RankSlot read(const float* in) {
    std::array<uint64_t, kWords> words{};
    for (auto& word : words)
      for (int shift = 0; shift < 64; shift += 16)
        word |= static_cast<uint64_t>(*in++) << shift;
    return unpack(words);
  }

 private:
  std::array<uint64_t, kWords> pack() const {
    auto bits = [](float f) -> uint64_t { return std::bit_cast<uint32_t>(f); };
    auto word = [](float f) { return static_cast<uint64_t>(word_of(f)); };
    return {static_cast<uint64_t>(report.stop),
            bits(report.busy_s) | bits(report.cpu_s) << 32,
            report.cost_version,
            report.hash,
            static_cast<uint64_t>(report.bad_task),
            static_cast<uint64_t>(report.worst_task),
            word(report.worst_loss),
            word(largest[0]),
            word(largest[1]),
            word(largest[2]),
            static_cast<uint64_t>(overflow)};
  }
  static RankSlot unpack(const std::array<uint64_t, kWords>& w) {
    auto bits = [](uint64_t bits) {
      return std::bit_cast<float>(static_cast<uint32_t>(bits));
    };
    auto number = [](uint64_t w) { return number_of(static_cast<int64_t>(w)); };
    RankSlot s;
    s.report.stop = static_cast<int64_t>(w[0]);
    s.report.busy_s = bits(w[1]);
    s.report.cpu_s = bits(w[1] >> 32);
    s.report.cost_version = static_cast<uint32_t>(w[2]);
    s.report.hash = w[kHash];
    s.report.bad_task = static_cast<int64_t>(w[kFlags]);
    s.report.worst_task = static_cast<int64_t>(w[5]);
    s.report.worst_loss = number(w[6]);
    for (size_t i = 0; i < 3; ++i) s.largest[i] = number(w[7 + i]);
    s.overflow = static_cast<int64_t>(w[10]);
    return s;
  }
};

}  // namespace protean
