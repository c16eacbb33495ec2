#include "protean/core/new_folder.h"

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"

namespace protean {

namespace fs = std::filesystem;

namespace {

// "out/" is "out".
fs::path without_slash(const fs::path& path) {
  return path.has_filename() ? path : path.parent_path();
}

}  // namespace

NewFolder::NewFolder(const fs::path& path, const std::string& key)
    : path_(without_slash(path)) {
  std::error_code error;
  if (fs::exists(path_, error))
    throw ConfigError(
        concat(key, " ", path_.string(), ": exists; expected a new folder"));
  error.clear();
  if (path_.has_parent_path())
    fs::create_directories(path_.parent_path(), error);
  // What lies there already is somebody else's.
  for (int i = 0; !error; ++i) {
    aside_ = path_.parent_path() /
             concat(".", path_.filename().string(), ".", i, ".tmp");
    if (fs::create_directory(aside_, error)) break;
  }
  if (error)
    throw ConfigError(concat(key, " ", path_.string(),
                             ": cannot be created: ", error.message()));
}

NewFolder::~NewFolder() {
  std::error_code ignored;
  if (!finished_) fs::remove_all(aside_, ignored);
}

void NewFolder::write(const std::string& name, std::string_view bytes) const {
  write_file_unsynced(aside_ / name, bytes);
}

void NewFolder::finish() {
  sync_file_system(aside_);
  std::error_code error;
  fs::rename(aside_, path_, error);
  if (error)
    throw DataError(concat(path_.string(), ": cannot be renamed from ",
                           aside_.string(), ": ", error.message()));
  finished_ = true;
  sync_directory(fs::absolute(path_).parent_path());
}

}  // namespace protean
