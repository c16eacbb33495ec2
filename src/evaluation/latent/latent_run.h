// What every part of a latent report looks at: a trained generator, and the
// classes of a split that it has not seen.
#pragma once

#include <string>
#include <vector>

#include "protean/data/dataset.h"
#include "protean/data/image_sheet.h"
#include "protean/generative/known_class.h"

namespace protean {

struct LatentRun {
  GenerativeLearnerPtr learner;
  MetaView meta;
  DatasetPtr data;
  std::vector<uint32_t> classes;  // of the split, by their number in data
  uint64_t seed = 0;

  // What single images of each class say of it, (n, c) by class.
  std::vector<at::Tensor> codes() const;
  // A class as the first images of it, at most `shots`, tell it. Throws
  // ConfigError when these are fewer than the model was trained on.
  KnownClass known(uint32_t cls, int64_t shots) const;
  ImageFormat format() const { return {learner->image_shape(), data->ink()}; }
};

// Images x (1, n, C, H, W) into one row of a sheet, from a column on.
void place_row(ImageSheet& sheet, int64_t row, int64_t column,
               const at::Tensor& x);

}  // namespace protean
