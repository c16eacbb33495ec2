// Folders of images, as they are listed everywhere here.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace protean {

// Starts with a dot, or is a file or folder that systems make by themselves:
// __MACOSX, @eaDir, Thumbs.db, ...
bool is_hidden(const std::string& name);
// By its extension: .png, .jpg or .jpeg.
bool is_image_name(const std::string& name);
// In lower case, ".jpeg"; "" when it has none.
std::string extension_of(const std::string& name);

// Names of a folder's visible entries, sorted; folders or files. Throws
// DataError.
std::vector<std::string> list_folder(const std::filesystem::path& dir,
                                     bool folders);
// Throws DataError unless `path` is a folder.
void require_folder(const std::filesystem::path& path);

}  // namespace protean
