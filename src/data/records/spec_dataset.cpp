#include "protean/data/records/spec_dataset.h"

#include "protean/core/error.h"
#include "protean/core/hash.h"
#include "protean/data/records/record_pack.h"
#include "protean/data/records/records_dataset.h"

namespace protean {

std::string SpecDataset::class_name(uint32_t cls) const {
  const std::string& name = spec().class_names.at(cls);
  const std::string& group = spec().groups.at(cls);
  // Unique, whatever the spec calls them: flat names may come twice.
  return concat(group.empty() ? "" : group + "/", cls, ":", name);
}

std::string SpecDataset::split(uint32_t cls) const {
  static const char* kNames[] = {"train", "validation", "test"};
  return kNames[spec().split_of(cls)];
}

std::string SpecDataset::checksum() const {
  const std::string text = concat("meta-dataset ", side(), " ", identity());
  return sha256_hex(text.data(), text.size());
}

bool is_spec_dataset(const std::filesystem::path& path) {
  return std::filesystem::exists(path / "dataset_spec.json") ||
         (std::filesystem::is_regular_file(path) && is_record_pack(path));
}

SpecDatasetPtr open_spec_dataset(const std::filesystem::path& path,
                                 uint32_t side, const std::string& io) {
  const PackIo how = parse_pack_io(io);
  if (!std::filesystem::is_directory(path))
    return RecordPack::open(path, side, how);
  if (how != PackIo::mmap)
    throw ConfigError(concat("data.io = ", io, " is for packs, but ",
                             path.string(),
                             " holds records; expected mmap, or a pack"));
  return std::make_shared<RecordsDataset>(path, side ? side : 84);
}

}  // namespace protean
