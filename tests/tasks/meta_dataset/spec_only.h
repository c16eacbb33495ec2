// Data sets of Meta-Dataset without images: a spec is all that sampling looks
// at.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "protean/data/open_dataset.h"
#include "protean/data/records/meta_dataset.h"

namespace protean {

// Example e of class c is a 2x2 image of the bytes c, e, e / 256.
class SpecOnly : public SpecDataset {
 public:
  explicit SpecOnly(DatasetSpec spec)
      : SpecDataset(2), spec_(std::move(spec)) {}
  const DatasetSpec& spec() const override { return spec_; }
  std::string identity() const override { return spec_.identity(); }
  std::string kind() const override { return "spec"; }
  void read_bytes(uint32_t c, uint32_t e, uint8_t* out) const override {
    for (int plane = 0; plane < 3; ++plane)
      for (int pixel = 0; pixel < 4; ++pixel)
        *out++ = static_cast<uint8_t>(plane == 0   ? c
                                      : plane == 1 ? e
                                                   : e / 256);
  }

 private:
  DatasetSpec spec_;
};

inline DatasetSpec real_spec(const std::string& name) {
  return read_dataset_spec(
      find_config("meta-dataset/specs/" + name + "_dataset_spec.json"));
}

inline MetaDatasetPtr only(const std::vector<DatasetSpec>& specs) {
  std::vector<SpecDatasetPtr> sets;
  for (const auto& spec : specs)
    sets.push_back(std::make_shared<SpecOnly>(spec));
  return std::make_shared<MetaDataset>(std::move(sets));
}

// Classes of so many images, all in one split.
inline DatasetSpec flat_spec(const std::string& name,
                             std::vector<uint32_t> images, int split = 0) {
  DatasetSpec spec;
  spec.name = name;
  spec.images = std::move(images);
  spec.classes_per_split[split] = spec.classes();
  ClassSet all;
  for (uint32_t c = 0; c < spec.classes(); ++c) {
    all.classes.push_back(c);
    spec.class_names.push_back(std::to_string(c));
    spec.groups.emplace_back();
  }
  spec.sets[split].push_back(std::move(all));
  return spec;
}

}  // namespace protean
