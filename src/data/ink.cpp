#include "protean/data/ink.h"

#include "protean/core/error.h"

namespace protean {

Ink parse_ink(const std::string& name, const std::string& flag) {
  if (name == "auto") return Ink::automatic;
  if (name == "dark") return Ink::dark;
  if (name == "light") return Ink::light;
  throw ConfigError(
      concat(flag, " ", name, "; expected one of: auto, dark, light"));
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
