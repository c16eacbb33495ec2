// Which images of a folder or a zip make which class.
#include <algorithm>
#include <map>
#include <set>

#include "protean/core/error.h"

#include "data/class_map.h"
#include "data/zip_images.h"

namespace protean {
namespace {

namespace fs = std::filesystem;

struct Entry {
  std::vector<std::string> parts;
  uint64_t index = 0;
};

// All of a folder or zip that is not hidden.
struct Tree {
  std::vector<Entry> images;
  std::vector<std::vector<std::string>> folders;
  std::map<std::string, uint64_t> others;  // files, by extension
  uint64_t outside = 0;                    // images that lie in no folder

  void add_file(std::vector<std::string> parts, uint64_t index) {
    if (!is_image_name(parts.back()))
      ++others[extension_of(parts.back())];
    else if (parts.size() == 1)
      ++outside;
    else
      images.push_back({std::move(parts), index});
  }
};

std::string split_of_folder(std::string name) {
  for (char& c : name)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  if (name == "train" || name == "training") return "train";
  if (name == "validation" || name == "val" || name == "valid")
    return "validation";
  if (name == "test" || name == "testing") return "test";
  return "";
}

using Parts = std::vector<std::string>;

// Every folder that an image lies in or below.
std::set<Parts> folders_of(const std::vector<Entry>& images) {
  std::set<Parts> out;
  for (const auto& image : images) {
    Parts folder = image.parts;
    do folder.pop_back();
    while (!folder.empty() && out.insert(folder).second);
  }
  return out;
}

std::string counted(uint64_t n, const char* one, const char* several) {
  return concat(n, n == 1 ? one : several);
}

// "9 files skipped: 5 .tif, 4 .webp; 1 folder without images: unlabelled"
std::string skipped_text(const Tree& tree) {
  constexpr size_t kNamed = 3;
  std::string text;
  const auto say = [&](const std::string& what) {
    text += (text.empty() ? "" : "; ") + what;
  };
  uint64_t files = 0;
  std::string kinds;
  for (const auto& [extension, count] : tree.others) {
    files += count;
    kinds += concat(kinds.empty() ? "" : ", ",
                    tree.others.size() > 1 ? concat(count, " ") : "",
                    extension.empty() ? "without extension" : extension);
  }
  if (files > 0)
    say(counted(files, " file skipped: ", " files skipped: ") + kinds);
  if (tree.outside > 0)
    say(counted(tree.outside, " image in no class folder skipped",
                " images in no class folder skipped"));
  std::vector<std::string> empty;
  const auto full = folders_of(tree.images);
  for (const auto& folder : tree.folders)
    if (full.count(folder) == 0) empty.push_back(folder.back());
  std::string names;
  for (size_t i = 0; i < std::min(kNamed, empty.size()); ++i)
    names += concat(i ? ", " : "", empty[i]);
  if (!empty.empty())
    say(concat(counted(empty.size(),
                       " folder without images: ", " folders without images: "),
               names, empty.size() > kNamed ? ", ..." : ""));
  return text;
}

// One folder around all others says nothing.
void drop_top(Tree& tree) {
  const auto& top = tree.images.front().parts[0];
  const bool around =
      split_of_folder(top).empty() &&
      std::all_of(tree.images.begin(), tree.images.end(), [&](const auto& e) {
        return e.parts.size() > 2 && e.parts[0] == top;
      });
  if (!around) return;
  for (auto& image : tree.images) image.parts.erase(image.parts.begin());
}

// A folder holds either images or folders.
void check_levels(const Tree& tree, const fs::path& path) {
  std::map<std::string, std::string> groups;  // with one of its classes
  for (const auto& image : tree.images)
    if (image.parts.size() == 3) groups[image.parts[0]] = image.parts[1];
  for (const auto& image : tree.images)
    if (image.parts.size() == 2)
      if (const auto found = groups.find(image.parts[0]); found != groups.end())
        throw DataError(concat((path / found->first).string(),
                               ": holds both images and the folder ",
                               found->second, "; expected one or the other"));
}

// path, name_of: for messages.
template <typename NameOf>
std::vector<SourceClass> classes_of(Tree& tree, const fs::path& path,
                                    const NameOf& name_of) {
  const bool splits = std::all_of(
      tree.images.begin(), tree.images.end(),
      [](const auto& e) { return !split_of_folder(e.parts[0]).empty(); });
  struct Found {
    const Entry* entry;
    std::string split, folder;  // which of the split's names it has
  };
  std::map<std::pair<std::string, std::string>, std::vector<Found>> found;
  for (auto& image : tree.images) {
    Found one{&image, "", ""};
    if (splits) {
      one.folder = image.parts[0];
      one.split = split_of_folder(one.folder);
      image.parts.erase(image.parts.begin());
    }
    const auto& parts = image.parts;
    if (parts.size() != 2 && parts.size() != 3)
      throw DataError(concat(name_of(image.index),
                             ": unexpected; expected class/image or "
                             "group/class/image"));
    found[{parts.size() == 3 ? parts[0] : "", parts[parts.size() - 2]}]
        .push_back(std::move(one));
  }
  check_levels(tree, path);
  ClassMap classes;
  for (const auto& [name, images] : found) {
    SourceClass& cls = classes.at(name.first, name.second);
    std::set<std::string> in;
    for (const auto& image : images) in.insert(image.split);
    for (const auto& split : in)
      cls.split += (cls.split.empty() ? "" : " and ") + split;
    // The same names may lie in several splits.
    for (const auto& image : images)
      cls.files.push_back({concat(in.size() > 1 ? image.folder + "/" : "",
                                  image.entry->parts.back()),
                           image.entry->index});
  }
  return classes.sorted(path);
}

// Fills in `source`, whose files the tree lists.
template <typename Source>
void arrange(Source& source, Tree& tree, const fs::path& path) {
  source.set_skipped(skipped_text(tree));
  if (tree.images.empty())
    throw DataError(
        concat(path.string(), ": no class: holds no PNG or JPEG in a folder",
               source.skipped().empty() ? "" : " (" + source.skipped() + ")",
               "; expected one folder of images per class"));
  source.set_classes(classes_of(
      tree, path, [&](uint64_t index) { return source.path(index); }));
}

std::unique_ptr<ImageSource> folder_zip(const fs::path& path) {
  auto zip = std::make_unique<ZipImages>(path);
  Tree tree;
  for (uint64_t i = 0; i < zip->entries(); ++i) {
    auto parts = parts_of(zip->name(i));
    if (parts.empty() || std::any_of(parts.begin(), parts.end(), is_hidden))
      continue;
    const char last = zip->name(i).back();
    if (last == '/' || last == '\\')
      tree.folders.push_back(std::move(parts));
    else
      tree.add_file(std::move(parts), i);
  }
  if (!tree.images.empty()) drop_top(tree);
  arrange(*zip, tree, path);
  return zip;
}

void list_tree(const fs::path& path, const std::vector<std::string>& parts,
               FileImages& source, Tree& tree) {
  constexpr size_t kDeepest = 6;  // links may lead back
  const auto below = [&](const std::string& name) {
    auto all = parts;
    all.push_back(name);
    return all;
  };
  for (const auto& name : list_folder(path, false))
    tree.add_file(below(name),
                  is_image_name(name) ? source.add(path / name) : 0);
  for (const auto& name : list_folder(path, true)) {
    tree.folders.push_back(below(name));
    if (parts.size() < kDeepest)
      list_tree(path / name, below(name), source, tree);
  }
}

}  // namespace

std::unique_ptr<ImageSource> open_folder(const fs::path& path) {
  if (fs::is_regular_file(path)) return folder_zip(path);
  require_folder(path);
  auto source = std::make_unique<FileImages>();
  Tree tree;
  list_tree(path, {}, *source, tree);
  arrange(*source, tree, path);
  return source;
}

}  // namespace protean
