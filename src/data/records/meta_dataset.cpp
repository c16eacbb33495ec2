#include "protean/data/records/meta_dataset.h"

#include <algorithm>
#include <set>

#include "protean/core/error.h"
#include "protean/core/hash.h"
#include "protean/core/lists.h"
#include "protean/data/records/verify.h"

namespace protean {
namespace {

namespace fs = std::filesystem;

// `path` itself, or what it holds; empty when neither is any.
std::vector<fs::path> sources_in(const fs::path& path) {
  if (is_spec_dataset(path)) return {path};
  std::vector<fs::path> found;
  if (!fs::is_directory(path)) return found;
  for (const auto& entry : fs::directory_iterator(path))
    if (is_spec_dataset(entry.path())) found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

MetaDataset::MetaDataset(std::vector<SpecDatasetPtr> sets) {
  if (sets.empty()) throw ConfigError("data.sets leaves no data set");
  std::sort(sets.begin(), sets.end(), [](const auto& a, const auto& b) {
    return a->spec().name < b->spec().name;
  });
  for (auto& set : sets) {
    if (!sources_.empty() && sources_.back().name() == set->spec().name)
      throw DataError(concat("two data sets are called ", set->spec().name,
                             "; expected one"));
    sources_.push_back({set, classes_});
    classes_ += set->classes();
  }
}

const MetaDataset::Source& MetaDataset::source_of(uint32_t cls) const {
  if (cls >= classes_)
    throw Error(concat("class ", cls, "; expected below ", classes_));
  const auto above = std::upper_bound(
      sources_.begin(), sources_.end(), cls,
      [](uint32_t c, const Source& source) { return c < source.begin; });
  return *std::prev(above);
}

uint32_t MetaDataset::size(uint32_t cls) const {
  const auto& s = source_of(cls);
  return s.data->size(cls - s.begin);
}

std::string MetaDataset::class_name(uint32_t cls) const {
  const auto& s = source_of(cls);
  return s.name() + "/" + s.data->class_name(cls - s.begin);
}

std::string MetaDataset::group(uint32_t cls) const {
  const auto& s = source_of(cls);
  const auto group = s.data->group(cls - s.begin);
  return group.empty() ? s.name() : s.name() + "/" + group;
}

std::string MetaDataset::split(uint32_t cls) const {
  const auto& s = source_of(cls);
  return s.data->split(cls - s.begin);
}

void MetaDataset::read_bytes(uint32_t cls, uint32_t example,
                             uint8_t* out) const {
  const auto& s = source_of(cls);
  s.data->read_bytes(cls - s.begin, example, out);
}

std::string MetaDataset::checksum() const {
  Sha256 sha;
  for (const auto& s : sources_) {
    const std::string own = s.data->checksum();
    sha.add(own.data(), own.size());
  }
  return sha.hex();
}

Splits MetaDataset::splits() const {
  Splits splits;
  std::vector<uint32_t>* to[] = {&splits.train, &splits.validation,
                                 &splits.test};
  for (const auto& s : sources_)
    for (uint32_t c = 0; c < s.data->classes(); ++c)
      to[s.data->spec().split_of(c)]->push_back(s.begin + c);
  return splits;
}

bool holds_records(const fs::path& path) { return !sources_in(path).empty(); }

std::vector<SpecDatasetPtr> open_spec_datasets(const std::string& path,
                                               const std::string& sets,
                                               uint32_t side,
                                               const std::string& io) {
  if (path.empty())
    throw ConfigError(
        "data.path is empty; expected a folder of Meta-Dataset's records, or "
        "one that holds several");
  const auto listed = comma_separated(sets);
  std::set<std::string> wanted(listed.begin(), listed.end());
  std::vector<SpecDatasetPtr> found;
  std::vector<std::string> names;
  const auto places = sources_in(path);
  if (places.empty())
    throw DataError(
        concat(path, ": no dataset_spec.json or pack of records in it"));
  for (const auto& place : places) {
    auto set = open_spec_dataset(place, side, io);
    const std::string& name = set->spec().name;
    names.push_back(name);
    if (sets.empty() || wanted.erase(name) > 0) found.push_back(std::move(set));
  }
  if (!wanted.empty())
    throw ConfigError(concat("data.sets = \"", sets, "\": no data set ",
                             *wanted.begin(), " in ", path,
                             "; expected some of: ", joined(names)));
  return found;
}

MetaDatasetPtr open_meta_dataset(const std::string& path,
                                 const std::string& sets, uint32_t side,
                                 const std::string& io) {
  return std::make_shared<MetaDataset>(
      open_spec_datasets(path, sets, side, io));
}

}  // namespace protean
