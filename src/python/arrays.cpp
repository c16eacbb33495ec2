#include "python/arrays.h"

#include <memory>
#include <vector>

#include <ATen/ATen.h>

#include "protean/core/error.h"

namespace protean::python {
namespace {

std::string text_of(at::IntArrayRef shape) {
  std::string text;
  for (int64_t d : shape) text += (text.empty() ? "" : ", ") + concat(d);
  return "(" + text + ")";
}

template <typename T>
nb::object numpy(const at::Tensor& tensor) {
  auto* kept = new at::Tensor(tensor.contiguous());
  const nb::capsule owner(
      kept, [](void* p) noexcept { delete static_cast<at::Tensor*>(p); });
  std::vector<size_t> shape(kept->sizes().begin(), kept->sizes().end());
  return nb::cast(nb::ndarray<nb::numpy, T>(kept->data_ptr<T>(), shape.size(),
                                            shape.data(), owner));
}

}  // namespace

at::Tensor tensor_of(const Floats& array) {
  std::vector<int64_t> shape;
  for (size_t i = 0; i < array.ndim(); ++i)
    shape.push_back(static_cast<int64_t>(array.shape(i)));
  return at::from_blob(const_cast<float*>(array.data()), shape, at::kFloat);
}

nb::object array_of(const at::Tensor& tensor) {
  if (!tensor.defined()) return nb::none();
  switch (tensor.scalar_type()) {
    case at::kFloat:
      return numpy<float>(tensor);
    case at::kDouble:
      return numpy<double>(tensor);
    case at::kLong:
      return numpy<int64_t>(tensor);
    default:
      throw Error("an array of a type that Python is not given");
  }
}

at::Tensor examples_of(const Floats& array, at::IntArrayRef shape,
                       const char* what) {
  const auto x = tensor_of(array);
  int64_t values = 1;
  for (int64_t d : shape) values *= d;
  const bool flat = x.dim() == 2 && x.size(1) == values;
  const bool whole = x.dim() > 0 && x.sizes().slice(1) == shape;
  if (!(flat || whole) || x.size(0) == 0)
    throw ConfigError(concat(what, ": an array of shape ", text_of(x.sizes()),
                             "; expected examples of shape ", text_of(shape),
                             ", one or more, or rows of ", values, " values"));
  std::vector<int64_t> full{x.size(0)};
  full.insert(full.end(), shape.begin(), shape.end());
  return x.view(full);
}

}  // namespace protean::python
