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

// out (rows, columns), padded, += a^T b over n rows of each.
template <typename T>
void add_outer(int64_t n, int64_t rows, int64_t columns, const T* a, const T* b,
               T* out) {
  thread_local std::vector<int32_t> ka, kb;
  const int64_t lda = mlp_padded<T>(rows), ldb = mlp_padded<T>(columns);
  ka.resize(n);
  kb.resize(n);
  for (int64_t i = 0; i < n; ++i) {
    ka[i] = static_cast<int32_t>(i * lda);
    kb[i] = static_cast<int32_t>(i * ldb);
  }
  outer_products<T>(n, a, ka.data(), lda, b, kb.data(), ldb, out);
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

template <typename F>
void for_tasks(const MlpShape& s, F f) {
  at::parallel_for(0, s.tasks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) f(t);
  });
}

}  // namespace

template <typename T>
void mlp_forward(const MlpShape& s, PerTask<const T> x,
                 const MlpParameters<T>& p, T* hidden, T* y) {
  const Layout<T> at{s};
  const int64_t most = at.widest(), layers = s.layers();
  for_tasks(s, [&](int64_t t) {
    thread_local Scratch space;
    Arena<T> arena(space, 2 * most * most + 2 * s.n * most + most);
    T* const w = arena.take(most * most);
    T* const wt = arena.take(most * most);
    T* const row = arena.take(most);
    T* const input = arena.take(s.n * most);
    T* const output = arena.take(s.n * most);
    load_rows(x.of(t), s.n, s.width[0], input);
    const T* h = input;
    for (int64_t l = 1; l <= layers; ++l) {
      load_matrix(p.w[l - 1].of(t), s.width[l], s.width[l - 1], w);
      transpose(w, s.width[l], s.width[l - 1], wt);
      load_rows(p.b[l - 1].of(t), 1, s.width[l], row);
      T* const z = l < layers
                       ? hidden + t * mlp_hidden_size<T>(s) + at.hidden(l)
                       : output;
      multiply<T>(s.n, s.width[l - 1], s.width[l], {{h, wt}}, z);
      add_row(s.n, at.ld(l), row, z);
      if (l < layers) cut(at.rows(l), z, z);
      h = z;
    }
    store_rows(output, s.n, s.width[layers], y + t * s.n * s.width[layers]);
  });
}

template <typename T>
void mlp_backward(const MlpShape& s, PerTask<const T> x,
                  const MlpParameters<T>& p, const T* hidden, const T* gy,
                  T* deltas, const MlpGradients<T>& g, T* gx) {
  const Layout<T> at{s};
  const int64_t most = at.widest(), layers = s.layers();
  for_tasks(s, [&](int64_t t) {
    thread_local Scratch space;
    Arena<T> arena(space, most * most + 2 * s.n * most + most);
    T* const w = arena.take(most * most);
    T* const row = arena.take(most);
    T* const input = arena.take(s.n * most);
    T* const first = arena.take(s.n * most);
    load_rows(x.of(t), s.n, s.width[0], input);
    const T* const h_all = hidden + t * mlp_hidden_size<T>(s);
    T* const d_all = deltas + t * mlp_delta_size<T>(s);
    load_rows(gy + t * s.n * s.width[layers], s.n, s.width[layers],
              d_all + at.delta(layers));
    for (int64_t l = layers; l >= 1; --l) {
      const int64_t out = s.width[l], in = s.width[l - 1];
      const T* const h = l > 1 ? h_all + at.hidden(l - 1) : input;
      const T* const d = d_all + at.delta(l);
      std::fill_n(w, at.matrix(l), T(0));
      add_outer(s.n, out, in, d, h, w);
      store_rows(w, out, in, g.w[l - 1].of(t));
      sum_rows(s.n, at.ld(l), d, row);
      store_rows(row, 1, out, g.b[l - 1].of(t));
      if (l == 1 && !gx) break;
      load_matrix(p.w[l - 1].of(t), out, in, w);
      T* const next = l > 1 ? d_all + at.delta(l - 1) : first;
      multiply<T>(s.n, out, in, {{d, w}}, next);
      if (l > 1) cut(at.rows(l - 1), h, next);
    }
    if (gx) store_rows(first, s.n, s.width[0], gx + t * s.n * s.width[0]);
  });
}

template <typename T>
void mlp_double_backward(const MlpShape& s, PerTask<const T> x,
                         const MlpParameters<T>& p, const T* hidden,
                         const T* deltas, const MlpParameters<T>& u, const T* v,
                         T* to_gy, const MlpGradients<T>& to, T* to_x) {
  const Layout<T> at{s};
  const int64_t most = at.widest(), layers = s.layers();
  for_tasks(s, [&](int64_t t) {
    thread_local Scratch space;
    const int64_t tangents = mlp_hidden_size<T>(s);
    Arena<T> arena(space, 4 * most * most + 5 * s.n * most + most + tangents);
    T* const w = arena.take(most * most);
    T* const uw = arena.take(most * most);
    T* const wt = arena.take(most * most);
    T* const ut = arena.take(most * most);
    T* const row = arena.take(most);
    T* const input = arena.take(s.n * most);
    T* const tangent_input = arena.take(s.n * most);
    T* const output = arena.take(s.n * most);
    T* const tangent_h = arena.take(tangents);
    T* delta = arena.take(s.n * most);  // D.l
    T* next = arena.take(s.n * most);
    const T* const h_all = hidden + t * tangents;
    const T* const d_all = deltas + t * mlp_delta_size<T>(s);
    load_rows(x.of(t), s.n, s.width[0], input);
    if (v) load_rows(v + t * s.n * s.width[0], s.n, s.width[0], tangent_input);
    auto h_of = [&](int64_t l) { return l ? h_all + at.hidden(l) : input; };
    auto tangent_of = [&](int64_t l) {
      return l ? tangent_h + at.hidden(l) : tangent_input;
    };
    auto has_tangent = [&](int64_t l) { return l > 0 || v; };

    for (int64_t l = 1; l <= layers; ++l) {
      const int64_t out = s.width[l], in = s.width[l - 1];
      T* const z = l < layers ? tangent_of(l) : output;
      if (u.w[l - 1].data) {
        load_matrix(u.w[l - 1].of(t), out, in, uw);
        transpose(uw, out, in, ut);
      }
      if (has_tangent(l - 1)) {
        load_matrix(p.w[l - 1].of(t), out, in, w);
        transpose(w, out, in, wt);
      }
      if (has_tangent(l - 1) && u.w[l - 1].data)
        multiply<T>(s.n, in, out, {{tangent_of(l - 1), wt}, {h_of(l - 1), ut}},
                    z);
      else if (u.w[l - 1].data)
        multiply<T>(s.n, in, out, {{h_of(l - 1), ut}}, z);
      else if (has_tangent(l - 1))
        multiply<T>(s.n, in, out, {{tangent_of(l - 1), wt}}, z);
      else
        std::fill_n(z, at.rows(l), T(0));
      if (u.b[l - 1].data) {
        load_rows(u.b[l - 1].of(t), 1, out, row);
        add_row(s.n, at.ld(l), row, z);
      }
      if (l < layers) cut(at.rows(l), h_of(l), z);
    }
    store_rows(output, s.n, s.width[layers], to_gy + t * s.n * s.width[layers]);

    for (int64_t l = layers; l >= 1; --l) {
      const int64_t out = s.width[l], in = s.width[l - 1];
      const bool has_delta = l < layers;
      const T* const d = d_all + at.delta(l);
      std::fill_n(w, at.matrix(l), T(0));
      if (has_delta) add_outer(s.n, out, in, delta, h_of(l - 1), w);
      if (has_tangent(l - 1))
        add_outer(s.n, out, in, d, static_cast<const T*>(tangent_of(l - 1)), w);
      store_rows(w, out, in, to.w[l - 1].of(t));
      if (has_delta)
        sum_rows(s.n, at.ld(l), delta, row);
      else
        std::fill_n(row, at.ld(l), T(0));
      store_rows(row, 1, out, to.b[l - 1].of(t));
      if (l == 1 && !to_x) break;
      if (has_delta) load_matrix(p.w[l - 1].of(t), out, in, w);
      if (u.w[l - 1].data) load_matrix(u.w[l - 1].of(t), out, in, uw);
      if (has_delta && u.w[l - 1].data)
        multiply<T>(s.n, out, in, {{delta, w}, {d, uw}}, next);
      else if (has_delta)
        multiply<T>(s.n, out, in, {{delta, w}}, next);
      else if (u.w[l - 1].data)
        multiply<T>(s.n, out, in, {{d, uw}}, next);
      else
        std::fill_n(next, at.rows(l - 1), T(0));
      if (l > 1) cut(at.rows(l - 1), h_of(l - 1), next);
      std::swap(delta, next);
    }
    if (to_x) store_rows(delta, s.n, s.width[0], to_x + t * s.n * s.width[0]);
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
      T*);
PROTEAN_INSTANTIATE(float)
PROTEAN_INSTANTIATE(double)
#undef PROTEAN_INSTANTIATE

}  // namespace protean::ops::kernels
