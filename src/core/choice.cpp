#include "protean/core/choice.h"

#include <algorithm>
#include <string>

#include "protean/core/error.h"

namespace protean {

void check_choice(std::string_view key, std::string_view value,
                  std::initializer_list<std::string_view> known) {
  if (std::find(known.begin(), known.end(), value) != known.end()) return;
  std::string expected;
  for (const auto name : known) {
    if (!expected.empty()) expected += ", ";
    expected += name;
  }
  throw ConfigError(
      concat(key, " = \"", value, "\"; expected one of: ", expected));
}

}  // namespace protean
