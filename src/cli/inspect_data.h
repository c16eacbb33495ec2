// `protean inspect` of data that is no pack: a folder or a zip of images, a
// table.
#pragma once

#include <filesystem>

#include "protean/data/pack.h"

namespace protean {

// A folder, or a zip by its first bytes.
bool holds_images(const std::filesystem::path& path);
// Decodes all of them.
PackDescription describe_images(const std::filesystem::path& path);

bool is_table_name(const std::filesystem::path& path);
// Prints its columns and what they hold.
void print_table(const std::filesystem::path& path, bool json);

}  // namespace protean
