// The data set that the options name.
#pragma once

#include <filesystem>

#include "protean/data/dataset.h"
#include "protean/data/options.h"

namespace protean {

// Opens data.source at data.path; with rotations = classes the result has four
// times the classes. A pack is mapped; a zip or a folder is decoded into
// memory, so pack what is large. Throws ConfigError naming the key, DataError
// naming the file.
// skipped: what of the folder or zip was not read, "9 files skipped: .webp".
DatasetPtr open_dataset(const DataOptions& options,
                        std::string* skipped = nullptr);

// A file below configs/, say "omniglot/background.pack". Looked for in
// $PROTEAN_HOME/configs, in ../configs from the executable's folder, in
// ../share/protean/configs from there, and in the source tree of the build.
// Throws DataError naming the places.
std::filesystem::path find_config(const std::string& name);

}  // namespace protean
