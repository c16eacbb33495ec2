// Settings that take one of a few names.
#pragma once

#include <initializer_list>
#include <string_view>

namespace protean {

// Throws ConfigError where value is none of the known names:
// generator.loss = "lsgan"; expected one of: hinge, bce, wasserstein
void check_choice(std::string_view key, std::string_view value,
                  std::initializer_list<std::string_view> known);

}  // namespace protean
