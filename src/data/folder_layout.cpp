#include <algorithm>

#include "protean/core/error.h"

#include "data/class_map.h"
#include "data/zip_images.h"

namespace protean {
namespace {

namespace fs = std::filesystem;

std::string split_of_folder(const std::string& name) {
  if (name == "train") return "train";
  if (name == "validation" || name == "val" || name == "valid")
    return "validation";
  if (name == "test") return "test";
  return "";
}

// Adds the class `dir`, or, when it holds folders only, the group `dir`.
void add_class_or_group(FileImages& source, ClassMap& classes,
                        const fs::path& dir, const std::string& split) {
  auto add = [&](const fs::path& folder, const std::string& group) {
    SourceClass& cls = classes.at(group, folder.filename().string());
    if (!cls.files.empty())
      throw DataError(concat(folder.string(), ": class ", cls.full_name(),
                             " is also in split ", cls.split));
    cls.split = split;
    for (const auto& file : list_folder(folder, false))
      if (is_image_name(file)) source.add(cls, folder / file);
    if (cls.files.empty())
      throw DataError(concat(folder.string(),
                             ": empty class folder; expected .png or .jpg"));
  };
  const auto files = list_folder(dir, false);
  const auto folders = list_folder(dir, true);
  const bool images = std::any_of(files.begin(), files.end(), is_image_name);
  if (images && !folders.empty())
    throw DataError(concat(dir.string(), ": holds both images and the folder ",
                           folders[0], "; expected one or the other"));
  if (folders.empty()) {
    add(dir, "");
  } else {
    for (const auto& name : folders) add(dir / name, dir.filename().string());
  }
}

// Images of a zip whose folders are classes. A zip of a folder usually starts
// with that folder's name, which says nothing.
std::unique_ptr<ImageSource> folder_zip(const fs::path& path) {
  auto zip = std::make_unique<ZipImages>(path);
  std::vector<std::pair<uint64_t, std::vector<std::string>>> images;
  for (uint64_t i = 0; i < zip->entries(); ++i) {
    auto parts = parts_of(zip->name(i));
    const bool seen = std::none_of(parts.begin(), parts.end(), is_hidden);
    if (seen && !parts.empty() && is_image_name(parts.back()) &&
        parts[0] != "__MACOSX")
      images.emplace_back(i, std::move(parts));
  }
  if (images.empty())
    throw DataError(concat(
        path.string(), ": holds no image: ",
        zip->entries() ? concat("its ", zip->entries(),
                                " entries start with \"", zip->name(0), "\"")
                       : "it is empty",
        "; expected class/image.png"));
  const auto deep = [](const auto& image) { return image.second.size() > 2; };
  const auto same = [&](const auto& image) {
    return image.second[0] == images[0].second[0];
  };
  if (std::all_of(images.begin(), images.end(), deep) &&
      std::all_of(images.begin(), images.end(), same) &&
      split_of_folder(images[0].second[0]).empty())
    for (auto& image : images) image.second.erase(image.second.begin());
  const bool splits =
      std::all_of(images.begin(), images.end(), [](const auto& image) {
        return !split_of_folder(image.second[0]).empty();
      });
  ClassMap classes;
  for (auto& [index, parts] : images) {
    const std::string split = splits ? split_of_folder(parts[0]) : "";
    if (splits) parts.erase(parts.begin());
    if (parts.size() != 2 && parts.size() != 3)
      throw DataError(concat(zip->path(index),
                             ": unexpected; expected class/image or "
                             "group/class/image"));
    SourceClass& cls =
        classes.at(parts.size() == 3 ? parts[0] : "", parts[parts.size() - 2]);
    if (!cls.files.empty() && cls.split != split)
      throw DataError(concat(zip->path(index), ": class ", cls.full_name(),
                             " is also in split ", cls.split));
    cls.split = split;
    cls.files.push_back({parts.back(), index});
  }
  zip->set_classes(classes.sorted(path));
  return zip;
}

}  // namespace

std::unique_ptr<ImageSource> open_folder(const fs::path& path) {
  if (fs::is_regular_file(path)) return folder_zip(path);
  require_folder(path);
  const auto top = list_folder(path, true);
  if (top.empty())
    throw DataError(
        concat(path.string(), ": no class: expected one folder per class"));
  auto source = std::make_unique<FileImages>();
  ClassMap classes;
  const bool splits = std::all_of(top.begin(), top.end(), [](const auto& name) {
    return !split_of_folder(name).empty();
  });
  for (const auto& name : top) {
    if (!splits) {
      add_class_or_group(*source, classes, path / name, "");
      continue;
    }
    for (const auto& below : list_folder(path / name, true))
      add_class_or_group(*source, classes, path / name / below,
                         split_of_folder(name));
  }
  if (classes.empty())
    throw DataError(concat(path.string(), ": no class below ", top[0]));
  source->finish(classes, path);
  return source;
}

}  // namespace protean
