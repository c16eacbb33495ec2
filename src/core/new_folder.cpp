#include "protean/core/new_folder.h"

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"

namespace protean {

namespace fs = std::filesystem;

NewFolder::NewFolder(fs::path path, const std::string& key)
    : path_(std::move(path)), aside_(path_.string() + ".tmp") {
  std::error_code error;
  if (fs::exists(path_, error))
    throw ConfigError(
        concat(key, " ", path_.string(), ": exists; expected a new folder"));
  error.clear();
  fs::remove_all(aside_, error);
  fs::create_directories(aside_, error);
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
