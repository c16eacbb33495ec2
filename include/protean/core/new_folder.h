// A folder that appears whole or not at all.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace protean {

// Files go to a hidden folder beside it, which finish() syncs, once for all of
// them, and renames; without it they are removed again. `key` names the path in
// messages ("--out"). The constructor throws ConfigError when the path exists
// or cannot be made, write() and finish() throw DataError naming file and
// cause.
class NewFolder {
 public:
  NewFolder(const std::filesystem::path& path, const std::string& key);
  ~NewFolder();
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;

  void write(const std::string& name, std::string_view bytes) const;
  void finish();

 private:
  std::filesystem::path path_, aside_;
  bool finished_ = false;
};

}  // namespace protean
