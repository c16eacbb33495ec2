// Settings that nothing would look at.
#pragma once

#include <string>

#include "protean/core/error.h"

namespace protean {

// Refuses those that differ from their default:
//   const Unused unused("learner.name = setvae", "learner.name = metagan");
//   unused("generator.r1", o.r1, d.r1);
// throws ConfigError: generator.r1 = 2 does nothing with learner.name = setvae;
// expected its default, 1, or learner.name = metagan
class Unused {
 public:
  // with: the setting that makes them so; instead: one that would not, if any.
  explicit Unused(std::string with, std::string instead = "")
      : with_(std::move(with)), instead_(std::move(instead)) {}

  template <typename T>
  void operator()(const char* key, const T& value, const T& usual) const {
    if (!(value == usual)) refuse(key, text(value), text(usual));
  }

 private:
  [[noreturn]] void refuse(const char* key, const std::string& value,
                           const std::string& usual) const;

  static std::string text(bool value) { return value ? "true" : "false"; }
  static std::string text(const std::string& value) {
    return '"' + value + '"';
  }
  template <typename T>
  static std::string text(const T& value) {
    return concat(value);
  }

  std::string with_, instead_;
};

}  // namespace protean
