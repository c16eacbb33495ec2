// Data sets made of another one.
#pragma once

#include "protean/data/dataset.h"

namespace protean {

// Some classes of a data set, in the given order.
class SubsetDataset : public ClassDataset {
 public:
  // Throws ConfigError when a class does not exist or is named twice.
  SubsetDataset(DatasetPtr base, std::vector<uint32_t> classes);

  const std::vector<int64_t>& shape() const override { return base_->shape(); }
  uint32_t classes() const override {
    return static_cast<uint32_t>(ids_.size());
  }
  uint32_t size(uint32_t cls) const override {
    return base_->size(ids_.at(cls));
  }
  std::string class_name(uint32_t cls) const override {
    return base_->class_name(ids_.at(cls));
  }
  std::string group(uint32_t cls) const override {
    return base_->group(ids_.at(cls));
  }
  std::string split(uint32_t cls) const override {
    return base_->split(ids_.at(cls));
  }
  uint32_t quarter_turns(uint32_t cls) const override {
    return base_->quarter_turns(ids_.at(cls));
  }
  bool ink() const override { return base_->ink(); }
  std::string example_name(uint32_t cls, uint32_t example) const override {
    return base_->example_name(ids_.at(cls), example);
  }
  void read(uint32_t cls, uint32_t example, float* out) const override {
    base_->read(ids_.at(cls), example, out);
  }
  std::string checksum() const override;

 private:
  DatasetPtr base_;
  std::vector<uint32_t> ids_;
};

// Every quarter turn of a class as a class of its own: class 4 c + k is class c
// turned k times, named `name/rot000` to `name/rot270`.
class RotatedDataset : public ClassDataset {
 public:
  // Throws ConfigError unless examples are (channels, side, side).
  explicit RotatedDataset(DatasetPtr base);

  const std::vector<int64_t>& shape() const override { return base_->shape(); }
  uint32_t classes() const override { return 4 * base_->classes(); }
  uint32_t size(uint32_t cls) const override { return base_->size(cls / 4); }
  std::string class_name(uint32_t cls) const override;
  std::string group(uint32_t cls) const override {
    return base_->group(cls / 4);
  }
  std::string split(uint32_t cls) const override {
    return base_->split(cls / 4);
  }
  uint32_t quarter_turns(uint32_t cls) const override { return cls % 4; }
  bool ink() const override { return base_->ink(); }
  std::string example_name(uint32_t cls, uint32_t example) const override {
    return base_->example_name(cls / 4, example);
  }
  void read(uint32_t cls, uint32_t example, float* out) const override;
  std::string checksum() const override;

 private:
  DatasetPtr base_;
};

// Every value v of an image as 1 - v: ink and paper change places.
class InvertedDataset : public ClassDataset {
 public:
  explicit InvertedDataset(DatasetPtr base) : base_(std::move(base)) {}

  const std::vector<int64_t>& shape() const override { return base_->shape(); }
  uint32_t classes() const override { return base_->classes(); }
  uint32_t size(uint32_t cls) const override { return base_->size(cls); }
  std::string class_name(uint32_t cls) const override {
    return base_->class_name(cls);
  }
  std::string group(uint32_t cls) const override { return base_->group(cls); }
  std::string split(uint32_t cls) const override { return base_->split(cls); }
  uint32_t quarter_turns(uint32_t cls) const override {
    return base_->quarter_turns(cls);
  }
  std::string example_name(uint32_t cls, uint32_t example) const override {
    return base_->example_name(cls, example);
  }
  void read(uint32_t cls, uint32_t example, float* out) const override;
  std::string checksum() const override;

 private:
  DatasetPtr base_;
};

// The classes of several data sets, one set after the other.
class JoinedDataset : public ClassDataset {
 public:
  // Throws ConfigError when their examples differ in shape. names: of the sets,
  // for messages, and before class names and groups of all but the first.
  JoinedDataset(std::vector<DatasetPtr> sets, std::vector<std::string> names);

  const std::vector<int64_t>& shape() const override {
    return sets_[0]->shape();
  }
  uint32_t classes() const override { return begins_.back(); }
  uint32_t size(uint32_t cls) const override;
  std::string class_name(uint32_t cls) const override;
  std::string group(uint32_t cls) const override;
  std::string split(uint32_t cls) const override;
  uint32_t quarter_turns(uint32_t cls) const override;
  bool ink() const override { return sets_[0]->ink(); }
  std::string example_name(uint32_t cls, uint32_t example) const override;
  void read(uint32_t cls, uint32_t example, float* out) const override;
  std::string checksum() const override;
  // The first class of set i.
  uint32_t begin(size_t set) const { return begins_[set]; }
  size_t set_of(uint32_t cls) const { return place(cls).set; }

 private:
  struct Place {
    const ClassDataset& data;
    uint32_t cls;  // in it
    size_t set;
  };
  Place place(uint32_t cls) const;

  std::vector<DatasetPtr> sets_;
  std::vector<std::string> names_;
  std::vector<uint32_t> begins_;  // and the end
};

// The examples of a data set in other classes: clusters of them, or every image
// for itself. An example may be in several classes, and several times in one.
class ListedDataset : public ClassDataset {
 public:
  struct Example {
    uint32_t cls = 0, example = 0;  // of the base
  };
  // what: names the grouping, in class names and for the checksum.
  ListedDataset(DatasetPtr base, std::vector<std::vector<Example>> classes,
                std::string what);

  const std::vector<int64_t>& shape() const override { return base_->shape(); }
  uint32_t classes() const override {
    return static_cast<uint32_t>(classes_.size());
  }
  uint32_t size(uint32_t cls) const override {
    return static_cast<uint32_t>(classes_.at(cls).size());
  }
  std::string class_name(uint32_t cls) const override;
  std::string group(uint32_t) const override { return ""; }
  bool ink() const override { return base_->ink(); }
  void read(uint32_t cls, uint32_t example, float* out) const override;
  std::string checksum() const override;

 private:
  DatasetPtr base_;
  std::vector<std::vector<Example>> classes_;
  std::string what_;
};

// Turns (channels, side, side) counter-clockwise by `quarters` times 90
// degrees, in place; the same as numpy.rot90.
void rotate_quarter_turns(float* image, int64_t channels, int64_t side,
                          uint32_t quarters);

}  // namespace protean
