#include "protean/models/params.h"

#include <algorithm>

#include <ATen/Dispatch.h>
#include <ATen/ops/empty.h>

namespace protean {
namespace {

std::vector<int64_t> with_tasks(int64_t tasks, const Parameter& p) {
  std::vector<int64_t> shape{tasks};
  shape.insert(shape.end(), p.shape.begin(), p.shape.end());
  return shape;
}

// to += scale * the sum of T rows, in their order. Rows are short: blocks of a
// row stay in registers or the nearest cache while the tasks pass.
template <typename T>
void add_tasks(const T* values, int64_t tasks, int64_t size, T scale, T* to) {
  constexpr int64_t kBlock = 1024;
  T sum[kBlock];
  for (int64_t begin = 0; begin < size; begin += kBlock) {
    const int64_t n = std::min(kBlock, size - begin);
    std::copy_n(values + begin, n, sum);
    for (int64_t t = 1; t < tasks; ++t)
      for (int64_t i = 0; i < n; ++i) sum[i] += values[t * size + begin + i];
    for (int64_t i = 0; i < n; ++i) to[begin + i] += scale * sum[i];
  }
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
    out.push_back(flat.narrow(0, p.offset, p.size)
                      .view(with_tasks(1, p))
                      .expand(with_tasks(tasks, p))
                      .detach()
                      .requires_grad_());
  }
  return out;
}

void add_to_flat(const ParameterSpace& space, const Params& values,
                 const at::Tensor& flat, double scale) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (!values[i].defined()) continue;
    const auto& p = space.parameters()[i];
    if (values[i].is_cpu() && values[i].scalar_type() == flat.scalar_type() &&
        values[i].is_contiguous()) {
      AT_DISPATCH_FLOATING_TYPES(flat.scalar_type(), "add_to_flat", [&] {
        add_tasks(values[i].const_data_ptr<scalar_t>(), values[i].size(0),
                  p.size, static_cast<scalar_t>(scale),
                  flat.data_ptr<scalar_t>() + p.offset);
      });
      continue;
    }
    auto sum = values[i].size(0) == 1 ? values[i].reshape(p.size)
                                      : values[i].sum(0).reshape(p.size);
    flat.narrow(0, p.offset, p.size).add_(sum, scale);
  }
}

}  // namespace protean
