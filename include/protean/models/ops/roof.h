// What this processor can do at most, for benchmarks to be held against.
#pragma once

namespace protean::ops {

// FLOP/s of float32 fused multiply-adds on threads() threads, each with
// accumulators enough to hide their latency and nothing read from memory; an
// addition and a multiplication count one each. Takes about the given time.
double fma_rate(double seconds);

}  // namespace protean::ops
