#include "generative/layers.h"

#include <algorithm>
#include <utility>

#include <ATen/ATen.h>

#include "protean/models/initialise.h"
#include "protean/models/ops/ops.h"

namespace protean {

size_t LayerSpace::weight(const std::string& name, std::vector<int64_t> shape,
                          double gain) {
  const auto start =
      gain == 0 ? Start{} : weight_start(Start::Rule::xavier, shape, gain);
  return space_.add(name + ".weight", std::move(shape), start, roles_);
}

size_t LayerSpace::bias(const std::string& name, int64_t size) {
  return space_.add(name + ".bias", {size}, {}, roles_);
}

Dense::Dense(LayerSpace& space, const std::string& name, int64_t in,
             int64_t out, double gain)
    : weight_(space.weight(name, {out, in}, gain)),
      bias_(space.bias(name, out)) {}

at::Tensor Dense::operator()(const Params& p, const at::Tensor& x) const {
  return ops::linear(x, p[weight_], p[bias_]);
}

Conv::Conv(LayerSpace& space, const std::string& name, int64_t in, int64_t out,
           int64_t stride, double gain)
    : weight_(space.weight(name, {out, in, 3, 3}, gain)),
      bias_(space.bias(name, out)),
      stride_(stride) {}

at::Tensor Conv::operator()(const Params& p, const at::Tensor& x) const {
  return ops::conv(x, p[weight_], stride_) +
         p[bias_].unsqueeze(0).unsqueeze(-1).unsqueeze(-1);
}

at::Tensor depth_to_space(const at::Tensor& x) {
  const auto n = x.size(0), tasks = x.size(1), channels = x.size(2) / 4;
  const auto height = x.size(3), width = x.size(4);
  return x.reshape({n, tasks, channels, 2, 2, height, width})
      .permute({0, 1, 2, 5, 3, 6, 4})
      .reshape({n, tasks, channels, 2 * height, 2 * width});
}

at::Tensor displaced(const at::Tensor& x, const at::Tensor& by) {
  const auto height = x.size(3), width = x.size(4);
  const auto places = x.flatten(3);  // (n, T, C, H W)
  const auto axis = [&](int64_t which, int64_t size, at::IntArrayRef shape) {
    const auto own = at::arange(size, by.options()).view(shape);
    const auto at =
        (by.select(2, which) + own).clamp(0, static_cast<double>(size - 1));
    const auto before = at.detach().floor().clamp_max(
        static_cast<double>(std::max<int64_t>(size - 2, 0)));
    // What is not finite stays so in the share, and points nowhere else.
    return std::pair(before.to(at::kLong).clamp(0, size - 1), at - before);
  };
  const auto [row, down] = axis(0, height, {height, 1});
  const auto [column, right] = axis(1, width, {1, width});
  const auto read = [&](int64_t below, int64_t beside) {
    const auto index = (row + below).clamp_max(height - 1) * width +
                       (column + beside).clamp_max(width - 1);
    return places.gather(3, index.flatten(2).unsqueeze(2).expand_as(places));
  };
  const auto share = [&](const at::Tensor& s) {
    return s.flatten(2).unsqueeze(2);
  };
  const auto d = share(down), r = share(right);
  const auto above = read(0, 0) * (1 - r) + read(0, 1) * r;
  const auto under = read(1, 0) * (1 - r) + read(1, 1) * r;
  return (above + d * (under - above)).view_as(x);
}

at::Tensor enlarged_flow(const at::Tensor& by, int64_t times) {
  const auto large = at::upsample_bilinear2d(
      by.flatten(0, 1), {times * by.size(3), times * by.size(4)},
      /*align_corners=*/false);
  return static_cast<double>(times) *
         large.unflatten(0, {by.size(0), by.size(1)});
}

}  // namespace protean
