// The passes of the fused MLP over one task: forward, backward, and the
// tangents of both.
#pragma once

#include <algorithm>
#include <cstdint>

#include "models/ops/mlp_products.h"
#include "models/ops/scratch.h"

namespace protean::ops::kernels {

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

}  // namespace protean::ops::kernels
