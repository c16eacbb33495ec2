#include "trainer/state_scale.h"

#include <ATen/ATen.h>

namespace protean {

StateScale::StateScale(const ParameterSpace& state, at::Device device)
    : parts_(static_cast<int64_t>(state.count())) {
  if (parts_ == 0) return;
  auto part = at::empty({state.size()}, at::kLong);
  int64_t i = 0;
  for (const auto& p : state.parameters())
    part.narrow(0, p.offset, p.size).fill_(i++);
  part_ = part.to(device);
  unit_ = at::ones({state.size()}, at::device(device).dtype(at::kFloat));
}

void StateScale::measure(const at::Tensor& state) {
  if (parts_ == 0) return;
  const auto most = at::zeros({parts_}, unit_.options())
                        .scatter_reduce(0, part_, state.abs(), "amax");
  // A number over its mantissa is a power of two, exactly.
  const auto unit = most / std::get<0>(at::frexp(most));
  unit_ = unit.where(most > 0, at::ones_like(most)).index_select(0, part_);
}

void StateScale::apply(at::Tensor sums) const {
  if (parts_ > 0) sums.div_(unit_);
}

void StateScale::undo(at::Tensor mean) const {
  if (parts_ > 0) mean.mul_(unit_);
}

}  // namespace protean
