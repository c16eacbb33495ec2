#include "learners/recomputed.h"

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

namespace protean {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct Kept : torch::CustomClassHolder {
  explicit Kept(TensorFunction function) : f(std::move(function)) {}
  TensorFunction f;
};

// Leaves of a graph of their own.
Params leaves(const variable_list& inputs) {
  Params out;
  for (const auto& t : inputs)
    out.push_back(t.detach().requires_grad_(t.requires_grad()));
  return out;
}

struct Recomputed : torch::autograd::Function<Recomputed> {
  static variable_list forward(AutogradContext* ctx, at::TensorList list,
                               TensorFunction f) {
    const auto inputs = list.vec();
    ctx->save_for_backward(inputs);
    Params out;
    {
      // The same path as later, so that the bits are the same.
      const at::AutoGradMode grad(true);
      out = f(leaves(inputs));
    }
    for (auto& t : out) t = t.detach();
    ctx->saved_data["f"] =
        c10::IValue::make_capsule(c10::make_intrusive<Kept>(std::move(f)));
    return out;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grad) {
    const auto inputs = leaves(ctx->get_saved_variables());
    const auto kept = c10::static_intrusive_pointer_cast<Kept>(
        ctx->saved_data["f"].toCapsule());
    variable_list roots, seeds, wanted;
    const at::AutoGradMode mode(true);
    const auto out = kept->f(inputs);
    for (size_t i = 0; i < out.size(); ++i)
      if (grad[i].defined() && out[i].requires_grad()) {
        roots.push_back(out[i]);
        seeds.push_back(grad[i]);
      }
    for (const auto& t : inputs)
      if (t.requires_grad()) wanted.push_back(t);
    auto found =
        torch::autograd::grad(roots, wanted, seeds, false, false, true);
    variable_list result;  // and none for the function
    size_t next = 0;
    for (const auto& t : inputs)
      result.push_back(t.requires_grad() ? found[next++] : at::Tensor());
    result.emplace_back();
    return result;
  }
};

}  // namespace

Params recomputed(TensorFunction f, const Params& inputs) {
  return Recomputed::apply(at::TensorList(inputs), std::move(f));
}

}  // namespace protean
