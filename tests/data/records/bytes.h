// Bytes as tests write them down.
#pragma once

#include <functional>
#include <string>

#include "protean/core/error.h"

namespace protean {

// "0a 22" -> the bytes 0x0a, 0x22; spaces do not count.
inline std::string from_hex(const std::string& text) {
  std::string out, digits;
  for (char c : text)
    if (c != ' ') digits += c;
  for (size_t i = 0; i + 1 < digits.size(); i += 2)
    out += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  return out;
}

inline std::string data_error(const std::function<void()>& act) {
  try {
    act();
  } catch (const DataError& e) {
    return e.what();
  }
  return "no DataError";
}

inline bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace protean
