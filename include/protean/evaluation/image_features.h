// Networks in whose features generated images are judged.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "protean/experiment/stored_run.h"

namespace protean {

struct ImageFeatures {
  std::string name;
  std::string sha256;  // of the weights, or of the file
  // (n, C, H, W) -> (n, f)
  std::function<at::Tensor(const at::Tensor&)> of;
};

// What the learner's features are without a task. Throws ConfigError when the
// run takes images of another shape (C, H, W), Error when its learner has no
// features.
ImageFeatures features_of(const StoredRun& run,
                          const std::vector<int64_t>& image);

// A user's network as TorchScript, on the CPU: takes images (n, C, H, W) as the
// run has them, float in [0, 1] with ink 1, and returns float (n, f); what else
// it wants (other sizes, three channels, mean and scale) is for the script to
// do. Throws ConfigError naming the file when it is none, fails on such images,
// or returns anything else.
ImageFeatures features_of_script(const std::string& file,
                                 const std::vector<int64_t>& image);

}  // namespace protean
