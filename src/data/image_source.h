// The images of a zip or a folder, listed by class in a fixed order.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace protean {

// One class of a source. Classes are sorted by (group, name), images by name,
// all in byte order; never in the order of the folder or the zip.
struct SourceClass {
  std::string group, name;
  std::string split;  // train | validation | test, two of them, or ""
  struct File {
    std::string name;    // file name alone
    uint64_t index = 0;  // for ImageSource::read
    bool operator<(const File& other) const { return name < other.name; }
  };
  std::vector<File> files;
  std::string full_name() const {
    return group.empty() ? name : group + "/" + name;
  }
};

class ImageSource {
 public:
  virtual ~ImageSource() = default;
  virtual std::string read(uint64_t index) = 0;
  // Path for messages: "dir/a.png", "file.zip:a.png".
  virtual std::string path(uint64_t index) const = 0;
  const std::vector<SourceClass>& classes() const { return classes_; }
  // SHA-256 of the zip; "" for a folder.
  const std::string& file_sha256() const { return file_sha256_; }
  // "9 files skipped: .webp"; "" when nothing was.
  const std::string& skipped() const { return skipped_; }
  void set_skipped(std::string text) { skipped_ = std::move(text); }

 protected:
  std::vector<SourceClass> classes_;
  std::string file_sha256_, skipped_;
};

// Omniglot's layout: <Alphabet>/<characterNN>/<IIII>_<DD>.png below
// images_background or images_evaluation (a folder may hold both), in a zip, in
// a folder that holds them, or in one of these folders itself.
std::unique_ptr<ImageSource> open_omniglot(const std::filesystem::path& path);

// class/image, group/class/image, or either below train, validation and test
// (in any case; also training, val, valid, testing); a folder, or a zip, whose
// one top folder does not count. A class that lies below several of these is
// one class, in no split. What is no image and what is empty is skipped.
std::unique_ptr<ImageSource> open_folder(const std::filesystem::path& path);

// Whether the names say that `path` is Omniglot.
bool looks_like_omniglot(const std::filesystem::path& path);

}  // namespace protean
