#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/relu.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include "protean/core/error.h"
#include "protean/models/ops/ops.h"

#include "models/ops/mlp_kernels.h"

namespace protean::ops {

namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using Tensors = std::vector<Tensor>;

// Wider layers are served better by blocked matrix products.
constexpr int64_t kWidest = 128;

// All parameters of a network in one list: weights, then biases.
kernels::MlpShape shape_of(const Tensor& x, const Tensors& p) {
  kernels::MlpShape s{x.size(0), x.size(1), {x.size(2)}};
  for (size_t l = 0; l < p.size() / 2; ++l) s.width.push_back(p[l].size(1));
  return s;
}

template <typename F>
void with_type(const Tensor& x, F f) {
  if (x.scalar_type() == at::kFloat)
    f(float());
  else
    f(double());
}

// Tensors as the kernels read them: each task's part contiguous. Holds what had
// to be copied.
class Arguments {
 public:
  template <typename T>
  kernels::PerTask<const T> of(const Tensor& t) {
    if (!t.defined()) return {};
    const bool usable =
        t.numel() == 0 || t.size(0) == 0 || t.select(0, 0).is_contiguous();
    kept_.push_back(usable ? t : t.contiguous());
    return {kept_.back().const_data_ptr<T>(), kept_.back().stride(0)};
  }
  template <typename T>
  kernels::MlpParameters<T> of(const Tensor* list, size_t layers) {
    kernels::MlpParameters<T> p;
    for (size_t l = 0; l < layers; ++l) {
      p.w.push_back(of<T>(list[l]));
      p.b.push_back(of<T>(list[layers + l]));
    }
    return p;
  }

 private:
  Tensors kept_;
};

// New tensors with the shapes of parameters.
template <typename T>
kernels::MlpGradients<T> gradients(const Tensors& like, Tensors& out) {
  kernels::MlpGradients<T> g;
  const size_t layers = like.size() / 2;
  for (size_t i = 0; i < like.size(); ++i) {
    out.push_back(at::empty(like[i].sizes(), like[i].options()));
    (i < layers ? g.w : g.b)
        .push_back({out.back().data_ptr<T>(), out.back().stride(0)});
  }
  return g;
}

Tensor plain(const Tensor& x, const Tensors& p) {
  const auto middle = p.begin() + p.size() / 2;
  return reference::relu_mlp(x, {p.begin(), middle}, {middle, p.end()});
}

// (gy, x, parameters) -> (to parameters, to x when asked for).
struct Backward : torch::autograd::Function<Backward> {
  static variable_list forward(AutogradContext* ctx, const Tensor& gy,
                               const Tensor& x, at::TensorList list,
                               const Tensor& hidden, bool to_x) {
    const Tensors p = list.vec();
    const auto s = shape_of(x, p);
    Tensors out;
    Tensor deltas;
    with_type(x, [&](auto type) {
      using T = decltype(type);
      deltas = at::empty({s.tasks, kernels::mlp_delta_size<T>(s)}, x.options());
      const auto g = gradients<T>(p, out);
      if (to_x) out.push_back(at::empty(x.sizes(), x.options()));
      Arguments keep;
      auto gyc = gy.contiguous();
      kernels::mlp_backward<T>(
          s, keep.of<T>(x), keep.of<T>(p.data(), s.layers()),
          hidden.const_data_ptr<T>(), gyc.const_data_ptr<T>(),
          deltas.data_ptr<T>(), g, to_x ? out.back().data_ptr<T>() : nullptr);
    });
    variable_list saved{gy, x, hidden, deltas};
    saved.insert(saved.end(), p.begin(), p.end());
    ctx->save_for_backward(std::move(saved));
    ctx->set_materialize_grads(false);
    return out;
  }

  static variable_list backward(AutogradContext* ctx, variable_list u) {
    const auto saved = ctx->get_saved_variables();
    const auto &gy = saved[0], &x = saved[1], &hidden = saved[2],
               &deltas = saved[3];
    const Tensors p(saved.begin() + 4, saved.end());
    // Third derivatives are rare enough for the plain network's own.
    if (at::GradMode::is_enabled()) return third_order(gy, x, p, u);
    const auto s = shape_of(x, p);
    const bool need_x = ctx->needs_input_grad(1);
    Tensors to;
    Tensor to_gy, to_x;
    with_type(x, [&](auto type) {
      using T = decltype(type);
      Arguments keep;
      to_gy = at::empty(gy.sizes(), gy.options());
      if (need_x) to_x = at::empty(x.sizes(), x.options());
      const auto g = gradients<T>(p, to);
      Tensor v;
      if (u.size() > p.size() && u.back().defined()) v = u.back().contiguous();
      kernels::mlp_double_backward<T>(
          s, keep.of<T>(x), keep.of<T>(p.data(), s.layers()),
          hidden.const_data_ptr<T>(), deltas.const_data_ptr<T>(),
          keep.of<T>(u.data(), s.layers()),
          v.defined() ? v.const_data_ptr<T>() : nullptr, to_gy.data_ptr<T>(), g,
          need_x ? to_x.data_ptr<T>() : nullptr);
    });
    variable_list out{to_gy, to_x};
    out.insert(out.end(), to.begin(), to.end());
    out.insert(out.end(), 2, Tensor());
    return out;
  }

  static variable_list third_order(const Tensor& gy, const Tensor& x,
                                   const Tensors& p, const variable_list& u) {
    // Views, so that paths between the arguments themselves stay outside.
    auto own = [](const Tensor& t) {
      return t.requires_grad() ? t.view_as(t) : t.detach().requires_grad_();
    };
    const auto g = own(gy), z = own(x);
    Tensors q, inputs{g, z};
    for (const auto& t : p) q.push_back(own(t));
    inputs.insert(inputs.end(), q.begin(), q.end());
    auto of = q;
    of.push_back(z);
    auto first = torch::autograd::grad({plain(z, q)}, of, {g}, true, true);
    Tensors used, cotangents;
    for (size_t i = 0; i < u.size(); ++i)
      if (u[i].defined()) {
        used.push_back(first[i]);
        cotangents.push_back(u[i]);
      }
    auto out =
        torch::autograd::grad(used, inputs, cotangents, true, true, true);
    out.insert(out.end(), 2, Tensor());
    return out;
  }
};

struct Forward : torch::autograd::Function<Forward> {
  static Tensor forward(AutogradContext* ctx, const Tensor& x,
                        at::TensorList list) {
    const Tensors p = list.vec();
    const auto s = shape_of(x, p);
    Tensor hidden, y = at::empty({s.tasks, s.n, s.width.back()}, x.options());
    with_type(x, [&](auto type) {
      using T = decltype(type);
      hidden =
          at::empty({s.tasks, kernels::mlp_hidden_size<T>(s)}, x.options());
      Arguments keep;
      kernels::mlp_forward<T>(s, keep.of<T>(x),
                              keep.of<T>(p.data(), s.layers()),
                              hidden.data_ptr<T>(), y.data_ptr<T>());
    });
    variable_list saved{x, hidden};
    saved.insert(saved.end(), p.begin(), p.end());
    ctx->save_for_backward(std::move(saved));
    return y;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grad) {
    const auto saved = ctx->get_saved_variables();
    const Tensors p(saved.begin() + 2, saved.end());
    const bool to_x = ctx->needs_input_grad(0);
    auto g =
        Backward::apply(grad[0], saved[0], at::TensorList(p), saved[1], to_x);
    variable_list out{to_x ? g.back() : Tensor()};
    out.insert(out.end(), g.begin(), g.begin() + p.size());
    return out;
  }
};

// What a loss is on; needs no gradient. share: (T, n), what each example
// counts; undefined: all the same.
struct Examples {
  Tensor x, y, share;
  double each() const {
    return 1.0 / static_cast<double>(y.size(1) * y.size(2));
  }
};

template <typename T>
kernels::MlpTargets<T> targets_of(const Examples& e, Arguments& keep) {
  kernels::MlpTargets<T> targets;
  targets.y = keep.of<T>(e.y);
  targets.share = keep.of<T>(e.share);  // absent when undefined
  targets.each = static_cast<T>(e.each());
  return targets;
}

// A view, so that paths between the arguments themselves stay outside.
Tensor own_view(const Tensor& t) {
  return t.requires_grad() ? t.view_as(t) : t.detach().requires_grad_();
}

Tensor squared_error(const Examples& e, const Tensors& p) {
  auto squares = (plain(e.x, p) - e.y).square();
  squares =
      e.share.defined() ? squares * e.share.unsqueeze(-1) : squares * e.each();
  return squares.sum({1, 2});
}

// The cotangent that sum() gives: one 1 for all tasks.
bool sum_of_losses(const Tensor& u) {
  return u.stride(0) == 0 && u.is_cpu() &&
         (u.scalar_type() == at::kFloat ? *u.const_data_ptr<float>()
                                        : *u.const_data_ptr<double>()) == 1;
}

// Parameters -> loss per task.
struct Loss : torch::autograd::Function<Loss> {
  static Tensor forward(AutogradContext* ctx, at::TensorList list,
                        const Examples& e) {
    const Tensors p = list.vec();
    const auto s = shape_of(e.x, p);
    auto loss = at::empty({s.tasks}, e.x.options());
    Tensors g;
    with_type(e.x, [&](auto type) {
      using T = decltype(type);
      Arguments keep;
      kernels::mlp_squared_error<T>(s, keep.of<T>(e.x), targets_of<T>(e, keep),
                                    keep.of<T>(p.data(), s.layers()),
                                    loss.data_ptr<T>(), gradients<T>(p, g));
    });
    variable_list saved{e.x, e.y, e.share};
    saved.insert(saved.end(), p.begin(), p.end());
    saved.insert(saved.end(), g.begin(), g.end());
    ctx->save_for_backward(std::move(saved));
    return loss;
  }

  static variable_list backward(AutogradContext* ctx, variable_list u) {
    const auto saved = ctx->get_saved_variables();
    const auto begin = saved.begin() + 3;
    const auto middle = begin + (saved.size() - 3) / 2;
    Tensors to;
    if (at::GradMode::is_enabled()) {
      const Examples e{saved[0], saved[1], saved[2]};
      Tensors q;
      for (auto i = begin; i != middle; ++i) q.push_back(own_view(*i));
      to = torch::autograd::grad({squared_error(e, q)}, q, u, true, true);
    } else if (sum_of_losses(u[0])) {
      to.assign(middle, saved.end());
    } else {
      for (auto g = middle; g != saved.end(); ++g) {
        std::vector<int64_t> per_task(g->dim(), 1);
        per_task[0] = -1;
        to.push_back(*g * u[0].view(per_task));
      }
    }
    to.emplace_back();
    return to;
  }
};

// Parameters -> parameters after the step.
struct Descent : torch::autograd::Function<Descent> {
  static variable_list forward(AutogradContext* ctx, at::TensorList list,
                               const Examples& e, double lr) {
    const Tensors p = list.vec();
    const auto s = shape_of(e.x, p);
    Tensors out;
    Tensor hidden, deltas;
    with_type(e.x, [&](auto type) {
      using T = decltype(type);
      const auto options = e.x.options();
      hidden = at::empty({s.tasks, kernels::mlp_hidden_size<T>(s)}, options);
      deltas = at::empty({s.tasks, kernels::mlp_delta_size<T>(s)}, options);
      Arguments keep;
      kernels::mlp_descent<T>(s, keep.of<T>(e.x), targets_of<T>(e, keep),
                              keep.of<T>(p.data(), s.layers()), lr,
                              hidden.data_ptr<T>(), deltas.data_ptr<T>(),
                              gradients<T>(p, out));
    });
    variable_list saved{e.x, e.y, e.share, hidden, deltas};
    saved.insert(saved.end(), p.begin(), p.end());
    ctx->save_for_backward(std::move(saved));
    ctx->saved_data["lr"] = lr;
    return out;
  }

  static variable_list backward(AutogradContext* ctx, variable_list u) {
    const auto saved = ctx->get_saved_variables();
    const Examples e{saved[0], saved[1], saved[2]};
    const auto &hidden = saved[3], &deltas = saved[4];
    const Tensors p(saved.begin() + 5, saved.end());
    const double lr = ctx->saved_data["lr"].toDouble();
    Tensors to = at::GradMode::is_enabled()
                     ? further_order(e, p, lr, u)
                     : fused_backward(e, p, lr, hidden, deltas, u);
    to.insert(to.end(), 2, Tensor());
    return to;
  }

  static Tensors fused_backward(const Examples& e, const Tensors& p, double lr,
                                const Tensor& hidden, const Tensor& deltas,
                                const variable_list& u) {
    const auto s = shape_of(e.x, p);
    Tensors to;
    with_type(e.x, [&](auto type) {
      using T = decltype(type);
      Arguments keep;
      kernels::mlp_descent_backward<T>(
          s, keep.of<T>(e.x), targets_of<T>(e, keep),
          keep.of<T>(p.data(), s.layers()), lr, hidden.const_data_ptr<T>(),
          deltas.const_data_ptr<T>(), keep.of<T>(u.data(), s.layers()),
          gradients<T>(p, to));
    });
    return to;
  }

  static Tensors further_order(const Examples& e, const Tensors& p, double lr,
                               const variable_list& u) {
    Tensors q;
    for (const auto& t : p) q.push_back(own_view(t));
    auto stepped =
        torch::autograd::grad({squared_error(e, q).sum()}, q, {}, true, true);
    for (size_t i = 0; i < q.size(); ++i) stepped[i] = q[i] - lr * stepped[i];
    return torch::autograd::grad(stepped, q, u, true, true);
  }
};

Tensors joined(const Tensors& weights, const Tensors& biases) {
  Tensors p = weights;
  p.insert(p.end(), biases.begin(), biases.end());
  return p;
}

void expand(Tensors& p, int64_t tasks) {
  for (auto& t : p)
    if (t.size(0) != tasks) {
      auto sizes = t.sizes().vec();
      sizes[0] = tasks;
      t = t.expand(sizes);
    }
}

bool fixed_examples(const Tensor& x, const Tensor& y) {
  return !x.requires_grad() && !y.requires_grad() &&
         y.scalar_type() == x.scalar_type() && y.is_cpu();
}

Examples examples(const Tensor& x, const Tensor& y, const Tensor& weight) {
  if (!weight.defined()) return {x, y, {}};
  auto w = weight.detach().to(x.scalar_type());
  return {x, y, w / (w.sum(1, true) * y.size(2))};
}

bool fused(const Tensor& x, const Tensors& p) {
  if (!x.is_cpu() || x.size(2) > kWidest ||
      (x.scalar_type() != at::kFloat && x.scalar_type() != at::kDouble))
    return false;
  for (const auto& t : p)
    if (t.size(1) > kWidest || !t.is_cpu() ||
        t.scalar_type() != x.scalar_type())
      return false;
  return true;
}

void check(const Tensor& x, const Tensors& weights, const Tensors& biases) {
  if (x.dim() != 3 || x.numel() == 0)
    throw Error(concat("relu_mlp: inputs ", x.sizes(),
                       "; expected (T, n, in), at least one of each"));
  if (weights.empty() || weights.size() != biases.size())
    throw Error(concat("relu_mlp: ", weights.size(), " weights and ",
                       biases.size(), " biases; expected one of each a layer"));
  int64_t in = x.size(2);
  for (size_t l = 0; l < weights.size(); ++l) {
    const auto &w = weights[l], &b = biases[l];
    auto tasks_fit = [&](const Tensor& t) {
      return t.size(0) == 1 || t.size(0) == x.size(0);
    };
    if (w.dim() != 3 || b.dim() != 2 || w.size(2) != in ||
        w.size(1) != b.size(1) || !tasks_fit(w) || !tasks_fit(b))
      throw Error(concat("relu_mlp: layer ", l, " has weights ", w.sizes(),
                         " and bias ", b.sizes(), " for ", x.size(0),
                         " tasks of width ", in,
                         "; expected (T or 1, out, in) and (T or 1, out)"));
    in = w.size(1);
  }
}

void check(const char* op, const Tensor& x, const Tensor& y,
           const Tensor& weight, const Tensors& weights,
           const Tensors& biases) {
  check(x, weights, biases);
  const std::vector<int64_t> outputs{x.size(0), x.size(1),
                                     weights.back().size(1)};
  if (y.sizes() != at::IntArrayRef(outputs) ||
      (weight.defined() &&
       weight.sizes() != at::IntArrayRef(outputs).slice(0, 2)))
    throw Error(concat(op, ": targets ", y.sizes(), ", weights ",
                       weight.defined() ? weight.sizes() : at::IntArrayRef(),
                       "; expected ", at::IntArrayRef(outputs), " and (T, n)"));
}

}  // namespace

Tensor relu_mlp(const Tensor& x, const Tensors& weights,
                const Tensors& biases) {
  check(x, weights, biases);
  Tensors p = joined(weights, biases);
  if (!fused(x, p)) {
    auto y = ops::linear(x, weights[0], biases[0]);
    for (size_t l = 1; l < weights.size(); ++l)
      y = ops::linear(at::relu(y), weights[l], biases[l]);
    return y;
  }
  const bool shared = std::all_of(p.begin(), p.end(),
                                  [](const auto& t) { return t.size(0) == 1; });
  // One network for all tasks: their examples become those of one task.
  if (shared)
    return Forward::apply(x.reshape({1, -1, x.size(2)}), at::TensorList(p))
        .view({x.size(0), x.size(1), weights.back().size(1)});
  expand(p, x.size(0));
  return Forward::apply(x, at::TensorList(p));
}

Tensor relu_mlp_squared_error(const Tensor& x, const Tensor& y,
                              const Tensor& weight, const Tensors& weights,
                              const Tensors& biases) {
  Tensors p = joined(weights, biases);
  check("relu_mlp_squared_error", x, y, weight, weights, biases);
  if (!fixed_examples(x, y) || !fused(x, p))
    return mean_squared_error(relu_mlp(x, weights, biases), y, weight);
  expand(p, x.size(0));
  return Loss::apply(at::TensorList(p), examples(x, y, weight));
}

Tensors relu_mlp_descent(const Tensor& x, const Tensor& y, const Tensor& weight,
                         const Tensors& weights, const Tensors& biases,
                         double lr) {
  Tensors p = joined(weights, biases);
  check("relu_mlp_descent", x, y, weight, weights, biases);
  if (!fixed_examples(x, y) || !fused(x, p))
    return reference::relu_mlp_descent(x, y, weight, weights, biases, lr);
  expand(p, x.size(0));
  return Descent::apply(at::TensorList(p), examples(x, y, weight), lr);
}

}  // namespace protean::ops
