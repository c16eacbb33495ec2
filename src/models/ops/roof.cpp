#include "protean/models/ops/roof.h"

#include <chrono>
#include <cmath>
#include <vector>

#include "protean/models/threads.h"

#include "models/ops/simd.h"

namespace protean::ops {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kSums = simd::kRegisters >= 32 ? 16 : 12;
constexpr int kRounds = 20000;

// Multiply-adds whose result is used, so that none can be left out.
__attribute__((noinline)) float multiply_add(float factor, float term) {
  // Equal calls have equal results: the compiler is not to make one of them.
  asm volatile("" ::: "memory");
  using V = simd::Vec<float>;
  const V a = simd::broadcast(factor), b = simd::broadcast(term);
  V sums[kSums];
  for (int i = 0; i < kSums; ++i)
    sums[i] = simd::broadcast(static_cast<float>(i));
  for (int round = 0; round < kRounds; ++round)
#pragma GCC unroll 16
    for (int i = 0; i < kSums; ++i) sums[i] = sums[i] * a + b;
  for (int i = 1; i < kSums; ++i) sums[0] += sums[i];
  return sums[0][0];
}

}  // namespace

double fma_rate(double seconds) {
  const int team = threads();
  // Of each thread, a cache line apart.
  struct alignas(64) Rate {
    double flops = 0;
    float result = 0;
  };
  std::vector<Rate> rates(team);
  parallel_for(team, 1, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      const auto start = Clock::now();
      double calls = 0, spent = 0;
      do {
        rates[t].result += multiply_add(0.5f, 1.0f + static_cast<float>(t));
        ++calls;
        spent = std::chrono::duration<double>(Clock::now() - start).count();
      } while (spent < seconds);
      rates[t].flops =
          calls * 2.0 * kRounds * kSums * simd::kLanes<float> / spent;
    }
  });
  double sum = 0;
  for (const auto& r : rates)
    if (std::isfinite(r.result)) sum += r.flops;
  return sum;
}

}  // namespace protean::ops
