#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include "protean/core/error.h"
#include "protean/models/ops/ops.h"

#include "models/ops/norm_kernels.h"
#include "models/ops/stack_memory.h"

namespace protean::ops {

namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// What a node keeps besides its tensors.
struct Settings {
  double eps;
  bool pool, batch;
};

kernels::NormShape shape_of(const Tensor& x, const Settings& s) {
  return {x.size(1), x.size(0), x.size(3), x.size(4),
          x.size(2), s.pool,    s.batch};
}

// Runs f with a value of the floating type.
template <typename F>
void with_type(const Tensor& x, F f) {
  if (x.scalar_type() == at::kFloat)
    f(float());
  else
    f(double());
}

// Tensors outside the graph. moments, (2, T, C): mean and r, p and index: made
// of x by forward. weight, (T, n): of images, may be undefined.
struct Made {
  Tensor moments, p, index, weight;
};

template <typename T>
kernels::NormGroups<T> groups_of(const Tensor& gamma, const Tensor& beta,
                                 const Made& made) {
  T* const mean = made.moments.data_ptr<T>();
  return {gamma.const_data_ptr<T>(),
          beta.defined() ? beta.const_data_ptr<T>() : nullptr, mean,
          mean + made.moments.numel() / 2,
          made.weight.defined() ? made.weight.const_data_ptr<T>() : nullptr};
}

template <typename T>
kernels::NormChoice<T> choice_of(const Made& made) {
  return {made.p.defined() ? made.p.data_ptr<T>() : nullptr,
          made.index.defined() ? made.index.data_ptr<uint8_t>() : nullptr};
}

// The plain op on the same arguments; without batch x is normalised already.
Tensor plain(const Tensor& x, const Tensor& gamma, const Tensor& beta,
             const Tensor& weight, const Settings& s) {
  const auto pool = s.pool ? Pool::max2 : Pool::none;
  if (s.batch)
    return reference::norm_relu_pool(x, gamma, beta, s.eps, pool, weight).y;
  return reference::norm_relu_pool_given(
      x, at::zeros_like(gamma), at::ones_like(gamma), gamma, beta, 0, pool);
}

void save_settings(AutogradContext* ctx, const Settings& s) {
  ctx->saved_data["eps"] = s.eps;
  ctx->saved_data["pool"] = s.pool;
  ctx->saved_data["batch"] = s.batch;
}

Settings saved_settings(AutogradContext* ctx) {
  return {ctx->saved_data["eps"].toDouble(), ctx->saved_data["pool"].toBool(),
          ctx->saved_data["batch"].toBool()};
}

// (gy, x, gamma, beta) -> (gx, to gamma, to beta). made: what forward made of
// x.
struct Backward : torch::autograd::Function<Backward> {
  static variable_list forward(AutogradContext* ctx, const Tensor& gy,
                               const Tensor& x, const Tensor& gamma,
                               const Tensor& beta, const Made& made,
                               const Settings& s) {
    const auto shape = shape_of(x, s);
    auto xl = channels_last(x), gl = channels_last(gy);
    auto gx = at::empty_like(xl);
    auto sums = at::empty({2, shape.tasks, shape.channels}, x.options());
    with_type(x, [&](auto type) {
      using T = decltype(type);
      T* const s1 = sums.data_ptr<T>();
      auto g = gamma.contiguous();
      kernels::norm_backward<T>(shape, xl.const_data_ptr<T>(),
                                groups_of<T>(g, {}, made), choice_of<T>(made),
                                gl.const_data_ptr<T>(), gx.data_ptr<T>(), s1,
                                s1 + sums.numel() / 2);
    });
    ctx->save_for_backward({gy, x, gamma, beta, made.moments, made.p,
                            made.index, made.weight, sums});
    save_settings(ctx, s);
    return {as_stack(gx), sums.select(0, 1).clone(), sums.select(0, 0).clone()};
  }

  static variable_list backward(AutogradContext* ctx, variable_list u) {
    const auto saved = ctx->get_saved_variables();
    const auto &gy = saved[0], &x = saved[1], &gamma = saved[2],
               &beta = saved[3], &sums = saved[8];
    const auto s = saved_settings(ctx);
    // Third derivatives are rare enough for the plain op's own.
    const Made made{saved[4], saved[5], saved[6], saved[7]};
    if (at::GradMode::is_enabled())
      return third_order(gy, x, gamma, beta, made.weight, s, u);
    const auto shape = shape_of(x, s);
    auto xl = channels_last(x), gl = channels_last(gy),
         vl = channels_last(u[0]);
    auto to_gy = at::empty_like(gl), to_x = at::empty_like(xl),
         to_gamma = at::empty_like(u[1]).contiguous();
    with_type(x, [&](auto type) {
      using T = decltype(type);
      const T* const s1 = sums.const_data_ptr<T>();
      auto g = gamma.contiguous(), u_gamma = u[1].contiguous(),
           u_beta = u[2].contiguous();
      kernels::norm_double_backward<T>(
          shape, xl.const_data_ptr<T>(), groups_of<T>(g, {}, made),
          choice_of<T>(made), gl.const_data_ptr<T>(), s1, s1 + sums.numel() / 2,
          {vl.const_data_ptr<T>(), u_gamma.const_data_ptr<T>(),
           u_beta.const_data_ptr<T>()},
          to_gy.data_ptr<T>(), to_x.data_ptr<T>(), to_gamma.data_ptr<T>());
    });
    return {as_stack(to_gy), as_stack(to_x), to_gamma, {}, {}, {}};
  }

  static variable_list third_order(const Tensor& gy, const Tensor& x,
                                   const Tensor& gamma, const Tensor& beta,
                                   const Tensor& weight, const Settings& s,
                                   const variable_list& u) {
    // Views, so that paths between the arguments themselves stay outside.
    auto own = [](const Tensor& t) {
      return t.requires_grad() ? t.view_as(t) : t.detach().requires_grad_();
    };
    const auto g = own(gy), z = own(x), c = own(gamma), b = own(beta);
    auto first = torch::autograd::grad({plain(z, c, b, weight, s)}, {z, c, b},
                                       {g}, true, true);
    auto second = torch::autograd::grad(first, {g, z, c}, u, true, true, true);
    return {second[0], second[1], second[2], {}, {}, {}};
  }
};

// (x, gamma, beta) -> (y, mean, variance); without batch y alone. made carries
// the weight in.
struct Forward : torch::autograd::Function<Forward> {
  static variable_list forward(AutogradContext* ctx, const Tensor& x,
                               const Tensor& gamma, const Tensor& beta,
                               Made made, const Settings& s) {
    ctx->set_materialize_grads(false);
    const auto shape = shape_of(x, s);
    auto xl = channels_last(x);
    auto y = empty_channels_last(shape.tasks, shape.n, shape.h_out(),
                                 shape.w_out(), shape.channels, x.options());
    made.moments =
        s.batch ? at::empty({2, shape.tasks, shape.channels}, x.options())
                : at::zeros({2, shape.tasks, shape.channels}, x.options());
    if (!s.batch) made.moments.select(0, 1).fill_(1);
    made.index = at::empty(y.sizes(), x.options().dtype(at::kByte));
    if (s.pool) made.p = at::empty_like(y);
    Tensor variance = at::empty({shape.tasks, shape.channels}, x.options());
    with_type(x, [&](auto type) {
      using T = decltype(type);
      auto g = gamma.contiguous(), b = beta.contiguous();
      kernels::norm_forward<T>(
          shape, xl.const_data_ptr<T>(), groups_of<T>(g, b, made), s.eps,
          variance.data_ptr<T>(), choice_of<T>(made), y.data_ptr<T>());
    });
    ctx->save_for_backward(
        {x, gamma, beta, made.moments, made.p, made.index, made.weight});
    save_settings(ctx, s);
    if (!s.batch) return {as_stack(y)};
    return {as_stack(y), made.moments.select(0, 0).clone(), variance};
  }

  static variable_list backward(AutogradContext* ctx, variable_list grad) {
    const auto saved = ctx->get_saved_variables();
    const auto &x = saved[0], &gamma = saved[1], &beta = saved[2];
    const auto s = saved_settings(ctx);
    variable_list out(5);
    if (grad[0].defined()) {
      auto g = Backward::apply(grad[0], x, gamma, beta,
                               Made{saved[3], saved[4], saved[5], saved[6]}, s);
      out = {g[0], g[1], g[2], {}, {}};
    }
    for (size_t i = 1; i < grad.size(); ++i)
      if (grad[i].defined()) {
        auto g = moment_gradient(x, saved[6], grad[i], i == 2);
        out[0] = out[0].defined() ? out[0] + g : g;
      }
    return out;
  }

  // Rare, so from stock operations: with w an image's share of the mean,
  // d mean = w, d variance = 2 w (x - m).
  static Tensor moment_gradient(const Tensor& x, const Tensor& weight,
                                const Tensor& g, bool variance) {
    auto share = weight.defined() ? weight : at::ones({1, 1}, x.options());
    share = share / (share.sum(1, true) * (x.size(3) * x.size(4)));
    if (!weight.defined()) share = share / x.size(0);
    share = share.t().unsqueeze(-1).unsqueeze(-1).unsqueeze(-1);
    auto per = g.unsqueeze(0).unsqueeze(-1).unsqueeze(-1) * share;
    if (!variance) return per.expand_as(x);
    return 2 * per * (x - (x * share).sum({0, 3, 4}, true));
  }
};

bool fused(const Tensor& x) {
  if (!x.is_cpu()) return false;
  if (x.scalar_type() == at::kFloat)
    return kernels::norm_supported<float>(x.size(2));
  return x.scalar_type() == at::kDouble &&
         kernels::norm_supported<double>(x.size(2));
}

void check(const char* op, const Tensor& x, const Tensor& gamma,
           const Tensor& beta, Pool pool) {
  const int64_t least = pool == Pool::max2 ? 2 : 1;
  if (x.dim() != 5 || x.numel() == 0 || x.size(3) < least || x.size(4) < least)
    throw Error(concat(op, ": images ", x.sizes(),
                       "; expected (n, T, C, H, W) with at least ", least,
                       " pixels a side"));
  auto fits = [&](const Tensor& p) {
    return p.dim() == 2 && p.size(1) == x.size(2) &&
           (p.size(0) == 1 || p.size(0) == x.size(1));
  };
  if ((gamma.defined() && !fits(gamma)) || !fits(beta))
    throw Error(concat(op, ": images ", x.sizes(), ", gamma ",
                       gamma.defined() ? gamma.sizes() : at::IntArrayRef(),
                       ", beta ", beta.sizes(),
                       "; expected gamma and beta (T or 1, C)"));
}

}  // namespace

NormResult norm_relu_pool(const Tensor& x, const Tensor& gamma,
                          const Tensor& beta, double eps, Pool pool,
                          const Tensor& weight) {
  check("norm_relu_pool", x, gamma, beta, pool);
  if (weight.defined() &&
      weight.sizes() != at::IntArrayRef{x.size(1), x.size(0)})
    throw Error(concat("norm_relu_pool: images ", x.sizes(), ", weights ",
                       weight.sizes(), "; expected weights (T, n)"));
  if (!fused(x))
    return reference::norm_relu_pool(x, gamma, beta, eps, pool, weight);
  const auto groups = {x.size(1), x.size(2)};
  Made made;
  if (weight.defined())
    made.weight = weight.detach().to(x.scalar_type()).contiguous();
  auto out = Forward::apply(
      x, gamma.defined() ? gamma.expand(groups) : at::ones(groups, x.options()),
      beta.expand(groups), made, Settings{eps, pool == Pool::max2, true});
  return {out[0], out[1], out[2]};
}

Tensor norm_relu_pool_given(const Tensor& x, const Tensor& mean,
                            const Tensor& variance, const Tensor& gamma,
                            const Tensor& beta, double eps, Pool pool) {
  check("norm_relu_pool_given", x, gamma, beta, pool);
  if (!fused(x))
    return reference::norm_relu_pool_given(x, mean, variance, gamma, beta, eps,
                                           pool);
  // One scale and one shift per group; the rest is the op without moments.
  const auto groups = {x.size(1), x.size(2)};
  auto scale = (variance + eps).rsqrt();
  if (gamma.defined()) scale = scale * gamma;
  return Forward::apply(x, scale.expand(groups),
                        (beta - mean * scale).expand(groups), Made(),
                        Settings{0, pool == Pool::max2, false})[0];
}

}  // namespace protean::ops
