#include "learners/conjugate_gradient.h"

#include <limits>

#include <ATen/ATen.h>

namespace protean {
namespace {

at::Tensor row_products(const at::Tensor& a, const at::Tensor& b) {
  return (a * b).sum(1, true);
}

}  // namespace

at::Tensor conjugate_gradient(
    const std::function<at::Tensor(const at::Tensor& rows)>& product,
    const at::Tensor& b, int steps) {
  auto x = at::zeros_like(b), r = b, p = b;
  auto rr = row_products(r, r);
  const double precision = b.scalar_type() == at::kDouble
                               ? std::numeric_limits<double>::epsilon()
                               : std::numeric_limits<float>::epsilon();
  const auto enough = precision * precision * rr;
  auto goes_on = at::ones_like(rr, at::kBool);
  for (int k = 0; k < steps; ++k) {
    const auto ap = product(p);
    const auto curvature = row_products(p, ap);
    const auto upwards = curvature > precision * row_products(p, p);
    if (k == 0) x = at::where(upwards, x, b);
    goes_on = goes_on & (rr > enough) & upwards;
    const auto size = at::where(goes_on, rr / curvature, at::zeros_like(rr));
    x = x + size * p;
    r = r - size * ap;
    const auto next = row_products(r, r);
    p = r + at::where(goes_on, next / rr, at::zeros_like(rr)) * p;
    rr = next;
  }
  return x;
}

}  // namespace protean
