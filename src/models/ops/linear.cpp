#include <ATen/ops/addmm.h>
#include <ATen/ops/baddbmm.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/mm.h>

#include "protean/core/error.h"
#include "protean/models/ops/ops.h"

namespace protean::ops {

namespace {

bool fits(const at::Tensor& p, int64_t dim, int64_t tasks) {
  return p.dim() == dim && (p.size(0) == 1 || p.size(0) == tasks);
}

}  // namespace

at::Tensor linear(const at::Tensor& x, const at::Tensor& w,
                  const at::Tensor& b) {
  if (x.dim() != 3 || !fits(w, 3, x.size(0)) || w.size(2) != x.size(2) ||
      (b.defined() && (!fits(b, 2, x.size(0)) || b.size(1) != w.size(1))))
    throw Error(concat("linear: features ", x.sizes(), ", weights ", w.sizes(),
                       ", bias ", b.defined() ? b.sizes() : at::IntArrayRef(),
                       "; expected (T, n, in), (T or 1, out, in), (T or 1, "
                       "out)"));
  // Shared weights: one product over the examples of all tasks.
  if (w.size(0) == 1 && (!b.defined() || b.size(0) == 1)) {
    auto rows = x.reshape({-1, x.size(2)}), wt = w.squeeze(0).t();
    auto y = b.defined() ? at::addmm(b.squeeze(0), rows, wt) : at::mm(rows, wt);
    return y.view({x.size(0), x.size(1), w.size(1)});
  }
  auto wt = w.expand({x.size(0), -1, -1}).transpose(1, 2);
  return b.defined() ? at::baddbmm(b.unsqueeze(1), x, wt) : at::bmm(x, wt);
}

}  // namespace protean::ops
