// A user's few images, by class: the support and the query of one task.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "protean/data/prepare_image.h"

namespace protean {

struct UserImage {
  std::string name;    // path below the folder, "cat/3.png"
  int64_t label = -1;  // of UserImages::classes; -1: not known
  Image image;
};

struct UserImages {
  std::vector<std::string> classes;  // folders of the support, sorted
  std::vector<UserImage> support, query;
};

// support: one folder per class with PNG or JPEG images. query: images, or
// folders of them named after classes, whose labels then are known; of any
// size. What is no image is skipped, and said. Throws DataError naming the
// folder or file, what is wrong with it and what was expected.
UserImages read_user_images(const std::filesystem::path& support,
                            const std::filesystem::path& query);

}  // namespace protean
