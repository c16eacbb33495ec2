// A made-up Meta-Dataset: real TFRecords and a real dataset_spec.json, of
// images that are drawn instead of photographed, so that the whole path from
// file to gradient runs at any scale anywhere.
//
// A class is an outline (a circle bent by four harmonics) filled with stripes
// of its own width and direction. Each of its images is that figure at another
// place, size and turn, on a shaded ground, with noise; both colours are drawn
// anew for every image, so that colour says nothing of the class. Everything
// depends on the data set's name, the class, the image and the seed alone.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "protean/data/image_codec.h"

namespace protean {

struct SynthesiseOptions {
  // A class of n images gets max(min(n, 20), round(n scale)) of them.
  double scale = 1;
  uint32_t side = 84;  // pixels
  uint64_t seed = 0;
  int threads = 1;
};

// Image number `image` of a class of the data set called `name`.
Image synthetic_image(const std::string& name, uint32_t cls, uint32_t image,
                      uint32_t side, uint64_t seed);

struct Synthesised {
  std::string name;
  uint64_t classes = 0, images = 0, bytes = 0;
};

// Makes folder/<name of the spec>/ with <class>.tfrecords and, last, the scaled
// dataset_spec.json: what was cut short has none and is no data set. progress:
// called with the images done, from any thread, one call at a time; may be
// empty. Throws ConfigError when there is such a data set already or an option
// is impossible, DataError naming the spec or the file.
Synthesised synthesise(const std::filesystem::path& spec,
                       const std::filesystem::path& folder,
                       const SynthesiseOptions& options,
                       const std::function<void(uint64_t images)>& progress);

}  // namespace protean
