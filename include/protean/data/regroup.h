// Examples in other classes than those they came in (data.group_by).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "protean/data/dataset.h"

namespace protean {

class RegroupedDataset : public ClassDataset {
 public:
  // by: "alphabet" makes one class of every group: whose script is this?
  // "drawer" one of every drawer of a group, told by the example's file name
  // (0709_03.png): whose hand is this? Throws ConfigError when the examples
  // have no group or no drawer.
  RegroupedDataset(DatasetPtr base, const std::string& by);

  const std::vector<int64_t>& shape() const override { return base_->shape(); }
  uint32_t classes() const override {
    return static_cast<uint32_t>(classes_.size());
  }
  uint32_t size(uint32_t cls) const override {
    return static_cast<uint32_t>(classes_.at(cls).examples.size());
  }
  std::string class_name(uint32_t cls) const override {
    return classes_.at(cls).name;
  }
  std::string group(uint32_t cls) const override {
    return classes_.at(cls).group;
  }
  std::string split(uint32_t cls) const override {
    return classes_.at(cls).split;
  }
  bool ink() const override { return base_->ink(); }
  std::string example_name(uint32_t cls, uint32_t example) const override {
    const auto [c, e] = classes_.at(cls).examples.at(example);
    return base_->example_name(c, e);
  }
  void read(uint32_t cls, uint32_t example, float* out) const override {
    const auto [c, e] = classes_.at(cls).examples.at(example);
    base_->read(c, e, out);
  }
  std::string checksum() const override;

 private:
  struct Class {
    std::string name, group, split;
    std::vector<std::pair<uint32_t, uint32_t>> examples;  // of base_
  };
  DatasetPtr base_;
  std::string by_;
  std::vector<Class> classes_;  // by name
};

// "03" of "0709_03.png"; empty when the name has no such part.
std::string drawer_of(const std::string& example_name);

}  // namespace protean
