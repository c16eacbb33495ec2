// Several data sets of Meta-Dataset as one: the classes of each follow those of
// the set before it, sets in the order of their names.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "protean/data/records/spec_dataset.h"
#include "protean/data/splits.h"

namespace protean {

class MetaDataset : public ByteDataset {
 public:
  struct Source {
    SpecDatasetPtr data;
    uint32_t begin = 0;  // number of its first class
    const std::string& name() const { return data->spec().name; }
  };

  // Throws ConfigError when there is no set, DataError when two have one name.
  explicit MetaDataset(std::vector<SpecDatasetPtr> sets);

  const std::vector<Source>& sources() const { return sources_; }
  // Of all sets.
  Splits splits() const;

  const std::vector<int64_t>& shape() const override {
    return sources_[0].data->shape();
  }
  uint32_t classes() const override { return classes_; }
  uint32_t size(uint32_t cls) const override;
  // NAME OF THE SET/NAME.
  std::string class_name(uint32_t cls) const override;
  std::string group(uint32_t cls) const override;
  std::string split(uint32_t cls) const override;
  ByteScale scale() const override { return sources_[0].data->scale(); }
  void read_bytes(uint32_t cls, uint32_t example, uint8_t* out) const override;
  std::string checksum() const override;

 private:
  const Source& source_of(uint32_t cls) const;

  std::vector<Source> sources_;
  uint32_t classes_ = 0;
};

using MetaDatasetPtr = std::shared_ptr<const MetaDataset>;

// data.path: a folder of records (with dataset_spec.json), a pack of records,
// or a folder that holds some of both. sets (data.sets): the names of those
// that are opened, comma-separated; empty: all. side, io: see
// open_spec_dataset. Throws ConfigError naming the key, DataError naming the
// file.
std::vector<SpecDatasetPtr> open_spec_datasets(const std::string& path,
                                               const std::string& sets,
                                               uint32_t side,
                                               const std::string& io = "mmap");
MetaDatasetPtr open_meta_dataset(const std::string& path,
                                 const std::string& sets, uint32_t side,
                                 const std::string& io = "mmap");

}  // namespace protean
