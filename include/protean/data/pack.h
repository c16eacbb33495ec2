// The pack: one file that holds a whole data set, class after class.
//
// Little-endian. A 64-byte head (magic, version, lengths, checksum), one JSON
// object (shape, encoding, classes, preparation, provenance), one CRC32C per
// record, the records' source names, zeros up to a multiple of 64, then the
// records, all of one length. The head's checksum covers everything before the
// records, so a changed byte anywhere is found. Images are decoded, resized and
// oriented once, when packed: reading one is a copy.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "protean/data/dataset.h"
#include "protean/data/options.h"

namespace protean {

constexpr uint32_t kPackVersion = 1;

// How one value is stored.
//   bit1  one bit, most significant first; 1 = ink; read as 0 or 1
//   u8    one byte; read as value / 255
enum class Encoding { bit1, u8 };

struct PackOptions {
  // omniglot | folder, or auto: omniglot when the names say so.
  std::string source = "auto";
  uint32_t side = 28;  // pixels
  // Of a folder: data.filter, data.channels and data.fit.
  std::string filter = "area";
  uint32_t channels = 0;
  std::string fit = "stretch";
};

// Reads a zip or a folder of images and writes `path`, atomically. Equal images
// under equal names give equal bytes. Throws DataError naming the file that is
// missing or broken, ConfigError naming the option.
void pack_dataset(const std::filesystem::path& source,
                  const std::filesystem::path& path,
                  const PackOptions& options = {});

// The same pack as a string, not written anywhere.
std::string pack_in_memory(const std::filesystem::path& source,
                           const PackOptions& options = {});

struct PackIndex;

// A pack as a data set. The file stays mapped for the object's life.
// Reading checks the record's CRC32C every time.
class PackDataset : public ClassDataset {
 public:
  // Maps the file read-only and checks everything but the records. Throws
  // DataError naming the file and what is wrong with it.
  static std::shared_ptr<const PackDataset> open(
      const std::filesystem::path& path);
  // `name` stands for the file in messages.
  static std::shared_ptr<const PackDataset> from_bytes(std::string bytes,
                                                       std::string name);
  ~PackDataset() override;

  const std::vector<int64_t>& shape() const override;
  uint32_t classes() const override;
  uint32_t size(uint32_t cls) const override;
  std::string class_name(uint32_t cls) const override;
  std::string group(uint32_t cls) const override;
  std::string split(uint32_t cls) const override;
  bool ink() const override;
  std::string example_name(uint32_t cls, uint32_t example) const override {
    return record_name(cls, example);
  }
  void read(uint32_t cls, uint32_t example, float* out) const override;
  // SHA-256 of shape, encoding, classes, names, preparation and records: where
  // the images came from, zip or folder, does not matter.
  std::string checksum() const override;

  const std::string& name() const;  // the file, or what stands for it
  uint64_t bytes() const;
  Encoding encoding() const;
  uint64_t records() const;
  // File name of an example at the source: "0709_01.png" (drawer 01).
  std::string record_name(uint32_t cls, uint32_t example) const;
  // Where the images came from (source, source_sha256, skipped) and what was
  // done to them (side, filter, fit, ink or channels), as (key, value).
  std::vector<std::pair<std::string, std::string>> provenance() const;
  // One line per damaged record; a last one if the whole does not match its
  // SHA-256. Empty = sound.
  std::vector<std::string> verify() const;

 private:
  explicit PackDataset(std::unique_ptr<PackIndex> index);
  std::unique_ptr<PackIndex> index_;
};

// What `protean inspect` prints.
struct PackDescription {
  struct Split {
    uint64_t classes = 0, images = 0;
  };
  std::string path;
  uint64_t classes = 0, images = 0, groups = 0;
  uint32_t smallest_class = 0, largest_class = 0;  // images
  std::vector<int64_t> shape;
  std::string encoding, checksum;
  uint64_t bytes = 0;
  // train, validation, test; empty when the pack stores no split and is not the
  // Omniglot background set.
  std::vector<std::pair<std::string, Split>> splits;
  std::vector<std::pair<std::string, std::string>> provenance;
};

PackDescription describe_pack(const std::filesystem::path& path);
PackDescription describe_pack(const PackDataset& pack);
// Keys classes, images, splits {name: {classes, images}}, groups, shape,
// encoding, checksum, bytes, path, provenance.
nlohmann::json to_json(const PackDescription& description);

// Re-reads every record: PackDataset::verify of the file.
std::vector<std::string> verify_pack(const std::filesystem::path& path);

}  // namespace protean
