#include "protean/evaluation/user_images.h"

#include <algorithm>
#include <map>

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"
#include "protean/core/log.h"
#include "protean/data/image_files.h"

namespace protean {
namespace {

namespace fs = std::filesystem;

// Files that are no images, by extension.
using Skipped = std::map<std::string, size_t>;

void add_folder(const fs::path& folder, const std::string& prefix,
                int64_t label, std::vector<UserImage>& out, Skipped& skipped) {
  for (const auto& name : list_folder(folder, /*folders=*/false)) {
    if (!is_image_name(name)) {
      ++skipped[extension_of(name)];
      continue;
    }
    const auto path = folder / name;
    out.push_back(
        {prefix + name, label, decode_image(read_file(path), path.string())});
  }
}

}  // namespace

UserImages read_user_images(const fs::path& support, const fs::path& query) {
  UserImages images;
  Skipped skipped;
  require_folder(support);
  require_folder(query);
  images.classes = list_folder(support, /*folders=*/true);
  if (images.classes.size() < 2)
    throw DataError(concat(
        support.string(), ": ", images.classes.size(), " class folder",
        images.classes.size() == 1 ? " (" + images.classes[0] + ")" : "s",
        "; expected one folder per class, two or more"));
  for (size_t c = 0; c < images.classes.size(); ++c) {
    const auto& name = images.classes[c];
    const size_t before = images.support.size();
    add_folder(support / name, name + "/", static_cast<int64_t>(c),
               images.support, skipped);
    if (images.support.size() == before)
      throw DataError(concat((support / name).string(),
                             ": holds no image; expected .png or .jpg"));
  }
  add_folder(query, "", -1, images.query, skipped);
  for (const auto& name : list_folder(query, /*folders=*/true)) {
    const auto found =
        std::find(images.classes.begin(), images.classes.end(), name);
    if (found == images.classes.end())
      throw DataError(concat((query / name).string(), ": ", support.string(),
                             " has no class ", name,
                             "; expected images, or folders named as there"));
    add_folder(query / name, name + "/", found - images.classes.begin(),
               images.query, skipped);
  }
  if (images.query.empty())
    throw DataError(
        concat(query.string(), ": holds no image; expected .png or .jpg"));
  if (skipped.empty()) return images;
  std::string kinds;
  size_t files = 0;
  for (const auto& [kind, count] : skipped) {
    kinds += concat(kinds.empty() ? "" : ", ",
                    kind.empty() ? "without extension" : kind);
    files += count;
  }
  log_info(concat(support.string(), ", ", query.string(), ": ", files,
                  files == 1 ? " file skipped: " : " files skipped: ", kinds));
  return images;
}

}  // namespace protean
