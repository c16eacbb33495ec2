// Classes of images that say which they are.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "protean/core/error.h"
#include "protean/data/dataset.h"

namespace protean {

// Class c has sizes[c] examples; each is a 1x2x2 image (c, e, 1, 0).
class ToyClasses : public ClassDataset {
 public:
  explicit ToyClasses(std::vector<uint32_t> sizes) : sizes_(std::move(sizes)) {}
  const std::vector<int64_t>& shape() const override { return shape_; }
  uint32_t classes() const override {
    return static_cast<uint32_t>(sizes_.size());
  }
  uint32_t size(uint32_t c) const override { return sizes_.at(c); }
  std::string class_name(uint32_t c) const override { return concat("c", c); }
  std::string group(uint32_t) const override { return ""; }
  void read(uint32_t c, uint32_t e, float* out) const override {
    out[0] = static_cast<float>(c);
    out[1] = static_cast<float>(e);
    out[2] = 1;
    out[3] = 0;
  }
  std::string checksum() const override { return "toy"; }

 private:
  std::vector<uint32_t> sizes_;
  std::vector<int64_t> shape_{1, 2, 2};
};

}  // namespace protean
