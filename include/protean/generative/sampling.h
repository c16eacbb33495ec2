// Images of a class from a few of its images, written as files.
#pragma once

#include <filesystem>

#include "protean/data/image_sheet.h"
#include "protean/generative/generative_learner.h"

namespace protean {

struct SamplingOptions {
  int64_t count = 64;      // images
  uint64_t seed = 0;       // another seed, other images
  double temperature = 1;  // see class_sampler.h
};

constexpr int64_t kMostSamples = 1 << 20;

// Adapts to the support images and writes `out`/sample-000001.png, ... and
// `out`/grid.png: the support images in the first row, then the first samples,
// ten in a row. The folder appears whole or not at all. Memory does not grow
// with the count. Equal arguments give equal files. Throws ConfigError on an
// impossible count or temperature, on fewer support images than the model
// needs, or on an `out` that exists; NumericError when the model has diverged;
// DataError when files cannot be written.
void write_samples(const GenerativeLearner& learner, const MetaView& meta,
                   const ImageFolder& support, const ImageFormat& format,
                   const SamplingOptions& options,
                   const std::filesystem::path& out);

}  // namespace protean
