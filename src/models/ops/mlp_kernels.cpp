#include "models/ops/mlp_kernels.h"

#include <ATen/Parallel.h>

#include "models/ops/conv_tiles.h"
#include "models/ops/scratch.h"

namespace protean::ops::kernels {

namespace {

// Matrices inside the kernels have rows of whole vectors, zero beyond their
// width. Rows are short: calls of memcpy would cost more than the copies.
template <typename T>
void load_rows(const T* from, int64_t rows, int64_t width, T* to) {
  constexpr int L = kLanes<T>;
  const int64_t ld = mlp_padded<T>(width), end = rows * width;
  Vec<T> keep;  // of a row's last vector
  for (int l = 0; l < L; ++l) keep[l] = ld - L + l < width;
  const Vec<T> zero{}, half = simd::broadcast(T(0.5));
  for (int64_t i = 0; i < rows; ++i, from += width, to += ld) {
    int64_t c = 0;
    for (; c + L < ld; c += L) simd::store(to + c, simd::load(from + c));
    if (i * width + ld <= end) {
      const Vec<T> v = simd::load(from + c);
      simd::store(to + c, keep > half ? v : zero);
    } else {  // the last rows: nothing readable may follow them
      for (int64_t k = c; k < ld; ++k) to[k] = k < width ? from[k] : T(0);
    }
  }
}

// Also fills up the rows to whole vectors, for transpose().
template <typename T>
void load_matrix(const T* from, int64_t rows, int64_t width, T* to) {
  load_rows(from, rows, width, to);
  const int64_t ld = mlp_padded<T>(width);
  std::fill_n(to + rows * ld, (mlp_padded<T>(rows) - rows) * ld, T(0));
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

// (rows, width) -> its transpose, both padded.
template <typename T>
void transpose(const T* from, int64_t rows, int64_t width, T* to) {
  constexpr int L = kLanes<T>;
  const int64_t ld_from = mlp_padded<T>(width), ld_to = mlp_padded<T>(rows);
  for (int64_t i = 0; i < ld_to; i += L)
    for (int64_t j = 0; j < ld_from; j += L)
      transpose_square<T>([&](int k) { return from + (i + k) * ld_from + j; },
                          [&](int k) { return to + (j + k) * ld_to + i; });
}

// out = sum over the terms of a_t (n, depth) b_t (depth, columns), all padded.
template <typename T>
struct Term {
  const T *a, *b;
};

template <typename T>
void multiply(int64_t n, int64_t depth, int64_t columns,
              std::initializer_list<Term<T>> terms, T* out) {
  const int64_t lda = mlp_padded<T>(depth), ld = mlp_padded<T>(columns);
  Taps<T> taps;
  taps.depth = depth;
  taps.ldw = ld;
  for (const auto& t : terms) taps.add(t.a, t.b);
  for_column_blocks<T>(ld, [&](int64_t column, int vectors) {
    for_row_tiles(n, max_rows(vectors), [&](int64_t begin, int rows) {
      int64_t a[8];
      T* o[8];
      for (int r = 0; r < rows; ++r) {
        a[r] = (begin + r) * lda;
        o[r] = out + (begin + r) * ld;
      }
      rows_tile_of<T>(rows, vectors)(taps, column, a, o);
    });
  });
}

template <typename T>
void add_row(int64_t n, int64_t ld, const T* row, T* m) {
  for (int64_t i = 0; i < n; ++i)
    for (int64_t c = 0; c < ld; c += kLanes<T>)
      simd::store(m + i * ld + c,
                  simd::load(m + i * ld + c) + simd::load(row + c));
}

// m where h > 0, else 0. NaN in h cuts nothing, so it stays visible.
template <typename T>
void cut(int64_t size, const T* h, T* m) {
  const Vec<T> zero{};
  for (int64_t i = 0; i < size; i += kLanes<T>) {
    const Vec<T> v = simd::load(m + i);
    simd::store(m + i, simd::load(h + i) <= zero ? zero : v);
  }
}

template <typename T>
void sum_rows(int64_t n, int64_t ld, const T* m, T* sum) {
  for (int64_t c = 0; c < ld; c += kLanes<T>) {
    Vec<T> acc{};
    for (int64_t i = 0; i < n; ++i) acc += simd::load(m + i * ld + c);
    simd::store(sum + c, acc);
  }
}

// out (rows, columns), padded, (+)= a^T b over n rows of each.
template <typename T>
void outer(int64_t n, int64_t rows, int64_t columns, const T* a, const T* b,
           bool add, T* out) {
  thread_local std::vector<int32_t> ka, kb;
  const int64_t lda = mlp_padded<T>(rows), ldb = mlp_padded<T>(columns);
  ka.resize(n);
  kb.resize(n);
  for (int64_t i = 0; i < n; ++i) {
    ka[i] = static_cast<int32_t>(i * lda);
    kb[i] = static_cast<int32_t>(i * ldb);
  }
  outer_products<T>(n, a, ka.data(), rows, b, kb.data(), ldb, add, out);
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

// Sizes that several passes need.
template <typename T>
struct Layout {
  const MlpShape& s;
  int64_t ld(int64_t l) const { return mlp_padded<T>(s.width[l]); }
  int64_t rows(int64_t l) const { return s.n * ld(l); }          // n by dl
  int64_t matrix(int64_t l) const { return ld(l) * ld(l - 1); }  // Wl
  int64_t widest() const {
    int64_t most = 0;
    for (int64_t l = 0; l <= s.layers(); ++l) most = std::max(most, ld(l));
    return most;
  }
  // Of Wl among all of them.
  int64_t weights(int64_t l) const {
    int64_t at = 0;
    for (int64_t k = 1; k < l; ++k) at += matrix(k);
    return at;
  }
  // Of hl among the kept activations, Dl among the kept deltas.
  int64_t hidden(int64_t l) const {
    int64_t at = 0;
    for (int64_t k = 1; k < l; ++k) at += rows(k);
    return at;
  }
  int64_t delta(int64_t l) const { return hidden(l); }
};

}  // namespace

template <typename T>
int64_t mlp_padded(int64_t width) {
  constexpr int L = kLanes<T>;
  return (width + L - 1) / L * L;
}

template <typename T>
int64_t mlp_hidden_size(const MlpShape& s) {
  return Layout<T>{s}.hidden(s.layers());
}

template <typename T>
int64_t mlp_delta_size(const MlpShape& s) {
  return Layout<T>{s}.delta(s.layers() + 1);
}

namespace {

// The passes over one task. What a thread needs for one lies side by side.
template <typename T>
class Passes {
 public:
  Passes(const MlpShape& s, Scratch& space)
      : s_(s), at_{s}, layers_(s.layers()) {
    const int64_t most = at_.widest(), all = at_.weights(layers_ + 1),
                  tangents = mlp_hidden_size<T>(s);
    Arena<T> arena(
        space, 2 * all + 2 * most * most + most + 5 * s.n * most + tangents);
    w_ = arena.take(all);
    u_ = arena.take(all);
    wt_ = arena.take(most * most);
    ut_ = arena.take(most * most);
    row_ = arena.take(most);
    input_ = arena.take(s.n * most);
    tangent_input_ = arena.take(s.n * most);
    output_ = arena.take(s.n * most);
    delta_ = arena.take(s.n * most);
    next_ = arena.take(s.n * most);
    tangents_ = arena.take(tangents);
  }

  // x of one task, then its parameters, from which the passes start.
  void load(const T* x, const MlpParameters<T>& p, int64_t task) {
    p_ = &p;
    task_ = task;
    load_rows(x, s_.n, s_.width[0], input_);
    for (int64_t l = 1; l <= layers_; ++l)
      load_matrix(p.w[l - 1].of(task), s_.width[l], s_.width[l - 1], weight(l));
  }

  // Writes hidden; zL, padded, is left in output().
  void forward(T* hidden) {
    const T* h = input_;
    for (int64_t l = 1; l <= layers_; ++l) {
      transpose(weight(l), s_.width[l], s_.width[l - 1], wt_);
      load_rows(p_->b[l - 1].of(task_), 1, s_.width[l], row_);
      T* const z = l < layers_ ? hidden + at_.hidden(l) : output_;
      multiply<T>(s_.n, s_.width[l - 1], s_.width[l], {{h, wt_}}, z);
      add_row(s_.n, at_.ld(l), row_, z);
      if (l < layers_) cut(at_.rows(l), z, z);
      h = z;
    }
  }

  // From DL in its place. each(l, gWl, gbl), padded, in falling order; D0 is
  // left in delta() when asked for.
  template <typename Each>
  void backward(const T* hidden, T* deltas, bool to_input, Each each) {
    for (int64_t l = layers_; l >= 1; --l) {
      const int64_t out = s_.width[l], in = s_.width[l - 1];
      const T* const h = l > 1 ? hidden + at_.hidden(l - 1) : input_;
      const T* const d = deltas + at_.delta(l);
      outer(s_.n, out, in, d, h, false, wt_);
      sum_rows(s_.n, at_.ld(l), d, row_);
      each(l, wt_, row_);
      if (l == 1 && !to_input) return;
      T* const next = l > 1 ? deltas + at_.delta(l - 1) : delta_;
      multiply<T>(s_.n, out, in, {{d, weight(l)}}, next);
      if (l > 1) cut(at_.rows(l - 1), h, next);
    }
  }

  // Along (v, u), each of which may be absent; z.L is left in output().
  void tangent_forward(const T* hidden, const MlpParameters<T>& u, const T* v) {
    v_ = v;
    u_given_ = &u;
    if (v) load_rows(v, s_.n, s_.width[0], tangent_input_);
    for (int64_t l = 1; l <= layers_; ++l) {
      const int64_t out = s_.width[l], in = s_.width[l - 1];
      const T* const h = l > 1 ? hidden + at_.hidden(l - 1) : input_;
      T* const z = l < layers_ ? tangents_ + at_.hidden(l) : output_;
      const bool moved = has_tangent(l - 1), turned = u.w[l - 1].data;
      if (moved) transpose(weight(l), out, in, wt_);
      if (turned) {
        load_matrix(u.w[l - 1].of(task_), out, in, cotangent(l));
        transpose(cotangent(l), out, in, ut_);
      }
      product(s_.n, in, out, moved, {tangent(l - 1), wt_}, turned, {h, ut_}, z);
      if (u.b[l - 1].data) {
        load_rows(u.b[l - 1].of(task_), 1, out, row_);
        add_row(s_.n, at_.ld(l), row_, z);
      }
      if (l < layers_) cut(at_.rows(l), hidden + at_.hidden(l), z);
    }
  }

  // From D.L in delta(), or from none. each as above; D.0 is left in delta().
  template <typename Each>
  void tangent_backward(const T* hidden, const T* deltas, bool from_last,
                        bool to_input, Each each) {
    for (int64_t l = layers_; l >= 1; --l) {
      const int64_t out = s_.width[l], in = s_.width[l - 1];
      const bool has_delta = l < layers_ || from_last;
      const T* const h = l > 1 ? hidden + at_.hidden(l - 1) : input_;
      const T* const d = deltas + at_.delta(l);
      if (has_delta) {
        outer(s_.n, out, in, static_cast<const T*>(delta_), h, false, wt_);
        sum_rows(s_.n, at_.ld(l), delta_, row_);
      } else {
        std::fill_n(row_, at_.ld(l), T(0));
        if (!has_tangent(l - 1)) std::fill_n(wt_, at_.matrix(l), T(0));
      }
      if (has_tangent(l - 1))
        outer(s_.n, out, in, d, tangent(l - 1), has_delta, wt_);
      each(l, wt_, row_);
      if (l == 1 && !to_input) return;
      product(s_.n, out, in, has_delta, {delta_, weight(l)},
              u_given_->w[l - 1].data, {d, cotangent(l)}, next_);
      if (l > 1) cut(at_.rows(l - 1), h, next_);
      std::swap(delta_, next_);
    }
  }

  const T* output() const { return output_; }
  T* delta() { return delta_; }

 private:
  T* weight(int64_t l) { return w_ + at_.weights(l); }
  T* cotangent(int64_t l) { return u_ + at_.weights(l); }
  bool has_tangent(int64_t l) const { return l > 0 || v_; }
  const T* tangent(int64_t l) const {
    return l ? tangents_ + at_.hidden(l) : tangent_input_;
  }
  // The sum of those of two products that exist.
  static void product(int64_t n, int64_t depth, int64_t columns, bool first,
                      Term<T> a, bool second, Term<T> b, T* out) {
    if (first && second)
      multiply<T>(n, depth, columns, {a, b}, out);
    else if (first || second)
      multiply<T>(n, depth, columns, {first ? a : b}, out);
    else
      std::fill_n(out, n * mlp_padded<T>(columns), T(0));
  }

  const MlpShape& s_;
  const Layout<T> at_;
  const int64_t layers_;
  const MlpParameters<T>* p_ = nullptr;
  const MlpParameters<T>* u_given_ = nullptr;
  const T* v_ = nullptr;
  int64_t task_ = 0;
  T *w_, *u_, *wt_, *ut_, *row_, *input_, *tangent_input_, *output_, *delta_,
      *next_, *tangents_;
};

// Runs f(task, passes) for every task.
template <typename T, typename F>
void for_tasks(const MlpShape& s, F f) {
  at::parallel_for(0, s.tasks, 1, [&](int64_t begin, int64_t end) {
    thread_local Scratch space;
    Passes<T> passes(s, space);
    for (int64_t t = begin; t < end; ++t) f(t, passes);
  });
}

// A thing per task as one matrix each: sizes of inputs and outputs.
int64_t inputs(const MlpShape& s) { return s.n * s.width.front(); }
int64_t outputs(const MlpShape& s) { return s.n * s.width.back(); }

// to (n, dL), padded, = 2 share of what f(i, c) gives.
template <typename T, typename F>
void error_slopes(const MlpShape& s, const T* share, bool one_share, F f,
                  T* to) {
  const int64_t d = s.width.back(), ld = mlp_padded<T>(d);
  for (int64_t i = 0; i < s.n; ++i)
    for (int64_t c = 0; c < ld; ++c)
      to[i * ld + c] = c < d ? 2 * share[one_share ? 0 : i] * f(i, c) : T(0);
}

}  // namespace

template <typename T>
void mlp_forward(const MlpShape& s, PerTask<const T> x,
                 const MlpParameters<T>& p, T* hidden, T* y) {
  for_tasks<T>(s, [&](int64_t t, Passes<T>& passes) {
    passes.load(x.of(t), p, t);
    passes.forward(hidden + t * mlp_hidden_size<T>(s));
    store_rows(passes.output(), s.n, s.width.back(), y + t * outputs(s));
  });
}

template <typename T>
void mlp_backward(const MlpShape& s, PerTask<const T> x,
                  const MlpParameters<T>& p, const T* hidden, const T* gy,
                  T* deltas, const MlpGradients<T>& g, T* gx) {
  const int64_t last = Layout<T>{s}.delta(s.layers());
  for_tasks<T>(s, [&](int64_t t, Passes<T>& passes) {
    T* const d = deltas + t * mlp_delta_size<T>(s);
    passes.load(x.of(t), p, t);
    load_rows(gy + t * outputs(s), s.n, s.width.back(), d + last);
    passes.backward(hidden + t * mlp_hidden_size<T>(s), d, gx != nullptr,
                    [&](int64_t l, const T* w, const T* b) {
                      store_rows(w, s.width[l], s.width[l - 1],
                                 g.w[l - 1].of(t));
                      store_rows(b, 1, s.width[l], g.b[l - 1].of(t));
                    });
    if (gx) store_rows<T>(passes.delta(), s.n, s.width[0], gx + t * inputs(s));
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
    store_rows(passes.output(), s.n, s.width.back(), to_gy + t * outputs(s));
    passes.tangent_backward(h, deltas + t * mlp_delta_size<T>(s),
                            /*from_last=*/false, to_x != nullptr,
                            [&](int64_t l, const T* w, const T* b) {
                              store_rows(w, s.width[l], s.width[l - 1],
                                         to.w[l - 1].of(t));
                              store_rows(b, 1, s.width[l], to.b[l - 1].of(t));
                            });
    if (to_x)
      store_rows<T>(passes.delta(), s.n, s.width[0], to_x + t * inputs(s));
  });
}

template <typename T>
void mlp_squared_error(const MlpShape& s, PerTask<const T> x,
                       const MlpTargets<T>& targets, const MlpParameters<T>& p,
                       T* loss, const MlpGradients<T>& g) {
  const int64_t last = Layout<T>{s}.delta(s.layers());
  const int64_t d = s.width.back(), ld = mlp_padded<T>(d);
  for_tasks<T>(s, [&](int64_t t, Passes<T>& passes) {
    thread_local Scratch space;
    T* const h =
        space.get<T>(mlp_hidden_size<T>(s) + mlp_delta_size<T>(s));
    T* const deltas = h + mlp_hidden_size<T>(s);
    passes.load(x.of(t), p, t);
    passes.forward(h);
    const T *z = passes.output(), *y = targets.y.of(t);
    T sum = 0;
    error_slopes(
        s, targets.share.of(t), targets.one_share,
        [&](int64_t i, int64_t c) {
          const T e = z[i * ld + c] - y[i * d + c];
          sum += e * e * targets.share.of(t)[targets.one_share ? 0 : i];
          return e;
        },
        deltas + last);
    loss[t] = sum;
    passes.backward(h, deltas, /*to_input=*/false,
                    [&](int64_t l, const T* w, const T* b) {
                      store_rows(w, s.width[l], s.width[l - 1],
                                 g.w[l - 1].of(t));
                      store_rows(b, 1, s.width[l], g.b[l - 1].of(t));
                    });
  });
}

template <typename T>
void mlp_descent(const MlpShape& s, PerTask<const T> x,
                 const MlpTargets<T>& targets, const MlpParameters<T>& p,
                 double lr, T* hidden, T* deltas,
                 const MlpGradients<T>& stepped) {
  const int64_t last = Layout<T>{s}.delta(s.layers());
  const int64_t d = s.width.back(), ld = mlp_padded<T>(d);
  for_tasks<T>(s, [&](int64_t t, Passes<T>& passes) {
    T* const h = hidden + t * mlp_hidden_size<T>(s);
    T* const deltas_t = deltas + t * mlp_delta_size<T>(s);
    passes.load(x.of(t), p, t);
    passes.forward(h);
    const T *z = passes.output(), *y = targets.y.of(t);
    error_slopes(
        s, targets.share.of(t), targets.one_share,
        [&](int64_t i, int64_t c) { return z[i * ld + c] - y[i * d + c]; },
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
  const int64_t ld = mlp_padded<T>(s.width.back());
  for_tasks<T>(s, [&](int64_t t, Passes<T>& passes) {
    const T* const h = hidden + t * mlp_hidden_size<T>(s);
    passes.load(x.of(t), p, t);
    passes.tangent_forward(h, u, nullptr);
    const T* const z = passes.output();
    error_slopes(
        s, targets.share.of(t), targets.one_share,
        [&](int64_t i, int64_t c) { return z[i * ld + c]; }, passes.delta());
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
