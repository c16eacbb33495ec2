#include "protean/models/params.h"

namespace protean {
namespace {

std::vector<int64_t> with_tasks(int64_t tasks, const Parameter& p) {
  std::vector<int64_t> shape{tasks};
  shape.insert(shape.end(), p.shape.begin(), p.shape.end());
  return shape;
}

}  // namespace

Params shared_params(const ParameterSpace& space, const at::Tensor& flat) {
  Params out;
  for (const auto& p : space.parameters())
    out.push_back(flat.narrow(0, p.offset, p.size).view(with_tasks(1, p)));
  return out;
}

Params stacked_leaves(const ParameterSpace& space, const at::Tensor& flat,
                      int64_t tasks) {
  Params out;
  for (const auto& p : space.parameters()) {
    auto one = flat.narrow(0, p.offset, p.size).view(with_tasks(1, p));
    auto leaf = at::empty(with_tasks(tasks, p), flat.options());
    leaf.copy_(one.expand_as(leaf));
    out.push_back(leaf.requires_grad_());
  }
  return out;
}

void add_to_flat(const ParameterSpace& space, const Params& values,
                 const at::Tensor& flat, double scale) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (!values[i].defined()) continue;
    const auto& p = space.parameters()[i];
    auto sum = values[i].size(0) == 1 ? values[i].reshape(p.size)
                                      : values[i].sum(0).reshape(p.size);
    flat.narrow(0, p.offset, p.size).add_(sum, scale);
  }
}

}  // namespace protean
