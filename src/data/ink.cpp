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

bool dark_ink(Ink ink, double mean_brightness) {
  return ink == Ink::automatic ? mean_brightness > 0.5 : ink == Ink::dark;
}

}  // namespace protean
