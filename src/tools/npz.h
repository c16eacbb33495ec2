// NumPy's .npz: a zip of .npy files, uncompressed, with no time in it, so that
// equal arrays give equal bytes.
#pragma once

#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

namespace protean {

struct NamedArray {
  std::string name;
  at::Tensor values;  // float32 or int64, on the host
};

// The file's bytes. Throws Error where the library fails.
std::string npz(const std::vector<NamedArray>& arrays);

}  // namespace protean
