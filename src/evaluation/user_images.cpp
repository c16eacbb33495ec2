#include "protean/evaluation/user_images.h"

#include <algorithm>

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"
#include "protean/data/image_files.h"

namespace protean {
namespace {

namespace fs = std::filesystem;

void add_folder(const fs::path& folder, const std::string& prefix,
                int64_t label, std::vector<UserImage>& out) {
  for (const auto& name : list_folder(folder, /*folders=*/false)) {
    if (!is_image_name(name)) continue;
    const auto path = folder / name;
    out.push_back(
        {prefix + name, label, decode_image(read_file(path), path.string())});
  }
}

void check_sizes(const UserImages& images, const fs::path& support,
                 const fs::path& query) {
  const auto& first = images.support.front();
  const auto check = [&](const UserImage& i, const fs::path& folder) {
    if (i.image.width != first.image.width ||
        i.image.height != first.image.height)
      throw DataError(concat((folder / i.name).string(), ": ", i.image.width,
                             "x", i.image.height, " pixels, but ",
                             (support / first.name).string(), " has ",
                             first.image.width, "x", first.image.height,
                             "; expected images of one size"));
  };
  for (const auto& i : images.support) check(i, support);
  for (const auto& i : images.query) check(i, query);
}

}  // namespace

UserImages read_user_images(const fs::path& support, const fs::path& query) {
  UserImages images;
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
               images.support);
    if (images.support.size() == before)
      throw DataError(concat((support / name).string(),
                             ": holds no image; expected .png or .jpg"));
  }
  add_folder(query, "", -1, images.query);
  for (const auto& name : list_folder(query, /*folders=*/true)) {
    const auto found =
        std::find(images.classes.begin(), images.classes.end(), name);
    if (found == images.classes.end())
      throw DataError(concat((query / name).string(), ": ", support.string(),
                             " has no class ", name,
                             "; expected images, or folders named as there"));
    add_folder(query / name, name + "/", found - images.classes.begin(),
               images.query);
  }
  if (images.query.empty())
    throw DataError(
        concat(query.string(), ": holds no image; expected .png or .jpg"));
  check_sizes(images, support, query);
  return images;
}

void prepare(const Image& image, const ImagePreparation& how,
             std::vector<float>& out) {
  const auto small =
      resize(to_channels(image, static_cast<uint32_t>(how.shape.at(0))),
             static_cast<uint32_t>(how.shape.at(1)), how.filter);
  for (uint8_t v : planes(small)) {
    const float value = static_cast<float>(v) / 255.f;
    out.push_back(how.invert ? 1 - value : value);
  }
}

}  // namespace protean
