#include "protean/data/records/records_dataset.h"

#include <mutex>
#include <optional>

#include "protean/core/error.h"
#include "protean/core/hash.h"
#include "protean/data/records/photo.h"
#include "protean/data/records/tf_example.h"
#include "protean/data/records/tf_record.h"

#include "data/mapped_file.h"

namespace protean {
namespace {

namespace fs = std::filesystem;

fs::path class_path(const fs::path& folder, uint32_t cls) {
  return folder / concat(cls, ".tfrecords");
}

}  // namespace

// Mapped and counted at the first look.
struct RecordsDataset::ClassFile {
  std::once_flag once;
  std::string name;
  std::optional<Bytes> bytes;
  std::vector<uint64_t> begins;  // of each record

  std::string_view view() const {
    return {reinterpret_cast<const char*>(bytes->data()), bytes->size()};
  }

  void open(const fs::path& path, uint32_t count) {
    name = path.string();
    bytes.emplace(Bytes::map(path));
    begins.reserve(count);
    for (uint64_t at = 0; at < bytes->size();) {
      begins.push_back(at);
      at = record_span(view(), at, begins.size() - 1, name).next;
    }
    if (begins.size() != count)
      throw DataError(concat(name, ": ", begins.size(),
                             " records; dataset_spec.json says ", count));
  }
};

RecordsDataset::RecordsDataset(const fs::path& folder, uint32_t side)
    : SpecDataset(side),
      folder_(folder),
      spec_(read_dataset_spec(folder / "dataset_spec.json")),
      files_(std::make_unique<ClassFile[]>(spec_.classes())) {
  Sha256 sha;
  const std::string meaning = spec_.identity();
  sha.add(meaning.data(), meaning.size());
  for (uint32_t c = 0; c < spec_.classes(); ++c) {
    std::error_code error;
    const auto path = class_path(folder, c);
    const uint64_t size = fs::file_size(path, error);
    if (error)
      throw DataError(concat(path.string(), ": ", error.message(),
                             "; dataset_spec.json says that it holds ",
                             spec_.images[c], " records"));
    sha.add(&size, sizeof size);
  }
  identity_ = sha.hex();
}

RecordsDataset::~RecordsDataset() = default;

const RecordsDataset::ClassFile& RecordsDataset::file_of(uint32_t cls) const {
  if (cls >= spec_.classes())
    throw DataError(concat(folder_.string(), ": class ", cls,
                           "; expected below ", spec_.classes()));
  ClassFile& file = files_[cls];
  std::call_once(file.once, [&] {
    file.bytes.reset();
    file.begins.clear();
    file.open(class_path(folder_, cls), spec_.images[cls]);
  });
  return file;
}

std::string RecordsDataset::place(uint32_t cls, uint32_t example) const {
  const ClassFile& file = file_of(cls);
  return record_place(file.name, example, file.begins.at(example));
}

std::string_view RecordsDataset::encoded(uint32_t cls, uint32_t example) const {
  const ClassFile& file = file_of(cls);
  if (example >= file.begins.size())
    throw DataError(concat(file.name, ": record ", example, "; expected below ",
                           file.begins.size()));
  const auto record =
      record_at(file.view(), file.begins[example], example, file.name);
  const std::string where = place(cls, example);
  const auto parsed = parse_image_example(record.payload, where);
  if (parsed.label != cls)
    throw DataError(concat(where, ": label ", parsed.label, "; expected ", cls,
                           ", the number of the file"));
  return parsed.image;
}

void RecordsDataset::read_bytes(uint32_t cls, uint32_t example,
                                uint8_t* out) const {
  const auto image = encoded(cls, example);
  decode_photo(image, side(), place(cls, example), out);
}

}  // namespace protean
