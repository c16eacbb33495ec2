// Records as Meta-Dataset's conversion leaves them: a folder with
// dataset_spec.json and <class>.tfrecords, one file per class.
//
// Opening reads the spec and the files' sizes. A class's records are counted
// when it is first read, by hopping from length to length: a count other than
// the spec's would let support and query overlap. Reading checks the payload's
// CRC32C and the label, then decodes (photo.h). Files stay mapped once read.
#pragma once

#include <memory>

#include "protean/data/records/spec_dataset.h"

namespace protean {

class RecordsDataset : public SpecDataset {
 public:
  // Throws DataError naming the file that is missing or broken.
  RecordsDataset(const std::filesystem::path& folder, uint32_t side);
  ~RecordsDataset() override;

  const DatasetSpec& spec() const override { return spec_; }
  std::string identity() const override { return identity_; }
  std::string kind() const override { return "records"; }
  void read_bytes(uint32_t cls, uint32_t example, uint8_t* out) const override;
  // The encoded image, which stays as long as this does.
  std::string_view encoded(uint32_t cls, uint32_t example) const;
  // "FILE: record 3 at byte 120".
  std::string place(uint32_t cls, uint32_t example) const;

 private:
  struct ClassFile;
  const ClassFile& file_of(uint32_t cls) const;

  std::filesystem::path folder_;
  DatasetSpec spec_;
  std::string identity_;
  std::unique_ptr<ClassFile[]> files_;
};

}  // namespace protean
