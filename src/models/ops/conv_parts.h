// The three ways to compute a convolution, for one task and some of its
// images; conv_kernels.cpp chooses between them and spreads the work.
//
// Packed weights: (tap, depth, columns), tap = 3 * row + column.
#pragma once

#include "models/ops/conv_kernels.h"

namespace protean::ops::kernels {

// (out, in, 3, 3) -> (9, in, out), and back.
template <typename T>
void pack_weights(const ConvShape& s, const T* w, T* packed);
template <typename T>
void unpack_weights(const ConvShape& s, const T* packed, T* w);
// (9, in, out) -> (9, out, in), with taps in reverse order when mirror.
template <typename T>
void swap_channels(const ConvShape& s, const T* packed, bool mirror,
                   T* swapped);

// Direct: any stride, in and out multiples of the lanes. Pixels with the same
// valid taps share a tile, so nothing is computed on padding.
template <typename T>
void direct_forward(const ConvShape& s, const T* x, const T* packed,
                    int64_t first, int64_t last, T* y);
template <typename T>
void direct_input_gradient(const ConvShape& s, const T* gy, const T* swapped,
                           int64_t first, int64_t last, T* gx);
// Adds the sums over all images to output channels [first, last), whole lanes,
// of packed gw; likewise the other two below.
template <typename T>
void direct_weight_gradient(const ConvShape& s, const T* x, const T* gy,
                            int64_t first, int64_t last, T* gw);

// Winograd's F(2x2, 3x3) (Lavin and Gray 2015, arXiv:1509.09308): stride 1, 16
// products where the direct way takes 36. Its constants are 1 and 1/2, so
// rounding stays close to the direct sum's.
// Weights become (16, in, out).
template <typename T>
void winograd_weights(int64_t in, int64_t out, const T* packed, T* u);
template <typename T>
void winograd_forward(const ConvShape& s, const T* x, const T* u, int64_t first,
                      int64_t last, T* y);
// Adds to m, (16, in, out); winograd_gradient() makes packed gw of it.
template <typename T>
void winograd_products(const ConvShape& s, const T* x, const T* gy,
                       int64_t first, int64_t last, T* m);
template <typename T>
void winograd_gradient(int64_t in, int64_t out, const T* m, T* gw);

// Thin: few input channels (the images themselves), any stride.
template <typename T>
void thin_forward(const ConvShape& s, const T* x, const T* packed,
                  int64_t first, int64_t last, T* y);
template <typename T>
void thin_weight_gradient(const ConvShape& s, const T* x, const T* gy,
                          int64_t first, int64_t last, T* gw);

}  // namespace protean::ops::kernels
