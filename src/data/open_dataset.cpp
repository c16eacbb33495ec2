#include "protean/data/open_dataset.h"

#include <cstdlib>
#include <fstream>
#include <vector>

#include "protean/core/error.h"
#include "protean/core/log.h"
#include "protean/data/ink.h"
#include "protean/data/pack.h"
#include "protean/data/regroup.h"
#include "protean/data/stored_data.h"
#include "protean/data/wrappers.h"

#include "data/pack_format.h"

namespace protean {
namespace {

namespace fs = std::filesystem;

bool is_pack(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  char magic[sizeof kPackMagic] = {};
  return in.read(magic, sizeof magic) &&
         std::equal(magic, magic + sizeof magic, kPackMagic);
}

DatasetPtr open_pack(const fs::path& path, const DataOptions& options) {
  auto pack = PackDataset::open(path);
  const auto& shape = pack->shape();
  if (shape.size() == 3 && shape[1] != options.side)
    throw ConfigError(concat("data.side = ", options.side, ", but ",
                             path.string(), " holds images of ", shape[1], "x",
                             shape[2], "; expected data.side = ", shape[1],
                             " or a new pack"));
  return pack;
}

DatasetPtr open_source(const DataOptions& options, std::string* skipped) {
  const std::string& source = options.source;
  if (source != "auto" && source != "omniglot" && source != "pack" &&
      source != "folder")
    throw ConfigError(concat("data.source = \"", source,
                             source == "sinusoid"
                                 ? "\" has no examples to open"
                                 : "\"; expected one of: auto, omniglot, pack, "
                                   "folder, sinusoid, table, text, point, "
                                   "bandit"));
  if (options.path.empty()) {
    if (source == "folder")
      throw ConfigError("data.path is empty; expected the folder of images");
    return open_pack(find_config("omniglot/background.pack"), options);
  }
  if (source == "pack" || (source != "folder" && is_pack(options.path)))
    return open_pack(options.path, options);
  PackOptions pack;
  pack.source = source;
  pack.side = options.side;
  pack.filter = options.filter;
  pack.fit = options.fit;
  pack.channels = options.channels;
  const auto data =
      PackDataset::from_bytes(pack_in_memory(options.path, pack), options.path);
  for (const auto& [key, value] : data->provenance())
    if (key == "skipped" && skipped) *skipped = value;
  return data;
}

}  // namespace

DatasetPtr open_dataset(const DataOptions& options, std::string* skipped) {
  if (skipped) skipped->clear();
  if (options.rotations != "none" && options.rotations != "classes" &&
      options.rotations != "task")
    throw ConfigError(concat("data.rotations = \"", options.rotations,
                             "\"; expected one of: none, classes, task"));
  DatasetPtr data = open_source(options, skipped);
  if (options.group_by == "alphabet" || options.group_by == "drawer")
    data =
        std::make_shared<RegroupedDataset>(std::move(data), options.group_by);
  else if (!options.group_by.empty() && options.group_by != "class")
    throw ConfigError(concat("data.group_by = \"", options.group_by,
                             "\"; expected one of: class, alphabet, drawer"));
  // Drawings of a folder, dark on light, for a run that knows ink as 1.
  if (options.stored && options.stored->ink && !options.invert &&
      !data->ink() && is_dark_on_light(*data)) {
    log_info(concat(options.path, ": dark ink on light paper, which the run ",
                    "has as light on dark: every value v becomes 1 - v"));
    data = std::make_shared<InvertedDataset>(std::move(data));
  }
  if (options.invert) data = std::make_shared<InvertedDataset>(std::move(data));
  if (options.rotations == "classes")
    data = std::make_shared<RotatedDataset>(std::move(data));
  return data;
}

fs::path find_config(const std::string& name) {
  std::vector<fs::path> places;
  if (const char* home = std::getenv("PROTEAN_HOME"); home && *home)
    places.push_back(fs::path(home) / "configs");
  std::error_code error;
  const fs::path binary = fs::read_symlink("/proc/self/exe", error);
  if (!error) {
    const fs::path up = binary.parent_path().parent_path();
    places.push_back(up / "configs");
    places.push_back(up / "share/protean/configs");
  }
  places.push_back(fs::path(PROTEAN_SOURCE_DIR) / "configs");
  std::string looked;
  for (const auto& place : places) {
    if (fs::exists(place / name, error)) return place / name;
    looked += concat(looked.empty() ? "" : ", ", place.string());
  }
  throw DataError(
      concat(name, ": not found in ", looked,
             "; set PROTEAN_HOME to the folder that holds configs"));
}

}  // namespace protean
