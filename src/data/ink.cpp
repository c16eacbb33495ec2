#include "protean/data/ink.h"

#include <algorithm>

#include "protean/core/error.h"

namespace protean {

Ink parse_ink(const std::string& name, const std::string& flag) {
  if (name == "auto") return Ink::automatic;
  if (name == "dark") return Ink::dark;
  if (name == "light") return Ink::light;
  throw ConfigError(
      concat(flag, " ", name, "; expected one of: auto, dark, light"));
}

bool is_dark_on_light(const ClassDataset& data) {
  constexpr uint32_t kOfEach = 5;
  size_t size = 1;
  for (int64_t d : data.shape()) size *= static_cast<size_t>(d);
  std::vector<float> image(size);
  double sum = 0, count = 0;
  for (uint32_t c = 0; c < data.classes(); ++c)
    for (uint32_t i = 0; i < std::min(kOfEach, data.size(c)); ++i) {
      data.read(c, i, image.data());
      for (float v : image) sum += v;
      count += static_cast<double>(size);
    }
  return sum > count / 2;
}

bool dark_ink(Ink ink, const std::vector<const Image*>& images) {
  if (ink != Ink::automatic) return ink == Ink::dark;
  double sum = 0, count = 0;
  for (const Image* image : images) {
    for (const uint8_t p : image->pixels) sum += p / 255.0;
    count += static_cast<double>(image->pixels.size());
  }
  return sum / count > 0.5;
}

}  // namespace protean
