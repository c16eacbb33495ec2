// NumPy arrays in, tensors out, and back: memory is shared, not copied, where
// type and layout allow.
#pragma once

#include <ATen/core/Tensor.h>
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

namespace protean::python {

namespace nb = nanobind;

// What Python gives: any array in host memory that speaks DLPack or the buffer
// protocol, converted to float32, or int64, in C order.
using Floats = nb::ndarray<const float, nb::c_contig, nb::device::cpu>;
using Labels =
    nb::ndarray<const int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

// The array must outlive the tensor, which is not to be written to.
at::Tensor tensor_of(const Floats& array);
// A NumPy array of the tensor's memory, which it keeps; float32, float64 or
// int64. An undefined tensor gives None.
nb::object array_of(const at::Tensor& tensor);

// (n, ...) examples of this shape, also given flat as (n, values). Throws
// ConfigError naming `what`.
at::Tensor examples_of(const Floats& array, at::IntArrayRef shape,
                       const char* what);

}  // namespace protean::python
