#include "data/image_source.h"

#include <algorithm>
#include <cctype>
#include <map>

#include <zip.h>

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"
#include "protean/core/hash.h"

namespace protean {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxImageBytes = 256ull << 20;

bool hidden(const std::string& name) { return name.empty() || name[0] == '.'; }

bool digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c >= '0' && c <= '9';
  });
}

// "0709_02.png": global character number, drawer.
bool is_drawing(std::string_view name) {
  return name.size() == 11 && digits(name.substr(0, 4)) && name[4] == '_' &&
         digits(name.substr(5, 2)) && name.substr(7) == ".png";
}

bool is_character(std::string_view name) {
  return name.starts_with("character") && digits(name.substr(9));
}

bool is_omniglot_set(std::string_view name) {
  return name.starts_with("images_background") || name == "images_evaluation";
}

bool is_image(const std::string& name) {
  std::string extension = fs::path(name).extension().string();
  for (char& c : extension)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg";
}

// Names of a folder's visible entries, sorted; folders or files.
std::vector<std::string> entries(const fs::path& dir, bool folders) {
  std::error_code error;
  std::vector<std::string> names;
  for (fs::directory_iterator it(dir, error), end; !error && it != end;
       it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (!hidden(name) && it->is_directory(error) == folders)
      names.push_back(name);
  }
  if (error)
    throw DataError(
        concat(dir.string(), ": cannot list folder: ", error.message()));
  std::sort(names.begin(), names.end());
  return names;
}

// Collects classes from any order of files.
class ClassMap {
 public:
  SourceClass& at(const std::string& group, const std::string& name) {
    SourceClass& cls = classes_[{group, name}];
    cls.group = group;
    cls.name = name;
    return cls;
  }
  bool empty() const { return classes_.empty(); }

  std::vector<SourceClass> sorted(const fs::path& path) {
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

 private:
  std::map<std::pair<std::string, std::string>, SourceClass> classes_;
};

class FolderSource : public ImageSource {
 public:
  std::string read(uint64_t index) override { return read_file(files_[index]); }
  std::string path(uint64_t index) const override {
    return files_[index].string();
  }

  void add(SourceClass& cls, const fs::path& file) {
    cls.files.push_back({file.filename().string(), files_.size()});
    files_.push_back(file);
  }
  void finish(ClassMap& classes, const fs::path& path) {
    classes_ = classes.sorted(path);
  }

 private:
  std::vector<fs::path> files_;
};

class ZipSource : public ImageSource {
 public:
  explicit ZipSource(const fs::path& path) : path_(path) {
    const std::string bytes = read_file(path);
    file_sha256_ = sha256_hex(bytes.data(), bytes.size());
    int code = 0;
    zip_ = zip_open(path.c_str(), ZIP_RDONLY, &code);
    if (!zip_) {
      zip_error_t error;
      zip_error_init_with_code(&error, code);
      const std::string cause = zip_error_strerror(&error);
      zip_error_fini(&error);
      throw DataError(concat(path.string(), ": not a readable zip: ", cause));
    }
    try {
      list();
    } catch (...) {
      zip_discard(zip_);
      throw;
    }
  }
  ~ZipSource() override { zip_discard(zip_); }
  ZipSource(const ZipSource&) = delete;
  ZipSource& operator=(const ZipSource&) = delete;

  std::string path(uint64_t index) const override {
    return concat(path_.string(), ":", name(index));
  }

  std::string read(uint64_t index) override {
    auto fail = [&](const std::string& cause) {
      throw DataError(concat(path(index), ": ", cause));
    };
    zip_stat_t stat;
    zip_stat_init(&stat);
    if (zip_stat_index(zip_, index, 0, &stat) != 0 ||
        !(stat.valid & ZIP_STAT_SIZE))
      fail("cannot find its size");
    if (stat.size > kMaxImageBytes)
      fail(concat(stat.size, " bytes; expected at most ", kMaxImageBytes));
    zip_file_t* file = zip_fopen_index(zip_, index, 0);
    if (!file) fail(zip_strerror(zip_));
    std::string bytes(stat.size, '\0');
    zip_int64_t got = 0;
    uint64_t total = 0;
    // The read that meets the end checks the entry's CRC, hence one byte more.
    char beyond;
    while (total < bytes.size() && (got = zip_fread(file, bytes.data() + total,
                                                    bytes.size() - total)) > 0)
      total += static_cast<uint64_t>(got);
    if (got >= 0 && total == bytes.size()) got = zip_fread(file, &beyond, 1);
    const std::string cause = got < 0 ? zip_file_strerror(file) : "";
    zip_fclose(file);
    if (got < 0) fail(cause);
    if (total != bytes.size())
      fail(concat("ends after ", total, " of ", bytes.size(), " bytes"));
    return bytes;
  }

 private:
  std::string name(uint64_t index) const {
    const char* raw = zip_get_name(zip_, index, ZIP_FL_ENC_RAW);
    return raw ? raw : "";
  }

  void list() {
    ClassMap classes;
    const auto count = static_cast<uint64_t>(
        std::max<zip_int64_t>(zip_get_num_entries(zip_, 0), 0));
    for (uint64_t i = 0; i < count; ++i) add(classes, name(i), i);
    if (classes.empty())
      throw DataError(concat(
          path_.string(), ": not Omniglot: ",
          count ? concat("its ", count, " entries start with \"", name(0), "\"")
                : "it is empty",
          "; expected images_background/<Alphabet>/<characterNN>/*.png"));
    classes_ = classes.sorted(path_);
  }

  void add(ClassMap& classes, const std::string& entry, uint64_t index) {
    std::vector<std::string> parts;
    for (const auto& part : fs::path(entry)) parts.push_back(part.string());
    const bool within = parts.size() >= 3 && is_omniglot_set(parts[0]) &&
                        is_character(parts[2]);
    if (!within) {
      // A drawing elsewhere would be lost in silence.
      if (parts.size() > 1 && is_omniglot_set(parts[0]) &&
          is_image(parts.back()) && !hidden(parts.back()))
        throw DataError(concat(path_.string(), ":", entry,
                               ": unexpected; expected below "
                               "<Alphabet>/<characterNN>"));
      return;
    }
    SourceClass& cls = classes.at(parts[1], parts[2]);
    if (parts.size() < 4 || hidden(parts[3])) return;  // the folder's own entry
    if (parts.size() > 4 || !is_drawing(parts[3]))
      throw DataError(concat(path_.string(), ":", entry,
                             ": unexpected; expected <IIII>_<DD>.png"));
    cls.files.push_back({parts[3], index});
  }

  fs::path path_;
  zip_t* zip_ = nullptr;
};

std::vector<fs::path> omniglot_sets(const fs::path& path) {
  std::vector<fs::path> sets;
  for (const auto& name : entries(path, true))
    if (is_omniglot_set(name)) sets.push_back(path / name);
  if (sets.empty()) sets.push_back(path);
  return sets;
}

std::string split_of_folder(const std::string& name) {
  if (name == "train") return "train";
  if (name == "validation" || name == "val" || name == "valid")
    return "validation";
  if (name == "test") return "test";
  return "";
}

// Adds the class `dir`, or, when it holds folders only, the group `dir`.
void add_class_or_group(FolderSource& source, ClassMap& classes,
                        const fs::path& dir, const std::string& split) {
  auto add = [&](const fs::path& folder, const std::string& group) {
    SourceClass& cls = classes.at(group, folder.filename().string());
    if (!cls.files.empty())
      throw DataError(concat(folder.string(), ": class ", cls.full_name(),
                             " is also in split ", cls.split));
    cls.split = split;
    for (const auto& file : entries(folder, false))
      if (is_image(file)) source.add(cls, folder / file);
    if (cls.files.empty())
      throw DataError(concat(folder.string(),
                             ": empty class folder; expected .png or .jpg"));
  };
  const auto files = entries(dir, false);
  const auto folders = entries(dir, true);
  const bool images = std::any_of(files.begin(), files.end(), is_image);
  if (images && !folders.empty())
    throw DataError(concat(dir.string(), ": holds both images and the folder ",
                           folders[0], "; expected one or the other"));
  if (folders.empty()) {
    add(dir, "");
  } else {
    for (const auto& name : folders) add(dir / name, dir.filename().string());
  }
}

void require_folder(const fs::path& path) {
  std::error_code error;
  const auto status = fs::status(path, error);
  if (!fs::exists(status))
    throw DataError(concat(path.string(), ": no such file or folder"));
  if (!fs::is_directory(status))
    throw DataError(concat(path.string(), ": not a folder"));
}

}  // namespace

std::unique_ptr<ImageSource> open_omniglot(const fs::path& path) {
  if (fs::is_regular_file(path)) return std::make_unique<ZipSource>(path);
  require_folder(path);
  auto source = std::make_unique<FolderSource>();
  ClassMap classes;
  for (const auto& set : omniglot_sets(path))
    for (const auto& alphabet : entries(set, true))
      for (const auto& character : entries(set / alphabet, true)) {
        if (!is_character(character)) continue;
        SourceClass& cls = classes.at(alphabet, character);
        for (const auto& file : entries(set / alphabet / character, false)) {
          if (!is_drawing(file))
            throw DataError(concat((set / alphabet / character / file).string(),
                                   ": unexpected; expected <IIII>_<DD>.png"));
          source->add(cls, set / alphabet / character / file);
        }
      }
  if (classes.empty())
    throw DataError(
        concat(path.string(), ": not Omniglot: no <Alphabet>/<characterNN>"));
  source->finish(classes, path);
  return source;
}

std::unique_ptr<ImageSource> open_folder(const fs::path& path) {
  require_folder(path);
  const auto top = entries(path, true);
  if (top.empty())
    throw DataError(
        concat(path.string(), ": no class: expected one folder per class"));
  auto source = std::make_unique<FolderSource>();
  ClassMap classes;
  const bool splits = std::all_of(top.begin(), top.end(), [](const auto& name) {
    return !split_of_folder(name).empty();
  });
  for (const auto& name : top) {
    if (!splits) {
      add_class_or_group(*source, classes, path / name, "");
      continue;
    }
    for (const auto& below : entries(path / name, true))
      add_class_or_group(*source, classes, path / name / below,
                         split_of_folder(name));
  }
  if (classes.empty())
    throw DataError(concat(path.string(), ": no class below ", top[0]));
  source->finish(classes, path);
  return source;
}

bool looks_like_omniglot(const fs::path& path) {
  if (!fs::is_directory(path)) return true;  // the only zip there is
  for (const auto& set : omniglot_sets(path))
    for (const auto& alphabet : entries(set, true))
      for (const auto& character : entries(set / alphabet, true))
        return is_character(character);
  return false;
}

}  // namespace protean
