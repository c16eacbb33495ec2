// What records hold, and whether all of it is sound.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "protean/data/records/meta_dataset.h"

namespace protean {

// Whether `path` is for open_meta_dataset: records, a pack of them, or a folder
// of these.
bool holds_records(const std::filesystem::path& path);

// {name, kind, rule, classes, images, groups, smallest_class, largest_class,
//  identity, splits: {train: {classes, images, sets}, ...}}
nlohmann::json describe(const SpecDataset& data);

// Reads and decodes every example of every class. One line for each class that
// is not sound, naming the first thing that is wrong in it; empty = sound.
// progress: called with the examples read, one call at a time; may be empty.
std::vector<std::string> verify(
    const SpecDataset& data, int threads,
    const std::function<void(uint64_t examples)>& progress);

}  // namespace protean
