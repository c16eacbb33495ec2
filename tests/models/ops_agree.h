// Whether two versions of an op agree in values and derivatives.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

namespace protean::test {

using Tensors = std::vector<at::Tensor>;
using Op = std::function<Tensors(const Tensors&)>;

// Everything that differentiating an op twice gives: the values; for random
// cotangents c of the values their products with the Jacobian; for random
// cotangents of those, the gradients to every input and to c. Cotangents depend
// on the shapes alone, so two versions of one op see the same.
struct Derivatives {
  Tensors values, first, second;
};

inline Tensors defined_only(const Tensors& all) {
  Tensors out;
  for (const auto& t : all)
    if (t.defined()) out.push_back(t);
  return out;
}

inline Tensors cotangents(const Tensors& like, uint64_t seed) {
  at::manual_seed(seed);
  Tensors out;
  for (const auto& t : like)
    out.push_back(
        at::randn(t.sizes(), t.options().dtype(at::kDouble)).to(t.dtype()));
  return out;
}

// inputs: those that need a gradient require it. A missing gradient counts as
// zeros.
inline Derivatives differentiate(const Op& op, const Tensors& inputs) {
  Tensors leaves, all;
  for (const auto& t : inputs) {
    all.push_back(t.defined() && t.is_floating_point()
                      ? t.detach().requires_grad_(t.requires_grad())
                      : t);
    if (t.defined() && t.requires_grad()) leaves.push_back(all.back());
  }
  auto filled = [](Tensors g, const Tensors& like) {
    for (size_t i = 0; i < g.size(); ++i)
      if (!g[i].defined()) g[i] = at::zeros_like(like[i]);
    return g;
  };
  Derivatives d;
  d.values = op(all);
  auto c = cotangents(d.values, 11);
  for (auto& t : c) t.requires_grad_();
  d.first = filled(torch::autograd::grad(d.values, leaves, c, true, true, true),
                   leaves);
  Tensors grown, grown_v;
  auto v = cotangents(d.first, 12);
  for (size_t i = 0; i < v.size(); ++i)
    if (d.first[i].requires_grad()) {
      grown.push_back(d.first[i]);
      grown_v.push_back(v[i]);
    }
  auto to = leaves;
  to.insert(to.end(), c.begin(), c.end());
  d.second =
      filled(torch::autograd::grad(grown, to, grown_v, true, false, true), to);
  return d;
}

// max |a - b| / max |b|; infinite when shapes differ or values are not finite.
inline double relative_error(const at::Tensor& a, const at::Tensor& b) {
  if (a.sizes() != b.sizes()) return INFINITY;
  auto x = a.detach().to(at::kDouble), y = b.detach().to(at::kDouble);
  if (x.numel() == 0) return 0;
  const double e = (x - y).abs().max().item<double>();
  if (!std::isfinite(e)) return INFINITY;
  return e / (y.abs().max().item<double>() + 1e-300);
}

inline double relative_error(const Tensors& a, const Tensors& b) {
  if (a.size() != b.size()) return INFINITY;
  double worst = 0;
  // Gradients that are zero but for rounding are held against the largest.
  double scale = 0;
  for (const auto& t : b)
    if (t.numel())
      scale = std::max(scale, t.detach().abs().max().item<double>());
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i].sizes() != b[i].sizes()) return INFINITY;
    if (b[i].numel() == 0) continue;
    const double own = b[i].detach().abs().max().item<double>();
    const double e = relative_error(a[i], b[i]) * (own + 1e-300);
    worst = std::max(worst, e / std::max(own, 1e-3 * scale));
  }
  return worst;
}

struct Errors {
  double values, first, second;
  double worst() const { return std::max({values, first, second}); }
};

inline Errors errors(const Derivatives& a, const Derivatives& b) {
  return {relative_error(a.values, b.values), relative_error(a.first, b.first),
          relative_error(a.second, b.second)};
}

inline Errors disagreement(const Op& fast, const Op& plain,
                           const Tensors& inputs) {
  return errors(differentiate(fast, inputs), differentiate(plain, inputs));
}

// The same op in float against double.
inline Errors rounding(const Op& op, const Op& plain, const Tensors& inputs) {
  auto narrow = inputs;
  for (auto& t : narrow)
    if (t.defined() && t.is_floating_point())
      t = t.detach().to(at::kFloat).requires_grad_(t.requires_grad());
  return errors(differentiate(op, narrow), differentiate(plain, inputs));
}

// Central differences of f along random directions against its first
// derivatives: the largest relative difference.
inline double central_difference_error(const Op& op, const Tensors& inputs) {
  auto d = differentiate(op, inputs);
  auto c = cotangents(d.values, 11);
  Tensors leaves;
  for (const auto& t : inputs)
    if (t.defined() && t.requires_grad()) leaves.push_back(t);
  auto v = cotangents(leaves, 13);
  const double h = 1e-6;
  auto value = [&](double step) {
    at::NoGradGuard no_grad;
    Tensors moved;
    size_t leaf = 0;
    for (const auto& t : inputs)
      moved.push_back(
          t.defined() && t.requires_grad() ? t.detach() + step * v[leaf++] : t);
    auto out = op(moved);
    double sum = 0;
    for (size_t i = 0; i < out.size(); ++i)
      sum += (out[i] * c[i]).sum().item<double>();
    return sum;
  };
  double want = 0;
  for (size_t i = 0; i < v.size(); ++i)
    want += (d.first[i] * v[i]).sum().item<double>();
  const double got = (value(h) - value(-h)) / (2 * h);
  return std::abs(got - want) / (std::abs(want) + 1e-300);
}

}  // namespace protean::test
