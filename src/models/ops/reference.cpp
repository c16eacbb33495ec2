#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include "protean/core/error.h"
#include "protean/models/ops/ops.h"

namespace protean::ops::reference {

at::Tensor conv(const at::Tensor& x, const at::Tensor& w, int64_t stride) {
  const int64_t n = x.size(0), tasks = x.size(1);
  auto own = w.expand({tasks, -1, -1, -1, -1}).flatten(0, 1);
  auto y =
      at::conv2d(x.flatten(1, 2), own, {}, stride, w.size(3) / 2, 1, tasks);
  return y.reshape({n, tasks, w.size(1), y.size(2), y.size(3)});
}

namespace {

// (T or 1, C) -> (1, T or 1, C, 1, 1)
at::Tensor per_channel(const at::Tensor& p) {
  return p.unsqueeze(0).unsqueeze(-1).unsqueeze(-1);
}

at::Tensor relu_pool(const at::Tensor& x, Pool pool) {
  auto y = at::relu(x);
  if (pool == Pool::none) return y;
  y = at::max_pool2d(y.flatten(0, 1), {2, 2}, {2, 2});
  return y.unflatten(0, {x.size(0), x.size(1)});
}

}  // namespace

NormResult norm_relu_pool(const at::Tensor& x, const at::Tensor& gamma,
                          const at::Tensor& beta, double eps, Pool pool,
                          const at::Tensor& weight) {
  NormResult r;
  if (weight.defined()) {
    auto share = weight.to(x.scalar_type());  // of an image in the moments
    share = share / (share.sum(1, true) * (x.size(3) * x.size(4)));
    share = share.t().unsqueeze(-1).unsqueeze(-1).unsqueeze(-1);
    r.mean = (x * share).sum({0, 3, 4});
    r.variance = ((x - per_channel(r.mean)).square() * share).sum({0, 3, 4});
  } else {
    r.mean = x.mean({0, 3, 4});
    r.variance = (x - per_channel(r.mean)).square().mean({0, 3, 4});
  }
  r.y = reference::norm_relu_pool_given(x, r.mean, r.variance, gamma, beta, eps,
                                        pool);
  return r;
}

at::Tensor norm_relu_pool_given(const at::Tensor& x, const at::Tensor& mean,
                                const at::Tensor& variance,
                                const at::Tensor& gamma, const at::Tensor& beta,
                                double eps, Pool pool) {
  auto scale = (variance + eps).rsqrt();
  if (gamma.defined()) scale = scale * gamma;
  auto y = (x - per_channel(mean)) * per_channel(scale) + per_channel(beta);
  return relu_pool(y, pool);
}

at::Tensor linear(const at::Tensor& x, const at::Tensor& w,
                  const at::Tensor& b) {
  auto y = at::matmul(x, w.transpose(1, 2));
  return b.defined() ? y + b.unsqueeze(1) : y;
}

at::Tensor relu_mlp(const at::Tensor& x, const std::vector<at::Tensor>& weights,
                    const std::vector<at::Tensor>& biases) {
  auto y = x;
  for (size_t i = 0; i < weights.size(); ++i) {
    if (i > 0) y = at::relu(y);
    y = reference::linear(y, weights[i], biases[i]);
  }
  return y;
}

namespace {

// (T, n) -> (T): over all examples, or weighted.
at::Tensor mean_over_examples(const at::Tensor& loss,
                              const at::Tensor& weight) {
  if (!weight.defined()) return loss.mean(1);
  auto w = weight.to(loss.scalar_type());
  return (loss * w).sum(1) / w.sum(1);
}

}  // namespace

at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& y,
                         const at::Tensor& weight) {
  auto p = at::log_softmax(logits, -1);
  return mean_over_examples(p.gather(-1, y.unsqueeze(-1)).squeeze(-1).neg(),
                            weight);
}

at::Tensor mean_squared_error(const at::Tensor& prediction, const at::Tensor& y,
                              const at::Tensor& weight) {
  return mean_over_examples((prediction - y).square().mean(-1), weight);
}

std::vector<at::Tensor> relu_mlp_descent(const at::Tensor& x,
                                         const at::Tensor& y,
                                         const at::Tensor& weight,
                                         const std::vector<at::Tensor>& weights,
                                         const std::vector<at::Tensor>& biases,
                                         double lr) {
  const bool differentiable = at::GradMode::is_enabled();
  const at::AutoGradMode grad_mode(true);
  // Parameters of every task apart, so that a gradient is one task's.
  auto own = [&](const std::vector<at::Tensor>& all) {
    std::vector<at::Tensor> out;
    for (const auto& t : all) {
      auto sizes = t.sizes().vec();
      sizes[0] = x.size(0);
      out.push_back(t.expand(sizes));
      if (!differentiable || !t.requires_grad())
        out.back() = out.back().detach().requires_grad_();
    }
    return out;
  };
  auto w = own(weights), b = own(biases);
  auto loss =
      reference::mean_squared_error(reference::relu_mlp(x, w, b), y, weight);
  auto p = w;
  p.insert(p.end(), b.begin(), b.end());
  auto g = torch::autograd::grad({loss.sum()}, p, {}, differentiable,
                                 differentiable);
  for (size_t i = 0; i < p.size(); ++i) {
    p[i] = p[i] - lr * g[i];
    if (!differentiable) p[i] = p[i].detach();
  }
  return p;
}

}  // namespace protean::ops::reference
