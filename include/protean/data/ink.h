// Drawings as users have them: dark ink on light paper, or light on dark.
#pragma once

#include <string>
#include <vector>

#include "protean/data/dataset.h"
#include "protean/data/image_codec.h"

namespace protean {

// For which values ink stands in a user's images: what is dark, what is light,
// or what there is less of. A model that was trained on ink gets ink.
enum class Ink { automatic, dark, light };

// Throws ConfigError naming `flag`.
Ink parse_ink(const std::string& name, const std::string& flag);

// Whether the images of a data set are light for the most part: the first ones
// of every class.
bool is_dark_on_light(const ClassDataset& data);

// Whether ink is what is dark in these images, taken together.
bool dark_ink(Ink ink, const std::vector<const Image*>& images);

}  // namespace protean
