#include "models/ops/mlp_kernels.h"

#include <algorithm>
#include <initializer_list>

#include "protean/models/threads.h"

#include "models/ops/mlp_passes.h"

namespace protean::ops::kernels {

template <typename T>
int64_t mlp_hidden_size(const MlpShape& s) {
  return Layout<T>{s}.at(s.layers());
}

template <typename T>
int64_t mlp_delta_size(const MlpShape& s) {
  return Layout<T>{s}.at(s.layers() + 1);
}

namespace {

// Tasks that are worth waking a thread for: it takes as long as so many
// products.
int64_t grain(const MlpShape& s) {
  constexpr int64_t kProducts = 500'000;
  int64_t products = 0;  // of one task
  for (int64_t l = 1; l <= s.layers(); ++l)
    products += s.n * s.width[l] * s.width[l - 1];
  return std::max<int64_t>(1, kProducts / std::max<int64_t>(1, products));
}

// Runs f(task, passes) for every task.
template <typename T, typename F>
void for_tasks(const MlpShape& s, F f) {
  parallel_for(s.tasks, grain(s), [&](int64_t begin, int64_t end) {
    thread_local Scratch space;
    Passes<T> passes(s, space);
    for (int64_t t = begin; t < end; ++t) f(t, passes);
  });
}

// A thing per task as one matrix each: sizes of inputs and outputs.
int64_t inputs(const MlpShape& s) { return s.n * s.width.front(); }
int64_t outputs(const MlpShape& s) { return s.n * s.width.back(); }

// to (dL, padded n) = 2 share of what f(i, c) gives.
template <typename T, typename F>
void error_slopes(const MlpShape& s, const T* share, bool one_share, F f,
                  T* to) {
  const int64_t ld = mlp_padded<T>(s.n);
  for (int64_t c = 0; c < s.width.back(); ++c, to += ld) {
    for (int64_t i = 0; i < s.n; ++i)
      to[i] = 2 * share[one_share ? 0 : i] * f(i, c);
    std::fill(to + s.n, to + ld, T(0));
  }
}

}  // namespace

template <typename T>
void mlp_forward(const MlpShape& s, PerTask<const T> x,
                 const MlpParameters<T>& p, T* hidden, T* y) {
  for_tasks<T>(s, [&](int64_t t, Passes<T>& passes) {
    passes.load(x.of(t), p, t);
    passes.forward(hidden + t * mlp_hidden_size<T>(s));
    turn_out(passes.output(), s.n, s.width.back(), y + t * outputs(s));
  });
}

template <typename T>
void mlp_backward(const MlpShape& s, PerTask<const T> x,
                  const MlpParameters<T>& p, const T* hidden, const T* gy,
                  T* deltas, const MlpGradients<T>& g, T* gx) {
  const int64_t last = Layout<T>{s}.at(s.layers());
  for_tasks<T>(s, [&](int64_t t, Passes<T>& passes) {
    T* const d = deltas + t * mlp_delta_size<T>(s);
    passes.load(x.of(t), p, t);
    turn_in(gy + t * outputs(s), s.n, s.width.back(), d + last);
    passes.backward(hidden + t * mlp_hidden_size<T>(s), d, gx != nullptr,
                    [&](int64_t l, const T* w, const T* b) {
                      store_rows(w, s.width[l], s.width[l - 1],
                                 g.w[l - 1].of(t));
                      std::copy_n(b, s.width[l], g.b[l - 1].of(t));
                    });
    if (gx) turn_out<T>(passes.delta(), s.n, s.width[0], gx + t * inputs(s));
  });
}

template <typename T>
void mlp_double_backward(const MlpShape& s, PerTask<const T> x,
                         const MlpParameters<T>& p, const T* hidden,
                         const T* deltas, const MlpParameters<T>& u, const T* v,
                         T* to_gy, const MlpGradients<T>& to, T* to_x) {
  for_tasks<T>(s, [&](int64_t t, Passes<T>& passes) {
    const T* const h = hidden + t * mlp_hidden_size<T>(s);
    passes.load(x.of(t), p, t);
    passes.tangent_forward(h, u, v ? v + t * inputs(s) : nullptr);
    turn_out(passes.output(), s.n, s.width.back(), to_gy + t * outputs(s));
    passes.tangent_backward(h, deltas + t * mlp_delta_size<T>(s),
                            /*from_last=*/false, to_x != nullptr,
                            [&](int64_t l, const T* w, const T* b) {
                              store_rows(w, s.width[l], s.width[l - 1],
                                         to.w[l - 1].of(t));
                              std::copy_n(b, s.width[l], to.b[l - 1].of(t));
                            });
    if (to_x)
      turn_out<T>(passes.delta(), s.n, s.width[0], to_x + t * inputs(s));
  });
}

template <typename T>
void mlp_squared_error(const MlpShape& s, PerTask<const T> x,
                       const MlpTargets<T>& targets, const MlpParameters<T>& p,
                       T* loss, const MlpGradients<T>& g) {
  const int64_t last = Layout<T>{s}.at(s.layers());
  const int64_t d = s.width.back(), ld = mlp_padded<T>(s.n);
  for_tasks<T>(s, [&](int64_t t, Passes<T>& passes) {
    thread_local Scratch space;
    T* const h = space.get<T>(mlp_hidden_size<T>(s) + mlp_delta_size<T>(s));
    T* const deltas = h + mlp_hidden_size<T>(s);
    passes.load(x.of(t), p, t);
    passes.forward(h);
    const T *z = passes.output(), *y = targets.y.of(t);
    T sum = 0;
    error_slopes(
        s, targets.share_of(t), targets.one_share(),
        [&](int64_t i, int64_t c) {
          const T e = z[c * ld + i] - y[i * d + c];
          sum += e * e * targets.share_of(t)[targets.one_share() ? 0 : i];
          return e;
        },
        deltas + last);
    loss[t] = sum;
    passes.backward(
        h, deltas, /*to_input=*/false, [&](int64_t l, const T* w, const T* b) {
          store_rows(w, s.width[l], s.width[l - 1], g.w[l - 1].of(t));
          std::copy_n(b, s.width[l], g.b[l - 1].of(t));
        });
  });
}

template <typename T>
void mlp_descent(const MlpShape& s, PerTask<const T> x,
                 const MlpTargets<T>& targets, const MlpParameters<T>& p,
                 double lr, T* hidden, T* deltas,
                 const MlpGradients<T>& stepped) {
  const int64_t last = Layout<T>{s}.at(s.layers());
  const int64_t d = s.width.back(), ld = mlp_padded<T>(s.n);
  for_tasks<T>(s, [&](int64_t t, Passes<T>& passes) {
    T* const h = hidden + t * mlp_hidden_size<T>(s);
    T* const deltas_t = deltas + t * mlp_delta_size<T>(s);
    passes.load(x.of(t), p, t);
    passes.forward(h);
    const T *z = passes.output(), *y = targets.y.of(t);
    error_slopes(
        s, targets.share_of(t), targets.one_share(),
        [&](int64_t i, int64_t c) { return z[c * ld + i] - y[i * d + c]; },
        deltas_t + last);
    passes.backward(h, deltas_t, /*to_input=*/false,
                    [&](int64_t l, const T* w, const T* b) {
                      const auto rate = static_cast<T>(lr);
                      store_step(w, p.w[l - 1].of(t), rate, s.width[l],
                                 s.width[l - 1], stepped.w[l - 1].of(t));
                      store_step(b, p.b[l - 1].of(t), rate, 1, s.width[l],
                                 stepped.b[l - 1].of(t));
                    });
  });
}

template <typename T>
void mlp_descent_backward(const MlpShape& s, PerTask<const T> x,
                          const MlpTargets<T>& targets,
                          const MlpParameters<T>& p, double lr, const T* hidden,
                          const T* deltas, const MlpParameters<T>& u,
                          const MlpGradients<T>& to) {
  const int64_t ld = mlp_padded<T>(s.n);
  for_tasks<T>(s, [&](int64_t t, Passes<T>& passes) {
    const T* const h = hidden + t * mlp_hidden_size<T>(s);
    passes.load(x.of(t), p, t);
    passes.tangent_forward(h, u, nullptr);
    const T* const z = passes.output();
    error_slopes(
        s, targets.share_of(t), targets.one_share(),
        [&](int64_t i, int64_t c) { return z[c * ld + i]; }, passes.delta());
    passes.tangent_backward(
        h, deltas + t * mlp_delta_size<T>(s), /*from_last=*/true,
        /*to_input=*/false, [&](int64_t l, const T* w, const T* b) {
          const auto rate = static_cast<T>(lr);
          store_step(w, u.w[l - 1].of(t), rate, s.width[l], s.width[l - 1],
                     to.w[l - 1].of(t));
          store_step(b, u.b[l - 1].of(t), rate, 1, s.width[l],
                     to.b[l - 1].of(t));
        });
  });
}

#define PROTEAN_INSTANTIATE(T)                                                 \
  template int64_t mlp_padded<T>(int64_t);                                     \
  template int64_t mlp_hidden_size<T>(const MlpShape&);                        \
  template int64_t mlp_delta_size<T>(const MlpShape&);                         \
  template void mlp_forward<T>(const MlpShape&, PerTask<const T>,              \
                               const MlpParameters<T>&, T*, T*);               \
  template void mlp_backward<T>(const MlpShape&, PerTask<const T>,             \
                                const MlpParameters<T>&, const T*, const T*,   \
                                T*, const MlpGradients<T>&, T*);               \
  template void mlp_double_backward<T>(                                        \
      const MlpShape&, PerTask<const T>, const MlpParameters<T>&, const T*,    \
      const T*, const MlpParameters<T>&, const T*, T*, const MlpGradients<T>&, \
      T*);                                                                     \
  template void mlp_squared_error<T>(                                          \
      const MlpShape&, PerTask<const T>, const MlpTargets<T>&,                 \
      const MlpParameters<T>&, T*, const MlpGradients<T>&);                    \
  template void mlp_descent<T>(const MlpShape&, PerTask<const T>,              \
                               const MlpTargets<T>&, const MlpParameters<T>&,  \
                               double, T*, T*, const MlpGradients<T>&);        \
  template void mlp_descent_backward<T>(                                       \
      const MlpShape&, PerTask<const T>, const MlpTargets<T>&,                 \
      const MlpParameters<T>&, double, const T*, const T*,                     \
      const MlpParameters<T>&, const MlpGradients<T>&);
PROTEAN_INSTANTIATE(float)
PROTEAN_INSTANTIATE(double)
#undef PROTEAN_INSTANTIATE

}  // namespace protean::ops::kernels
