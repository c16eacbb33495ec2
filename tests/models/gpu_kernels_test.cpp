// The GPU kernels' text, run on the CPU against the plain op up to second
// derivatives, and compiled by NVRTC for every architecture that we name.
#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include "protean/models/ops/ops.h"

#include "models/gpu_emulation.h"
#include "support/catch.h"
#include "support/toy_tasks.h"

namespace protean {
namespace {

using at::Tensor;

struct Case {
  int64_t n, tasks, channels, height, width;
  bool pool, weighted;
};

// What all three kernels make of one set of arguments.
struct Made {
  Tensor y, mean, variance, gx, to_gamma, to_beta;  // forward, backward
  Tensor second_gy, second_x, second_gamma;         // double backward
};

constexpr double kEps = 1e-3;

struct Arguments {
  Tensor x, gamma, beta, weight, gy, v, u_gamma, u_beta;
};

Arguments arguments(const Case& c) {
  const int64_t d = c.pool ? 2 : 1;
  const auto images = {c.n, c.tasks, c.channels, c.height, c.width};
  const auto groups = {c.tasks, c.channels};
  Arguments a;
  a.x = noise(images, 1, at::kDouble);
  a.gamma = noise(groups, 2, at::kDouble);  // of both signs
  a.beta = noise(groups, 3, at::kDouble) * 0.3;
  if (c.weighted) {
    a.weight = noise({c.tasks, c.n}, 4, at::kDouble).abs() + 0.1;
    a.weight.select(1, 0).zero_();  // padding
  }
  a.gy = noise({c.n, c.tasks, c.channels, c.height / d, c.width / d}, 5,
               at::kDouble);
  a.v = noise(images, 6, at::kDouble);
  a.u_gamma = noise(groups, 7, at::kDouble);
  a.u_beta = noise(groups, 8, at::kDouble);
  return a;
}

template <typename Real>
Made emulated(const Case& c, const Arguments& in) {
  const auto type = sizeof(Real) == 4 ? at::kFloat : at::kDouble;
  const auto own = [&](const Tensor& t) { return t.to(type).contiguous(); };
  const auto x = own(in.x), gamma = own(in.gamma), beta = own(in.beta),
             gy = own(in.gy), v = own(in.v), u_gamma = own(in.u_gamma),
             u_beta = own(in.u_beta);
  const auto weight = in.weight.defined() ? own(in.weight) : Tensor();
  const protean_gpu::Shape s{static_cast<int>(c.n),
                             static_cast<int>(c.tasks),
                             static_cast<int>(c.channels),
                             static_cast<int>(c.height),
                             static_cast<int>(c.width),
                             c.pool,
                             1};
  // Every value must be written: what is not stays NaN.
  const auto blank = [](const Tensor& like) {
    return at::full_like(like, std::nan(""));
  };
  Made m{blank(gy),    blank(gamma), blank(gamma), blank(x),    blank(gamma),
         blank(gamma), blank(gy),    blank(x),     blank(gamma)};
  auto r = blank(gamma);
  Tensor choice = at::full(gy.sizes(), 255, at::kByte);
  const auto p = [](const Tensor& t) {
    return t.defined() ? t.data_ptr<Real>() : nullptr;
  };
  for (int group = 0; group < s.tasks * s.channels; ++group)
    protean_gpu::forward<Real>(
        s, group, p(x), p(gamma), p(beta), p(weight), static_cast<Real>(kEps),
        p(m.mean), p(r), p(m.variance), choice.data_ptr<uint8_t>(), p(m.y));
  for (int group = 0; group < s.tasks * s.channels; ++group)
    protean_gpu::backward<Real>(s, group, p(x), p(gamma), p(weight), p(m.mean),
                                p(r), choice.data_ptr<uint8_t>(), p(gy),
                                p(m.gx), p(m.to_beta), p(m.to_gamma));
  for (int group = 0; group < s.tasks * s.channels; ++group)
    protean_gpu::double_backward<Real>(
        s, group, p(x), p(gamma), p(weight), p(m.mean), p(r),
        choice.data_ptr<uint8_t>(), p(gy), p(m.to_beta), p(m.to_gamma), p(v),
        p(u_gamma), p(u_beta), p(m.second_gy), p(m.second_x),
        p(m.second_gamma));
  return m;
}

Made plain(const Case& c, const Arguments& in) {
  using torch::autograd::grad;
  const auto leaf = [](const Tensor& t) {
    return t.detach().clone().requires_grad_();
  };
  const auto x = leaf(in.x), gamma = leaf(in.gamma), beta = leaf(in.beta),
             gy = leaf(in.gy);
  const auto out = ops::reference::norm_relu_pool(
      x, gamma, beta, kEps, c.pool ? ops::Pool::max2 : ops::Pool::none,
      in.weight);
  const auto first = grad({out.y}, {x, gamma, beta}, {gy}, true, true);
  const auto second =
      grad({(first[0] * in.v).sum() + (first[1] * in.u_gamma).sum() +
            (first[2] * in.u_beta).sum()},
           {gy, x, gamma});
  return {out.y.detach(),    out.mean.detach(), out.variance.detach(),
          first[0].detach(), first[1].detach(), first[2].detach(),
          second[0],         second[1],         second[2]};
}

void check_close(const char* what, const Tensor& got, const Tensor& want,
                 double tolerance) {
  INFO(what);
  REQUIRE(got.sizes() == want.sizes());
  const double apart = (got.to(at::kDouble) - want).abs().max().item<double>();
  const double size = want.abs().max().item<double>();
  CHECK(apart <= tolerance * std::max(size, 1.0));
}

template <typename Real>
void check_kernels(const Case& c, double tolerance) {
  const auto in = arguments(c);
  const auto got = emulated<Real>(c, in);
  const auto want = plain(c, in);
  check_close("y", got.y, want.y, tolerance);
  check_close("mean", got.mean, want.mean, tolerance);
  check_close("variance", got.variance, want.variance, tolerance);
  check_close("gx", got.gx, want.gx, tolerance);
  check_close("to gamma", got.to_gamma, want.to_gamma, tolerance);
  check_close("to beta", got.to_beta, want.to_beta, tolerance);
  check_close("second, to gy", got.second_gy, want.second_gy, tolerance);
  check_close("second, to x", got.second_x, want.second_x, tolerance);
  check_close("second, to gamma", got.second_gamma, want.second_gamma,
              tolerance);
}

TEST_CASE("GPU kernels of norm, ReLU and pooling are the plain op",
          "[models][gpu_kernels]") {
  // Odd sides, one pixel, fewer and more elements than threads.
  const auto c = GENERATE(
      Case{3, 2, 4, 5, 7, true, false}, Case{3, 2, 4, 5, 7, false, false},
      Case{5, 3, 2, 28, 28, true, true}, Case{4, 1, 3, 6, 6, false, true},
      Case{6, 2, 1, 1, 1, false, false}, Case{2, 1, 1, 2, 2, true, false});
  check_kernels<double>(c, 1e-11);
  check_kernels<float>(c, 2e-4);
}

}  // namespace
}  // namespace protean
