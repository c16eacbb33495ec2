#include "run/checkpoint_format.h"

#include <cstdio>
#include <vector>

#include "protean/core/hash.h"

namespace protean::checkpoint_format {

using Json = nlohmann::json;

std::string hex(uint64_t value, int digits) {
  char text[17];
  std::snprintf(text, sizeof text, "%0*llx", digits,
                static_cast<unsigned long long>(value));
  return text;
}

std::string checksum(const std::string& bytes) {
  return hex(crc32c(bytes.data(), bytes.size()), 8);
}

Json layout_to_json(const ParameterSpace& space) {
  Json layout = Json::array();
  for (const auto& p : space.parameters())
    layout.push_back({{"name", p.name}, {"shape", p.shape}});
  return layout;
}

ParameterSpace layout_from_json(const Json& layout) {
  ParameterSpace space;
  for (const auto& p : layout)
    space.add(p.at("name").get<std::string>(),
              p.at("shape").get<std::vector<int64_t>>());
  return space;
}

std::string manifest_text(Json manifest) {
  manifest.erase("crc32c");
  const auto text = manifest.dump();
  manifest["crc32c"] = checksum(text);
  return manifest.dump() + "\n";
}

}  // namespace protean::checkpoint_format
