// Three bilinear maps that are each other's derivatives: with y = C(x, w),
// gx = X(gy, w) and gw = W(x, gy),
//   d C: gx = X(gy, w), gw = W(x, gy)
//   d X, cotangent v like x: to gy C(v, w), to w W(v, gy)
//   d W, cotangent u like w: to x X(gy, u), to gy C(x, u)
// so three kernels give every order of derivative.
#include <ATen/ops/convolution.h>
#include <ATen/ops/convolution_backward.h>
#include <torch/csrc/autograd/custom_function.h>

#include "protean/core/error.h"
#include "protean/models/ops/ops.h"

#include "models/ops/conv_kernels.h"
#include "models/ops/stack_memory.h"

namespace protean::ops {

namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// What a convolution needs besides its two factors.
struct Geometry {
  int64_t n, tasks, in, out, h, w, stride, kernel;
  bool shared;  // one set of weights for all tasks

  int64_t pad() const { return kernel / 2; }
  std::vector<int64_t> x_sizes() const { return {n, tasks, in, h, w}; }
  kernels::ConvShape shape(bool fold) const {
    return {fold ? 1 : tasks, fold ? n * tasks : n, h, w, in, out, stride};
  }
};

bool same_for_all(const Tensor& w) {
  return w.size(0) == 1 || w.stride(0) == 0;
}

// Runs f with a value of the floating type of a CPU kernel, or returns false.
template <typename F>
bool on_cpu(const Tensor& a, const Tensor& b, const Geometry& g, F f) {
  if (!a.is_cpu() || !b.is_cpu() || a.scalar_type() != b.scalar_type())
    return false;
  auto run = [&](auto type) {
    if (g.kernel != 3 || !kernels::conv_supported<decltype(type)>(g.in, g.out))
      return false;
    f(type);
    return true;
  };
  if (a.scalar_type() == at::kFloat) return run(float());
  if (a.scalar_type() == at::kDouble) return run(double());
  return false;
}

// Stock convolution sees tasks as groups, or as more images when they share
// their weights.
Tensor as_images(const Tensor& x, bool shared) {
  const auto s = x.sizes();
  if (shared) return x.reshape({s[0] * s[1], s[2], s[3], s[4]});
  return x.reshape({s[0], s[1] * s[2], s[3], s[4]});
}

Tensor convolve(const Tensor& x, const Tensor& w, const Geometry& g) {
  const bool shared = same_for_all(w);
  Tensor y;
  if (on_cpu(x, w, g, [&](auto type) {
        using T = decltype(type);
        const auto s = g.shape(shared);
        auto xl = channels_last(x);
        auto wl = shared ? w.select(0, 0).contiguous() : w.contiguous();
        y = empty_channels_last(g.tasks, g.n, s.h_out(), s.w_out(), g.out,
                                x.options());
        kernels::conv_forward<T>(s, xl.const_data_ptr<T>(),
                                 wl.const_data_ptr<T>(), y.data_ptr<T>());
      }))
    return as_stack(y);
  y = at::convolution(as_images(x, shared),
                      shared ? w.select(0, 0) : w.flatten(0, 1), {},
                      {g.stride, g.stride}, {g.pad(), g.pad()}, {1, 1}, false,
                      {0, 0}, shared ? 1 : g.tasks);
  return y.reshape({g.n, g.tasks, g.out, y.size(2), y.size(3)});
}

Tensor input_gradient(const Tensor& gy, const Tensor& w, const Geometry& g) {
  const bool shared = same_for_all(w);
  Tensor gx;
  const bool done = on_cpu(gy, w, g, [&](auto type) {
    using T = decltype(type);
    if (kernels::conv_thin<T>(g.in)) return;
    auto gl = channels_last(gy);
    auto wl = shared ? w.select(0, 0).contiguous() : w.contiguous();
    gx = empty_channels_last(g.tasks, g.n, g.h, g.w, g.in, gy.options());
    kernels::conv_input_gradient<T>(g.shape(shared), gl.const_data_ptr<T>(),
                                    wl.const_data_ptr<T>(), gx.data_ptr<T>());
  });
  if (done && gx.defined()) return as_stack(gx);
  // Only the sizes of the missing factor are looked at.
  auto x = at::empty({1}, gy.options()).expand(g.x_sizes());
  auto images = as_images(x.expand(g.x_sizes()), shared);
  gx = std::get<0>(at::convolution_backward(
      as_images(gy, shared), images, shared ? w.select(0, 0) : w.flatten(0, 1),
      std::nullopt, {g.stride, g.stride}, {g.pad(), g.pad()}, {1, 1}, false,
      {0, 0}, shared ? 1 : g.tasks, {true, false, false}));
  return gx.reshape(g.x_sizes());
}

Tensor weight_gradient(const Tensor& x, const Tensor& gy, const Geometry& g) {
  const int64_t sets = g.shared ? 1 : g.tasks;
  Tensor gw = at::empty({sets, g.out, g.in, g.kernel, g.kernel}, gy.options());
  if (on_cpu(x, gy, g, [&](auto type) {
        using T = decltype(type);
        auto xl = channels_last(x), gl = channels_last(gy);
        kernels::conv_weight_gradient<T>(
            g.shape(g.shared), xl.const_data_ptr<T>(), gl.const_data_ptr<T>(),
            gw.data_ptr<T>());
      }))
    return gw;
  auto r = at::convolution_backward(
      as_images(gy, g.shared), as_images(x, g.shared), gw.flatten(0, 1),
      std::nullopt, {g.stride, g.stride}, {g.pad(), g.pad()}, {1, 1}, false,
      {0, 0}, g.shared ? 1 : g.tasks, {false, true, false});
  return std::get<1>(r).reshape(gw.sizes());
}

Tensor apply_convolve(const Tensor& x, const Tensor& w, const Geometry& g);
Tensor apply_input_gradient(const Tensor& gy, const Tensor& w,
                            const Geometry& g);
Tensor apply_weight_gradient(const Tensor& x, const Tensor& gy,
                             const Geometry& g);

void save(AutogradContext* ctx, const Tensor& a, const Tensor& b,
          const Geometry& g) {
  ctx->save_for_backward({a, b});
  ctx->saved_data["geometry"] = std::vector<int64_t>{
      g.n, g.tasks, g.in, g.out, g.h, g.w, g.stride, g.kernel, g.shared};
}

Geometry saved_geometry(AutogradContext* ctx) {
  const auto v = ctx->saved_data["geometry"].toIntVector();
  return {v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8] != 0};
}

// Gradients of the two factors, then none for the geometry.
template <typename First, typename Second>
variable_list factors(AutogradContext* ctx, First first, Second second) {
  variable_list out(3);
  if (ctx->needs_input_grad(0)) out[0] = first();
  if (ctx->needs_input_grad(1)) out[1] = second();
  return out;
}

struct Convolve : torch::autograd::Function<Convolve> {
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor& w,
                        const Geometry& g) {
    save(ctx, x, w, g);
    return convolve(x, w, g);
  }
  static variable_list backward(AutogradContext* ctx, variable_list grad) {
    const auto saved = ctx->get_saved_variables();
    const auto g = saved_geometry(ctx);
    return factors(
        ctx, [&] { return apply_input_gradient(grad[0], saved[1], g); },
        [&] { return apply_weight_gradient(saved[0], grad[0], g); });
  }
};

struct InputGradient : torch::autograd::Function<InputGradient> {
  static Tensor forward(AutogradContext* ctx, const Tensor& gy, const Tensor& w,
                        const Geometry& g) {
    save(ctx, gy, w, g);
    return input_gradient(gy, w, g);
  }
  static variable_list backward(AutogradContext* ctx, variable_list grad) {
    const auto saved = ctx->get_saved_variables();
    const auto g = saved_geometry(ctx);
    return factors(
        ctx, [&] { return apply_convolve(grad[0], saved[1], g); },
        [&] { return apply_weight_gradient(grad[0], saved[0], g); });
  }
};

struct WeightGradient : torch::autograd::Function<WeightGradient> {
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor& gy,
                        const Geometry& g) {
    save(ctx, x, gy, g);
    return weight_gradient(x, gy, g);
  }
  static variable_list backward(AutogradContext* ctx, variable_list grad) {
    const auto saved = ctx->get_saved_variables();
    const auto g = saved_geometry(ctx);
    return factors(
        ctx, [&] { return apply_input_gradient(saved[1], grad[0], g); },
        [&] { return apply_convolve(saved[0], grad[0], g); });
  }
};

Tensor apply_convolve(const Tensor& x, const Tensor& w, const Geometry& g) {
  return Convolve::apply(x, w, g);
}
Tensor apply_input_gradient(const Tensor& gy, const Tensor& w,
                            const Geometry& g) {
  return InputGradient::apply(gy, w, g);
}
Tensor apply_weight_gradient(const Tensor& x, const Tensor& gy,
                             const Geometry& g) {
  return WeightGradient::apply(x, gy, g);
}

}  // namespace

Tensor conv(const Tensor& x, const Tensor& w, int64_t stride) {
  if (x.dim() != 5 || w.dim() != 5 || w.size(2) != x.size(2) ||
      w.size(3) != w.size(4) || w.size(3) % 2 != 1 ||
      (w.size(0) != 1 && w.size(0) != x.size(1)) ||
      w.scalar_type() != x.scalar_type())
    throw Error(concat("conv: images ", x.sizes(), " and weights ", w.sizes(),
                       "; expected (n, T, in, H, W) and (T or 1, out, in, k, "
                       "k), k odd, of one type"));
  if (stride != 1 && stride != 2)
    throw Error(concat("conv: stride ", stride, "; expected 1 or 2"));
  if (x.numel() == 0)
    throw Error(
        concat("conv: images ", x.sizes(), "; expected at least one of each"));
  return Convolve::apply(
      x, w,
      Geometry{x.size(0), x.size(1), x.size(2), w.size(1), x.size(3), x.size(4),
               stride, w.size(3), w.size(0) == 1});
}

}  // namespace protean::ops
