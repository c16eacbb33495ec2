#include <algorithm>

#include "protean/core/error.h"

#include "data/class_map.h"
#include "data/zip_images.h"

namespace protean {
namespace {

namespace fs = std::filesystem;

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

void add_omniglot_entry(const ZipImages& zip, uint64_t index,
                        ClassMap& classes) {
  const auto parts = parts_of(zip.name(index));
  const bool within =
      parts.size() >= 3 && is_omniglot_set(parts[0]) && is_character(parts[2]);
  if (!within) {
    // A drawing elsewhere would be lost in silence.
    if (parts.size() > 1 && is_omniglot_set(parts[0]) &&
        is_image_name(parts.back()) && !is_hidden(parts.back()))
      throw DataError(concat(zip.path(index),
                             ": unexpected; expected below "
                             "<Alphabet>/<characterNN>"));
    return;
  }
  SourceClass& cls = classes.at(parts[1], parts[2]);
  if (parts.size() < 4 || is_hidden(parts[3]))
    return;  // the folder's own entry
  if (parts.size() > 4 || !is_drawing(parts[3]))
    throw DataError(
        concat(zip.path(index), ": unexpected; expected <IIII>_<DD>.png"));
  cls.files.push_back({parts[3], index});
}

std::unique_ptr<ImageSource> omniglot_zip(const fs::path& path) {
  auto zip = std::make_unique<ZipImages>(path);
  ClassMap classes;
  for (uint64_t i = 0; i < zip->entries(); ++i)
    add_omniglot_entry(*zip, i, classes);
  if (classes.empty())
    throw DataError(concat(
        path.string(), ": not Omniglot: ",
        zip->entries() ? concat("its ", zip->entries(),
                                " entries start with \"", zip->name(0), "\"")
                       : "it is empty",
        "; expected images_background/<Alphabet>/<characterNN>/*.png"));
  zip->set_classes(classes.sorted(path));
  return zip;
}

std::vector<fs::path> omniglot_sets(const fs::path& path) {
  std::vector<fs::path> sets;
  for (const auto& name : list_folder(path, true))
    if (is_omniglot_set(name)) sets.push_back(path / name);
  if (sets.empty()) sets.push_back(path);
  return sets;
}

}  // namespace

std::unique_ptr<ImageSource> open_omniglot(const fs::path& path) {
  if (fs::is_regular_file(path)) return omniglot_zip(path);
  require_folder(path);
  auto source = std::make_unique<FileImages>();
  ClassMap classes;
  for (const auto& set : omniglot_sets(path))
    for (const auto& alphabet : list_folder(set, true))
      for (const auto& character : list_folder(set / alphabet, true)) {
        if (!is_character(character)) continue;
        SourceClass& cls = classes.at(alphabet, character);
        for (const auto& file :
             list_folder(set / alphabet / character, false)) {
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

bool looks_like_omniglot(const fs::path& path) {
  if (fs::is_regular_file(path)) {
    const ZipImages zip(path);
    for (uint64_t i = 0; i < zip.entries(); ++i) {
      const auto parts = parts_of(zip.name(i));
      if (!parts.empty() && is_omniglot_set(parts[0])) return true;
    }
    return false;
  }
  require_folder(path);
  for (const auto& set : omniglot_sets(path))
    for (const auto& alphabet : list_folder(set, true))
      for (const auto& character : list_folder(set / alphabet, true))
        return is_character(character);
  return false;
}

}  // namespace protean
