// Numbers as 64-bit words for what ranks tell each other (rank_slot.h), made on
// the host or on a device alike.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "protean/learners/learner.h"

namespace protean {

// A float32 as an integer that holds all of it: exponent * 2^26 + mantissa.
// Infinite: as the largest number. NaN: as 0.
int64_t word_of(float number);
float number_of(int64_t word);
// The same, element by element; int64.
at::Tensor words_of(const at::Tensor& numbers);

// int64 words (n) as float32 (4 n): 16 bits each, which float32 holds exactly.
at::Tensor as_sixteenths(const at::Tensor& words);

// Of theta and meta-state on a device, int64 (): another bit anywhere gives
// another one. Nothing is read.
at::Tensor fingerprint(const MetaView& meta);

}  // namespace protean
