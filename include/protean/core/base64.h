// Bytes as text, RFC 4648.
#pragma once

#include <string>
#include <string_view>

namespace protean {

// With padding, without line ends.
std::string base64(std::string_view bytes);

}  // namespace protean
