// Parts of the meta-state of very different sizes, a step counter and second
// moments, in one exact sum: each is brought to about one by a power of two,
// which changes no bit, before the sum's scale rounds all of them alike.
//
// The powers follow from the meta-state at the start of the step, which all
// ranks hold. Nothing is read from a device.
#pragma once

#include <ATen/core/Tensor.h>

#include "protean/core/parameter_space.h"

namespace protean {

class StateScale {
 public:
  StateScale(const ParameterSpace& state, at::Device device);
  // state: (space.size()) float32.
  void measure(const at::Tensor& state);
  // In place, of something flat like the state.
  void apply(at::Tensor sums) const;
  void undo(at::Tensor mean) const;

 private:
  int64_t parts_ = 0;  // 0: no state
  at::Tensor part_;    // (size) int64, of each value
  at::Tensor unit_;    // (size) float32
};

}  // namespace protean
