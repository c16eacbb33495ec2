// A data set of Meta-Dataset in one file: class after class, in the order of
// the records that it was made of, so that a task is the same whichever of the
// two it is read from.
//
//   raw      RGB bytes, resized once to one side: reading an image is a copy
//   encoded  the records' own JPEGs: smaller, of any side, decoded when read
//
// Little-endian: a 64-byte head, one JSON object (the dataset_spec, what was
// packed and how), a CRC32C per image, for encoded images their places and
// lengths, then the images. The head's checksum covers all before the images;
// an image's own is checked whenever it is read. Nothing is kept in memory per
// image but what the file is mapped to.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "protean/data/records/spec_dataset.h"

namespace protean {

constexpr uint32_t kRecordPackVersion = 1;

struct RecordPackOptions {
  bool encoded = false;
  uint32_t side = 84;  // of raw images
  int threads = 1;
};

struct RecordPackResult {
  uint64_t images = 0;   // in all
  uint64_t resumed = 0;  // of these, packed by an earlier call
  uint64_t bytes = 0;    // of the file
};

// Packs a folder of records, classes by several threads at once. Images go to
// FILE.part and, as classes are done and synced, their numbers to FILE.done: a
// call that was killed is taken up where it was, as long as records and options
// are the same; others begin anew. FILE itself appears whole. progress: called
// with the images done, one call at a time; may be empty. Throws DataError
// naming the record that is broken, ConfigError naming the option.
RecordPackResult pack_records(
    const std::filesystem::path& records, const std::filesystem::path& file,
    const RecordPackOptions& options,
    const std::function<void(uint64_t images)>& progress);

// Whether a file begins as a pack of records does.
bool is_record_pack(const std::filesystem::path& file);

// How its images are read; see data.io.
enum class PackIo { mmap, pread, ram };
PackIo parse_pack_io(const std::string& name);

class RecordPack : public SpecDataset {
 public:
  // Checks everything but the images. side: what images are read as; that of
  // raw ones. 0: that of raw ones, or 84. Throws DataError naming the file,
  // ConfigError naming data.side.
  static std::shared_ptr<const RecordPack> open(
      const std::filesystem::path& file, uint32_t side,
      PackIo io = PackIo::mmap);
  ~RecordPack() override;

  const DatasetSpec& spec() const override;
  std::string identity() const override;
  std::string kind() const override;
  void read_bytes(uint32_t cls, uint32_t example, uint8_t* out) const override;
  // SHA-256 of what was packed and of every image's checksum.
  const std::string& content_sha256() const;
  uint64_t records() const;

 private:
  struct Index;
  RecordPack(std::unique_ptr<Index> index, uint32_t side);
  std::unique_ptr<Index> index_;
};

}  // namespace protean
