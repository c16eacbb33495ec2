#include <torch/csrc/autograd/custom_function.h>

#include "protean/core/error.h"
#include "protean/models/ops/ops.h"

namespace protean::ops {

namespace {

using at::Tensor;

void check(const char* op, const Tensor& prediction, const Tensor& y,
           const Tensor& weight, bool labels) {
  const auto s = prediction.sizes();
  const bool same =
      s.size() == 3 && (labels ? y.sizes() == s.slice(0, 2) : y.sizes() == s);
  if (!same || (weight.defined() && weight.sizes() != s.slice(0, 2)))
    throw Error(
        concat(op, ": predictions ", s, ", targets ", y.sizes(), ", weights ",
               weight.defined() ? weight.sizes() : at::IntArrayRef(),
               "; expected (T, ",
               labels ? "n, N), (T, n), (T, n)" : "n, d), (T, n, d), (T, n)"));
}

// sum over examples and values of (p - y)^2 share, with the gradient
// 2 (p - y) share: two products where stock operations take a chain.
struct SquaredError : torch::autograd::Function<SquaredError> {
  // share: (T, n, 1) or a number in one element; no gradient.
  static Tensor forward(torch::autograd::AutogradContext* ctx, const Tensor& p,
                        const Tensor& y, const Tensor& share) {
    ctx->save_for_backward({p, y, share});
    auto d = p - y;
    return (d * d).mul_(share).sum({1, 2});
  }
  static torch::autograd::variable_list backward(
      torch::autograd::AutogradContext* ctx,
      torch::autograd::variable_list grad) {
    const auto saved = ctx->get_saved_variables();
    const auto &p = saved[0], &y = saved[1], &share = saved[2];
    auto g = (p - y) * (grad[0].unsqueeze(-1).unsqueeze(-1) * (share * 2));
    return {g, ctx->needs_input_grad(1) ? -g : Tensor(), Tensor()};
  }
};

}  // namespace

Tensor cross_entropy(const Tensor& logits, const Tensor& y,
                     const Tensor& weight) {
  check("cross_entropy", logits, y, weight, /*labels=*/true);
  return reference::cross_entropy(logits, y, weight);
}

Tensor mean_squared_error(const Tensor& prediction, const Tensor& y,
                          const Tensor& weight) {
  check("mean_squared_error", prediction, y, weight, /*labels=*/false);
  const int64_t d = prediction.size(2);
  Tensor share;
  if (weight.defined()) {
    auto w = weight.to(prediction.scalar_type());
    share = (w / (w.sum(1, true) * d)).unsqueeze(-1);
  } else {
    share = at::full({1}, 1.0 / (prediction.size(1) * d), prediction.options());
  }
  return SquaredError::apply(prediction, y, share);
}

}  // namespace protean::ops
