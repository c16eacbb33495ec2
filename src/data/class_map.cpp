#include "data/class_map.h"

#include <algorithm>
#include <cctype>

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"

namespace protean {

namespace fs = std::filesystem;

bool is_hidden(const std::string& name) {
  // What systems leave beside a user's files.
  for (const char* own :
       {"__MACOSX", "@eaDir", "#recycle", "$RECYCLE.BIN",
        "System Volume Information", "Thumbs.db", "desktop.ini"})
    if (name == own) return true;
  return name.empty() || name[0] == '.';
}

std::string extension_of(const std::string& name) {
  std::string extension = fs::path(name).extension().string();
  for (char& c : extension)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return extension;
}

bool is_image_name(const std::string& name) {
  const auto extension = extension_of(name);
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg";
}

std::vector<std::string> list_folder(const fs::path& dir, bool folders) {
  std::error_code error;
  std::vector<std::string> names;
  for (fs::directory_iterator it(dir, error), end; !error && it != end;
       it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (!is_hidden(name) && it->is_directory(error) == folders)
      names.push_back(name);
  }
  if (error)
    throw DataError(
        concat(dir.string(), ": cannot list folder: ", error.message()));
  std::sort(names.begin(), names.end());
  return names;
}

void require_folder(const fs::path& path) {
  std::error_code error;
  const auto status = fs::status(path, error);
  if (!fs::exists(status))
    throw DataError(concat(path.string(), ": no such file or folder"));
  if (!fs::is_directory(status))
    throw DataError(concat(path.string(), ": not a folder"));
}

std::vector<std::string> parts_of(std::string entry) {
  // As Windows' own programs write it.
  std::replace(entry.begin(), entry.end(), '\\', '/');
  std::vector<std::string> parts;
  for (const auto& part : fs::path(entry))
    if (!part.empty() && part != ".") parts.push_back(part.string());
  return parts;
}

SourceClass& ClassMap::at(const std::string& group, const std::string& name) {
  SourceClass& cls = classes_[{group, name}];
  cls.group = group;
  cls.name = name;
  return cls;
}

std::vector<SourceClass> ClassMap::sorted(const fs::path& path) {
  std::vector<SourceClass> out;
  for (auto& [key, cls] : classes_) {
    std::sort(cls.files.begin(), cls.files.end());
    if (cls.files.empty())
      throw DataError(concat(path.string(), ": class ", cls.full_name(),
                             " holds no image"));
    for (size_t i = 1; i < cls.files.size(); ++i)
      if (cls.files[i].name == cls.files[i - 1].name)
        throw DataError(concat(path.string(), ": class ", cls.full_name(),
                               " holds ", cls.files[i].name, " twice"));
    out.push_back(std::move(cls));
  }
  return out;
}

std::string FileImages::read(uint64_t index) {
  return read_file(files_[index]);
}

void FileImages::add(SourceClass& cls, const fs::path& file) {
  cls.files.push_back({file.filename().string(), add(file)});
}

uint64_t FileImages::add(const fs::path& file) {
  files_.push_back(file);
  return files_.size() - 1;
}

}  // namespace protean
