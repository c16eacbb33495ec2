#include "models/ops/mlp_kernels.h"

#include <algorithm>
#include <initializer_list>

#include <ATen/Parallel.h>

#include "models/ops/conv_tiles.h"
#include "models/ops/scratch.h"

namespace protean::ops::kernels {

// Inside the kernels activations stand upright: a row per feature, a column per
// example, columns padded to whole vectors. Then every product takes a
// parameter matrix as it lies in memory, one element at a time, and nothing has
// to be packed or turned but activations, which are small.
//
// Columns beyond the examples: zero in deltas, anything in activations. They
// meet only in each other's columns, so nothing of them comes out.

template <typename T>
int64_t mlp_padded(int64_t width) {
  constexpr int L = kLanes<T>;
  return (width + L - 1) / L * L;
}

namespace {

// (rows, width) -> (width, padded rows), zero beyond the rows.
template <typename T>
void turn_in(const T* from, int64_t rows, int64_t width, T* to) {
  const int64_t ld = mlp_padded<T>(rows);
  for (int64_t c = 0; c < width; ++c, to += ld) {
    for (int64_t i = 0; i < rows; ++i) to[i] = from[i * width + c];
    std::fill(to + rows, to + ld, T(0));
  }
}

template <typename T>
void turn_out(const T* from, int64_t rows, int64_t width, T* to) {
  const int64_t ld = mlp_padded<T>(rows);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t c = 0; c < width; ++c) to[i * width + c] = from[c * ld + i];
}

// (rows, width) -> (rows, padded width), zero beyond the width.
template <typename T>
void load_rows(const T* from, int64_t rows, int64_t width, T* to) {
  const int64_t ld = mlp_padded<T>(width);
  for (int64_t i = 0; i < rows; ++i, from += width, to += ld) {
    std::copy_n(from, width, to);
    std::fill(to + width, to + ld, T(0));
  }
}

template <typename T>
void store_rows(const T* from, int64_t rows, int64_t width, T* to) {
  constexpr int L = kLanes<T>;
  const int64_t ld = mlp_padded<T>(width), end = rows * width;
  for (int64_t i = 0; i < rows; ++i, from += ld, to += width) {
    // What goes beyond a row's end, the next row overwrites.
    int64_t c = 0;
    for (; c < width && i * width + c + L <= end; c += L)
      simd::store(to + c, simd::load(from + c));
    for (; c < width; ++c) to[c] = from[c];
  }
}

// to = p - lr g: g padded, p and to (rows, width).
template <typename T>
void store_step(const T* g, const T* p, T lr, int64_t rows, int64_t width,
                T* to) {
  constexpr int L = kLanes<T>;
  const int64_t ld = mlp_padded<T>(width), end = rows * width;
  for (int64_t i = 0; i < rows; ++i, g += ld, p += width, to += width) {
    int64_t c = 0;
    for (; c < width && i * width + c + L <= end; c += L)
      simd::store(to + c, simd::load(p + c) - simd::load(g + c) * lr);
    for (; c < width; ++c) to[c] = p[c] - lr * g[c];
  }
}

// (rows, width) -> its transpose, both padded in both directions.
template <typename T>
void transpose(const T* from, int64_t rows, int64_t width, T* to) {
  constexpr int L = kLanes<T>;
  const int64_t ld_from = mlp_padded<T>(width), ld_to = mlp_padded<T>(rows);
  for (int64_t i = 0; i < ld_to; i += L)
    for (int64_t j = 0; j < ld_from; j += L)
      transpose_square<T>([&](int k) { return from + (i + k) * ld_from + j; },
                          [&](int k) { return to + (j + k) * ld_to + i; });
}

// A product a b: element (row, k) of a is a[row * step_row + k * step_k]; b is
// (depth, padded columns).
template <typename T>
struct Term {
  const T* a = nullptr;  // null: no such term
  int64_t step_row = 0, step_k = 0;
  const T* b = nullptr;
};
template <typename T>
Term<T> upright(const T* a, int64_t width, const T* b) {
  return {a, width, 1, b};
}
template <typename T>
Term<T> turned(const T* a, int64_t width, const T* b) {
  return {a, 1, width, b};
}

constexpr int kMostTerms = 2;
template <typename T>
struct Terms {
  Term<T> term[kMostTerms];
  int count = 0;
  void add(const Term<T>& t) {
    if (t.a) term[count++] = t;
  }
};

template <typename T, int R, int N>
void product_tile(const Terms<T>& terms, int64_t row, int64_t depth, int64_t ld,
                  int64_t column, T* out) {
  Vec<T> acc[R][N];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < N; ++v) acc[r][v] = Vec<T>{};
  for (int t = 0; t < terms.count; ++t) {
    const auto& term = terms.term[t];
    const T* a = term.a + row * term.step_row;
    const T* b = term.b + column;
    const int64_t step_row = term.step_row, step_k = term.step_k;
    for (int64_t k = 0; k < depth; ++k, a += step_k, b += ld) {
      Vec<T> x[N];
#pragma GCC unroll 8
      for (int v = 0; v < N; ++v) x[v] = simd::load(b + v * kLanes<T>);
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
        const Vec<T> y = simd::broadcast(a[r * step_row]);
#pragma GCC unroll 8
        for (int v = 0; v < N; ++v) acc[r][v] += y * x[v];
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < N; ++v)
      simd::store(out + (row + r) * ld + column + v * kLanes<T>, acc[r][v]);
}

// out (rows, padded columns) = the sum of the terms' products.
template <typename T>
void product(int64_t rows, int64_t depth, int64_t columns,
             std::initializer_list<Term<T>> all, T* out) {
  const int64_t ld = mlp_padded<T>(columns);
  Terms<T> terms;
  for (const auto& t : all) terms.add(t);
  if (terms.count == 0) {
    std::fill_n(out, rows * ld, T(0));
    return;
  }
  constexpr int R = 8;
  auto block = [&]<int N>(std::integral_constant<int, N>, int64_t column) {
    int64_t row = 0;
    for (; row + R <= rows; row += R)
      product_tile<T, R, N>(terms, row, depth, ld, column, out);
    for (; row < rows; ++row)
      product_tile<T, 1, N>(terms, row, depth, ld, column, out);
  };
  constexpr int kMost = simd::kRegisters >= 32 ? 3 : 1;
  int64_t c = 0;
  if constexpr (kMost == 3)
    for (; c + 3 * kLanes<T> <= ld; c += 3 * kLanes<T>)
      block(std::integral_constant<int, 3>(), c);
  for (; c < ld; c += kLanes<T>) block(std::integral_constant<int, 1>(), c);
}

// z = relu(z + b), or z + b.
template <typename T>
void add_bias(int64_t rows, int64_t ld, const T* b, bool relu, T* z) {
  const Vec<T> zero{};
  for (int64_t r = 0; r < rows; ++r, z += ld) {
    const Vec<T> bias = simd::broadcast(b[r]);
    for (int64_t c = 0; c < ld; c += kLanes<T>) {
      const Vec<T> v = simd::load(z + c) + bias;
      // NaN is not below zero, so it stays visible.
      simd::store(z + c, relu ? (v <= zero ? zero : v) : v);
    }
  }
}

// m where h > 0, else 0. NaN in h cuts nothing.
template <typename T>
void cut(int64_t size, const T* h, T* m) {
  const Vec<T> zero{};
  for (int64_t i = 0; i < size; i += kLanes<T>) {
    const Vec<T> v = simd::load(m + i);
    simd::store(m + i, simd::load(h + i) <= zero ? zero : v);
  }
}

// The sum of each row's first n.
template <typename T>
void sum_columns(int64_t rows, int64_t n, const T* m, T* sum) {
  const int64_t ld = mlp_padded<T>(n);
  for (int64_t r = 0; r < rows; ++r, m += ld) {
    T acc = 0;
    for (int64_t i = 0; i < n; ++i) acc += m[i];
    sum[r] = acc;
  }
}

// Hands out parts of a thread's scratch.
template <typename T>
class Arena {
 public:
  Arena(Scratch& space, int64_t size) : next_(space.get<T>(size)) {}
  T* take(int64_t size) {
    T* const p = next_;
    next_ += size;
    return p;
  }

 private:
  T* next_;
};

// Where things lie. Features are padded too, so that squares can be turned.
template <typename T>
struct Layout {
  const MlpShape& s;
  int64_t ld() const { return mlp_padded<T>(s.n); }
  int64_t size(int64_t l) const { return mlp_padded<T>(s.width[l]) * ld(); }
  int64_t widest() const {
    return mlp_padded<T>(*std::max_element(s.width.begin(), s.width.end()));
  }
  // Of hl among the kept activations, Dl among the kept deltas.
  int64_t at(int64_t l) const {
    int64_t before = 0;
    for (int64_t k = 1; k < l; ++k) before += size(k);
    return before;
  }
};

}  // namespace

template <typename T>
int64_t mlp_hidden_size(const MlpShape& s) {
  return Layout<T>{s}.at(s.layers());
}

template <typename T>
int64_t mlp_delta_size(const MlpShape& s) {
  return Layout<T>{s}.at(s.layers() + 1);
}

namespace {

// The passes over one task. What a thread needs for one lies side by side.
template <typename T>
class Passes {
 public:
  Passes(const MlpShape& s, Scratch& space)
      : s_(s), at_{s}, layers_(s.layers()), ld_(at_.ld()) {
    const int64_t most = at_.widest(), square = most * most, block = most * ld_,
                  hidden = mlp_hidden_size<T>(s);
    Arena<T> arena(space, square + most + 9 * block + hidden);
    gradient_ = arena.take(square);
    bias_ = arena.take(most);
    input_ = arena.take(block);
    input_rows_ = arena.take(block);
    tangent_input_ = arena.take(block);
    tangent_input_rows_ = arena.take(block);
    output_ = arena.take(block);
    delta_ = arena.take(block);
    next_ = arena.take(block);
    rows_ = arena.take(block);
    tangent_rows_ = arena.take(block);
    tangents_ = arena.take(hidden);
  }

  // x of one task, and the parameters that the passes start from.
  void load(const T* x, const MlpParameters<T>& p, int64_t task) {
    p_ = &p;
    task_ = task;
    turn_in(x, s_.n, s_.width[0], input_);
    load_rows(x, s_.n, s_.width[0], input_rows_);
  }

  // Writes hidden; zL is left in output().
  void forward(T* hidden) {
    const T* h = input_;
    for (int64_t l = 1; l <= layers_; ++l) {
      const int64_t out = s_.width[l], in = s_.width[l - 1];
      T* const z = l < layers_ ? hidden + at_.at(l) : output_;
      product(out, in, s_.n, {upright(weight(l), in, h)}, z);
      add_bias(out, ld_, p_->b[l - 1].of(task_), l < layers_, z);
      if (l < layers_) fill_up(l, z);
      h = z;
    }
  }

  // From DL in its place. each(l, gWl, gbl), gWl padded, in falling order; D0
  // is left in delta() when asked for.
  template <typename Each>
  void backward(const T* hidden, T* deltas, bool to_input, Each each) {
    for (int64_t l = layers_; l >= 1; --l) {
      const int64_t out = s_.width[l], in = s_.width[l - 1];
      const T* const d = deltas + at_.at(l);
      product(out, s_.n, in, {upright(d, ld_, rows_of(l - 1, hidden))},
              gradient_);
      sum_columns(out, s_.n, d, bias_);
      each(l, gradient_, bias_);
      if (l == 1 && !to_input) return;
      T* const next = l > 1 ? deltas + at_.at(l - 1) : delta_;
      product(in, out, s_.n, {turned(weight(l), in, d)}, next);
      if (l > 1) cut(in * ld_, hidden + at_.at(l - 1), next);
    }
  }

  // Along (v, u), each of which may be absent; z.L is left in output().
  void tangent_forward(const T* hidden, const MlpParameters<T>& u, const T* v) {
    has_v_ = v != nullptr;
    u_ = &u;
    if (v) {
      turn_in(v, s_.n, s_.width[0], tangent_input_);
      load_rows(v, s_.n, s_.width[0], tangent_input_rows_);
    }
    for (int64_t l = 1; l <= layers_; ++l) {
      const int64_t out = s_.width[l], in = s_.width[l - 1];
      const T* const h = l > 1 ? hidden + at_.at(l - 1) : input_;
      T* const z = l < layers_ ? tangents_ + at_.at(l) : output_;
      Term<T> moved, bent;
      if (has_tangent(l - 1)) moved = upright(weight(l), in, tangent(l - 1));
      if (u.w[l - 1].data) bent = upright(u.w[l - 1].of(task_), in, h);
      product(out, in, s_.n, {moved, bent}, z);
      if (u.b[l - 1].data)
        add_bias(out, ld_, u.b[l - 1].of(task_), /*relu=*/false, z);
      if (l < layers_) {
        cut(out * ld_, hidden + at_.at(l), z);
        fill_up(l, z);
      }
    }
  }

  // From D.L in delta(), or from none. each as above; D.0 is left in delta().
  template <typename Each>
  void tangent_backward(const T* hidden, const T* deltas, bool from_last,
                        bool to_input, Each each) {
    for (int64_t l = layers_; l >= 1; --l) {
      const int64_t out = s_.width[l], in = s_.width[l - 1];
      const bool has_delta = l < layers_ || from_last;
      const T* const d = deltas + at_.at(l);
      Term<T> moved, bent;
      if (has_delta) moved = upright<T>(delta_, ld_, rows_of(l - 1, hidden));
      if (has_tangent(l - 1)) bent = upright(d, ld_, tangent_rows_of(l - 1));
      product(out, s_.n, in, {moved, bent}, gradient_);
      if (has_delta)
        sum_columns(out, s_.n, delta_, bias_);
      else
        std::fill_n(bias_, out, T(0));
      each(l, gradient_, bias_);
      if (l == 1 && !to_input) return;
      moved = bent = {};
      if (has_delta) moved = turned<T>(weight(l), in, delta_);
      if (u_->w[l - 1].data) bent = turned(u_->w[l - 1].of(task_), in, d);
      product(in, out, s_.n, {moved, bent}, next_);
      if (l > 1) cut(in * ld_, hidden + at_.at(l - 1), next_);
      std::swap(delta_, next_);
    }
  }

  const T* output() const { return output_; }
  T* delta() { return delta_; }

 private:
  const T* weight(int64_t l) const { return p_->w[l - 1].of(task_); }
  bool has_tangent(int64_t l) const { return l > 0 || has_v_; }
  const T* tangent(int64_t l) const {
    return l ? tangents_ + at_.at(l) : tangent_input_;
  }
  // Zeros up to whole squares of features.
  void fill_up(int64_t l, T* h) const {
    std::fill(h + s_.width[l] * ld_, h + at_.size(l), T(0));
  }
  // (n, padded width), which gradients of weights sum over.
  const T* rows_of(int64_t l, const T* hidden) {
    if (l == 0) return input_rows_;
    transpose(hidden + at_.at(l), s_.width[l], s_.n, rows_);
    return rows_;
  }
  const T* tangent_rows_of(int64_t l) {
    if (l == 0) return tangent_input_rows_;
    transpose(tangents_ + at_.at(l), s_.width[l], s_.n, tangent_rows_);
    return tangent_rows_;
  }

  const MlpShape& s_;
  const Layout<T> at_;
  const int64_t layers_, ld_;
  const MlpParameters<T>* p_ = nullptr;
  const MlpParameters<T>* u_ = nullptr;
  bool has_v_ = false;
  int64_t task_ = 0;
  T *gradient_, *bias_, *input_, *input_rows_, *tangent_input_,
      *tangent_input_rows_, *output_, *delta_, *next_, *rows_, *tangent_rows_,
      *tangents_;
};

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
  at::parallel_for(0, s.tasks, grain(s), [&](int64_t begin, int64_t end) {
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
