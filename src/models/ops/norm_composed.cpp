#include "models/ops/norm_composed.h"

#include <ATen/ops/gather.h>
#include <ATen/ops/max_pool2d_with_indices.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/var_mean.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

namespace protean::ops::composed {

namespace {

using at::Tensor;

// (T, C) -> (1, T, C, 1, 1)
Tensor spread(const Tensor& p) {
  return p.unsqueeze(0).unsqueeze(-1).unsqueeze(-1);
}

Tensor group_sum(const Tensor& x) { return x.sum({0, 3, 4}); }

// What one value of an image counts in a mean: a number, or (n, T, 1, 1, 1).
Tensor share_of_mean(const Norm& norm, const Tensor& x) {
  if (!norm.weight.defined())
    return at::scalar_tensor(1.0 / (x.size(0) * x.size(3) * x.size(4)),
                             x.options().device(at::kCPU));
  auto share =
      norm.weight / (norm.weight.sum(1, true) * (x.size(3) * x.size(4)));
  return share.t().unsqueeze(-1).unsqueeze(-1).unsqueeze(-1);
}

// G: full tensor -> outputs.
Tensor pick(const Norm& norm, const Tensor& x) {
  if (!norm.pool) return x;
  return x.flatten(3).gather(3, norm.index.flatten(3)).view_as(norm.index);
}

// full += S(of outputs), in place. Windows do not overlap, so no element is
// added to twice.
void add_scattered(const Norm& norm, const Tensor& outputs, Tensor& full) {
  if (norm.pool)
    full.flatten(3).scatter_add_(3, norm.index.flatten(3), outputs.flatten(3));
  else
    full.add_(outputs);
}

const Tensor& pooled(const Norm& norm, const Tensor& x) {
  return norm.pool ? norm.p : x;
}

}  // namespace

Tensor forward(Norm& norm, const Tensor& x, const Tensor& gamma,
               const Tensor& beta) {
  if (norm.batch) {
    if (norm.weight.defined()) {
      auto share = share_of_mean(norm, x);
      norm.mean = group_sum(x * share);
      norm.variance = group_sum((x - spread(norm.mean)).square_().mul_(share));
    } else {
      std::tie(norm.variance, norm.mean) =
          at::var_mean(x, at::IntArrayRef{0, 3, 4}, /*unbiased=*/false);
    }
    norm.r = (norm.variance + norm.eps).rsqrt_();
  }
  if (norm.pool) {
    const auto sign = spread(at::where(gamma < 0, -1, 1).to(x.scalar_type()));
    auto [best, index] =
        at::max_pool2d_with_indices((x * sign).flatten(0, 1), {2, 2}, {2, 2});
    norm.p = best.unflatten(0, {x.size(0), x.size(1)}) * sign;
    norm.index = index.unflatten(0, {x.size(0), x.size(1)});
  }
  auto y = (pooled(norm, x) - spread(norm.mean))
               .mul_(spread(gamma * norm.r))
               .add_(spread(beta))
               .relu_();
  norm.live = y > 0;
  return y;
}

Gradients backward(const Norm& norm, const Tensor& x, const Tensor& gamma,
                   const Tensor& gy) {
  const auto a = gamma * norm.r;
  const auto g = gy * norm.live;
  const auto ph = (pooled(norm, x) - spread(norm.mean)).mul_(spread(norm.r));
  Gradients out;
  out.sum1 = group_sum(g);
  out.sum2 = group_sum(g * ph);
  if (norm.batch) {
    const auto share = share_of_mean(norm, x);
    out.x = (x - spread(norm.mean))
                .mul_(spread(a * norm.r * out.sum2).neg())
                .sub_(spread(a * out.sum1))
                .mul_(share);
  } else {
    out.x = at::zeros_like(x, at::MemoryFormat::Contiguous);
  }
  add_scattered(norm, g * spread(a), out.x);
  return out;
}

SecondGradients double_backward(const Norm& norm, const Tensor& x,
                                const Tensor& gamma, const Tensor& gy,
                                const Tensor& sum1, const Tensor& sum2,
                                const Tensor& v, const Tensor& u_gamma,
                                const Tensor& u_beta) {
  const auto& r = norm.r;
  const auto a = gamma * r;
  const auto g = gy * norm.live;
  const auto picked = pick(norm, v);
  auto k = group_sum(picked * g);
  auto of_g = u_gamma;
  auto g1 = u_beta;
  SecondGradients out;
  if (norm.batch) {
    const auto centred = x - spread(norm.mean);
    const auto w = v * share_of_mean(norm, x);
    const auto v1 = group_sum(w), v2 = group_sum(w * centred) * r;  // over N
    k = k - sum1 * v1 - sum2 * v2;
    of_g = of_g - a * v2;
    g1 = g1 - a * v1;
    const auto of_v = -a * sum2;
    // Means of q and of q xh; the share multiplies the whole at the end.
    const auto mean_q = of_v * v1 + of_g * sum1;
    const auto mean_qx = of_v * v2 + of_g * sum2;
    out.x = (centred * spread(-r * r * (mean_qx + a * k)))
                .addcmul_(v, spread(r * of_v))
                .sub_(spread(r * mean_q))
                .mul_(share_of_mean(norm, x));
  } else {
    out.x = at::zeros_like(x, at::MemoryFormat::Contiguous);
  }
  out.gamma = r * k;
  add_scattered(norm, g * spread(r * of_g), out.x);
  out.gy = (pooled(norm, x) - spread(norm.mean))
               .mul_(spread(of_g * r))
               .addcmul_(picked, spread(a))
               .add_(spread(g1))
               .mul_(norm.live);
  return out;
}

}  // namespace protean::ops::composed
