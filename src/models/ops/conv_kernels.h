// 3x3 convolutions with padding 1 of T stacks of images in channels-last
// memory, and their two gradients, on the CPU.
//
// x: (T, n, H, W, in), y: (T, n, H', W', out), w: (T, out, in, 3, 3), all
// contiguous, float or double. Weights that tasks share are not repeated:
// their caller folds the tasks into the images, T = 1. Work is split over
// threads() threads; results have the same bits on any number of them.
#pragma once

#include <cstdint>

namespace protean::ops::kernels {

struct ConvShape {
  int64_t tasks, n;
  int64_t h, w;     // of x
  int64_t in, out;  // channels
  int64_t stride;   // 1 or 2
  int64_t h_out() const { return (h - 1) / stride + 1; }
  int64_t w_out() const { return (w - 1) / stride + 1; }
  int64_t weights() const { return 9 * in * out; }  // of one task
};

// Whether the kernels take these channels; the input gradient does not exist
// for thin inputs (fewer channels than a vector has lanes).
template <typename T>
bool conv_supported(int64_t in, int64_t out);
template <typename T>
bool conv_thin(int64_t in);

template <typename T>
void conv_forward(const ConvShape& s, const T* x, const T* w, T* y);
template <typename T>
void conv_input_gradient(const ConvShape& s, const T* gy, const T* w, T* gx);
template <typename T>
void conv_weight_gradient(const ConvShape& s, const T* x, const T* gy, T* gw);

}  // namespace protean::ops::kernels
