// One data set of Meta-Dataset, whatever its images lie in: classes and counts
// are those of its DatasetSpec, examples RGB bytes of side x side, read as
// [-1, 1] as the reference normalises them (2 (v / 255 - 0.5)).
#pragma once

#include <filesystem>

#include "protean/data/byte_dataset.h"
#include "protean/data/records/dataset_spec.h"

namespace protean {

class SpecDataset : public ByteDataset {
 public:
  virtual const DatasetSpec& spec() const = 0;
  // Identifies what was converted: equal for records and every pack of them,
  // at any side. checksum() is of this and the side.
  virtual std::string identity() const = 0;
  // What the images lie in: records, ...
  virtual std::string kind() const = 0;

  const std::vector<int64_t>& shape() const override { return shape_; }
  uint32_t classes() const override { return spec().classes(); }
  uint32_t size(uint32_t cls) const override { return spec().images.at(cls); }
  std::string class_name(uint32_t cls) const override;
  std::string group(uint32_t cls) const override {
    return spec().groups.at(cls);
  }
  std::string split(uint32_t cls) const override;
  ByteScale scale() const override { return {-1, 1}; }
  std::string checksum() const override;

 protected:
  explicit SpecDataset(uint32_t side) : shape_{3, side, side} {}
  uint32_t side() const { return static_cast<uint32_t>(shape_[1]); }

 private:
  std::vector<int64_t> shape_;
};

using SpecDatasetPtr = std::shared_ptr<const SpecDataset>;

// Whether `path` is for open_spec_dataset.
bool is_spec_dataset(const std::filesystem::path& path);

// A folder of records, or one pack of them. side: 0 = that of a raw pack, else
// 84; io: data.io. Throws DataError naming the file, ConfigError naming the
// key.
SpecDatasetPtr open_spec_dataset(const std::filesystem::path& path,
                                 uint32_t side, const std::string& io = "mmap");

}  // namespace protean
