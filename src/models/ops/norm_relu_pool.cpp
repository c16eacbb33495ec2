#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include "protean/core/error.h"
#include "protean/models/ops/ops.h"

#include "models/ops/norm_composed.h"
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

// Tensors outside the graph. Made of x by forward: moments, (2, T, C), mean and
// r; p, index and, where the formulas are composed, live. weight, (T, n): of
// images, may be undefined.
struct Made {
  Tensor moments, p, index, live, weight;

  void append_to(variable_list& saved) const {
    saved.insert(saved.end(), {moments, p, index, live, weight});
  }
  static Made from(const variable_list& saved, size_t at) {
    return {saved[at], saved[at + 1], saved[at + 2], saved[at + 3],
            saved[at + 4]};
  }
};

composed::Norm composed_norm(const Made& made, const Settings& s) {
  composed::Norm norm{s.pool, s.batch, s.eps,  made.weight, {},
                      {},     {},      made.p, made.index,  made.live};
  if (made.moments.defined()) {
    norm.mean = made.moments.select(0, 0);
    norm.r = made.moments.select(0, 1);
  }
  return norm;
}

// Whether the kernels take these images.
bool fused(const Tensor& x) {
  if (!x.is_cpu()) return false;
  if (x.scalar_type() == at::kFloat)
    return kernels::norm_supported<float>(x.size(2));
  return x.scalar_type() == at::kDouble &&
         kernels::norm_supported<double>(x.size(2));
}

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
    Tensor gx, sum1, sum2;
    if (fused(x)) {
      const auto shape = shape_of(x, s);
      auto xl = channels_last(x), gl = channels_last(gy);
      gx = at::empty_like(xl);
      sum1 = at::empty({shape.tasks, shape.channels}, x.options());
      sum2 = at::empty_like(sum1);
      with_type(x, [&](auto type) {
        using T = decltype(type);
        auto g = gamma.contiguous();
        kernels::norm_backward<T>(shape, xl.const_data_ptr<T>(),
                                  groups_of<T>(g, {}, made), choice_of<T>(made),
                                  gl.const_data_ptr<T>(), gx.data_ptr<T>(),
                                  sum1.data_ptr<T>(), sum2.data_ptr<T>());
      });
      gx = as_stack(gx);
    } else {
      auto g =
          composed::backward(composed_norm(made, s), x.contiguous(), gamma, gy);
      gx = g.x, sum1 = g.sum1, sum2 = g.sum2;
    }
    variable_list saved{gy, x, gamma, beta, sum1, sum2};
    made.append_to(saved);
    ctx->save_for_backward(std::move(saved));
    save_settings(ctx, s);
    // The saved sums stay outside the graph.
    return {gx, sum2.clone(), sum1.clone()};
  }

  static variable_list backward(AutogradContext* ctx, variable_list u) {
    const auto saved = ctx->get_saved_variables();
    const auto &gy = saved[0], &x = saved[1], &gamma = saved[2],
               &beta = saved[3], &sum1 = saved[4], &sum2 = saved[5];
    const auto made = Made::from(saved, 6);
    const auto s = saved_settings(ctx);
    // Third derivatives are rare enough for the plain op's own.
    if (at::GradMode::is_enabled())
      return third_order(gy, x, gamma, beta, made.weight, s, u);
    if (!fused(x)) {
      auto to =
          composed::double_backward(composed_norm(made, s), x.contiguous(),
                                    gamma, gy, sum1, sum2, u[0], u[1], u[2]);
      return {to.gy, to.x, to.gamma, {}, {}, {}};
    }
    const auto shape = shape_of(x, s);
    auto xl = channels_last(x), gl = channels_last(gy),
         vl = channels_last(u[0]);
    auto to_gy = at::empty_like(gl), to_x = at::empty_like(xl),
         to_gamma = at::empty_like(sum1);
    with_type(x, [&](auto type) {
      using T = decltype(type);
      auto g = gamma.contiguous(), u_gamma = u[1].contiguous(),
           u_beta = u[2].contiguous();
      kernels::norm_double_backward<T>(
          shape, xl.const_data_ptr<T>(), groups_of<T>(g, {}, made),
          choice_of<T>(made), gl.const_data_ptr<T>(), sum1.const_data_ptr<T>(),
          sum2.const_data_ptr<T>(),
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
    const std::vector<int64_t> groups{2, x.size(1), x.size(2)};
    made.moments = s.batch ? at::empty(groups, x.options())
                           : at::zeros(groups, x.options());
    if (!s.batch) made.moments.select(0, 1).fill_(1);
    Tensor y, variance;
    if (fused(x)) {
      const auto shape = shape_of(x, s);
      auto xl = channels_last(x);
      auto yl = empty_channels_last(shape.tasks, shape.n, shape.h_out(),
                                    shape.w_out(), shape.channels, x.options());
      made.index = at::empty(yl.sizes(), x.options().dtype(at::kByte));
      if (s.pool) made.p = at::empty_like(yl);
      variance = at::empty({shape.tasks, shape.channels}, x.options());
      with_type(x, [&](auto type) {
        using T = decltype(type);
        auto g = gamma.contiguous(), b = beta.contiguous();
        kernels::norm_forward<T>(
            shape, xl.const_data_ptr<T>(), groups_of<T>(g, b, made), s.eps,
            variance.data_ptr<T>(), choice_of<T>(made), yl.data_ptr<T>());
      });
      y = as_stack(yl);
    } else {
      auto norm = composed_norm(made, s);
      y = composed::forward(norm, x.contiguous(), gamma, beta);
      if (s.batch) made.moments = at::stack({norm.mean, norm.r});
      made.p = norm.p, made.index = norm.index, made.live = norm.live;
      variance = norm.variance;
    }
    variable_list saved{x, gamma, beta};
    made.append_to(saved);
    ctx->save_for_backward(std::move(saved));
    save_settings(ctx, s);
    if (!s.batch) return {y};
    return {y, made.moments.select(0, 0).clone(), variance};
  }

  static variable_list backward(AutogradContext* ctx, variable_list grad) {
    const auto saved = ctx->get_saved_variables();
    const auto &x = saved[0], &gamma = saved[1], &beta = saved[2];
    const auto made = Made::from(saved, 3);
    const auto s = saved_settings(ctx);
    variable_list out(5);
    if (grad[0].defined()) {
      auto g = Backward::apply(grad[0], x, gamma, beta, made, s);
      out = {g[0], g[1], g[2], {}, {}};
    }
    for (size_t i = 1; i < grad.size(); ++i)
      if (grad[i].defined()) {
        auto g = moment_gradient(x, made.weight, grad[i], i == 2);
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

void check(const char* op, const Tensor& x, const Tensor& gamma,
           const Tensor& beta, Pool pool) {
  const int64_t least = pool == Pool::max2 ? 2 : 1;
  if (x.dim() != 5 || x.numel() == 0 || x.size(3) < least || x.size(4) < least)
    throw Error(concat(op, ": images ", x.sizes(),
                       "; expected (n, T, C, H, W) with at least ", least,
                       " pixels a side"));
  auto fits = [&](const Tensor& p) {
    return p.dim() == 2 && p.size(1) == x.size(2) &&
           (p.size(0) == 1 || p.size(0) == x.size(1)) &&
           p.scalar_type() == x.scalar_type();
  };
  if ((gamma.defined() && !fits(gamma)) || !fits(beta))
    throw Error(concat(op, ": images ", x.sizes(), ", gamma ",
                       gamma.defined() ? gamma.sizes() : at::IntArrayRef(),
                       ", beta ", beta.sizes(),
                       "; expected gamma and beta (T or 1, C), all of one "
                       "type"));
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
  // One scale and one shift per group; the rest is the op without moments.
  const auto groups = {x.size(1), x.size(2)};
  auto scale = (variance + eps).rsqrt();
  if (gamma.defined()) scale = scale * gamma;
  return Forward::apply(x, scale.expand(groups),
                        (beta - mean * scale).expand(groups), Made(),
                        Settings{0, pool == Pool::max2, false})[0];
}

}  // namespace protean::ops
