// What the layouts share: classes collected in any order of files.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "protean/data/image_files.h"

#include "data/image_source.h"

namespace protean {

// The parts of a zip entry's name, between slashes of either kind.
std::vector<std::string> parts_of(std::string entry);

class ClassMap {
 public:
  SourceClass& at(const std::string& group, const std::string& name);
  bool empty() const { return classes_.empty(); }
  // Throws DataError naming a class without images or with one name twice.
  std::vector<SourceClass> sorted(const std::filesystem::path& path);

 private:
  std::map<std::pair<std::string, std::string>, SourceClass> classes_;
};

// Files of a folder.
class FileImages : public ImageSource {
 public:
  std::string read(uint64_t index) override;
  std::string path(uint64_t index) const override {
    return files_[index].string();
  }
  void add(SourceClass& cls, const std::filesystem::path& file);
  // Its number.
  uint64_t add(const std::filesystem::path& file);
  void finish(ClassMap& classes, const std::filesystem::path& path) {
    classes_ = classes.sorted(path);
  }
  void set_classes(std::vector<SourceClass> classes) {
    classes_ = std::move(classes);
  }

 private:
  std::vector<std::filesystem::path> files_;
};

}  // namespace protean
