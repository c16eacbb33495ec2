// The entries of a zip as a source of images. Which of them make which class is
// for a layout to say.
#pragma once

#include "data/image_source.h"

struct zip;

namespace protean {

class ZipImages : public ImageSource {
 public:
  // Throws DataError naming the path and the cause.
  explicit ZipImages(const std::filesystem::path& path);
  ~ZipImages() override;
  ZipImages(const ZipImages&) = delete;
  ZipImages& operator=(const ZipImages&) = delete;

  // Throws DataError naming the entry when it is cut short or its CRC is wrong.
  std::string read(uint64_t index) override;
  std::string path(uint64_t index) const override;

  uint64_t entries() const { return names_.size(); }
  // With "/" between its parts; one that ends so is a folder.
  const std::string& name(uint64_t index) const { return names_[index]; }
  // And takes the zip's SHA-256.
  void set_classes(std::vector<SourceClass> classes);

 private:
  std::filesystem::path path_;
  zip* zip_ = nullptr;
  std::vector<std::string> names_;
};

}  // namespace protean
