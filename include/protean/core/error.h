// Errors: who, what, with which values, and what was expected.
//
// Libraries throw; only main() ends the process. Every kind carries the exit
// code that it leads to (0 done, 1 failed, 2 bad usage or config, 75 stopped by
// request and resumable). Messages are one line and name the key, file, rank or
// step concerned.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace protean {

constexpr int kExitDone = 0;
constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;
constexpr int kExitStopped = 75;

class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& what, int exit_code = kExitFailed)
      : std::runtime_error(what), exit_code_(exit_code) {}
  int exit_code() const { return exit_code_; }

 private:
  int exit_code_;
};

// A key, flag or value that the user gave: exit 2.
class ConfigError : public Error {
 public:
  explicit ConfigError(const std::string& what) : Error(what, kExitUsage) {}
};

// A file or record that is missing, broken or too small.
class DataError : public Error {
 public:
  using Error::Error;
};

// Ranks that fail, disagree or stay silent.
class CommError : public Error {
 public:
  using Error::Error;
};

// A loss, gradient or parameter that is not finite.
class NumericError : public Error {
 public:
  using Error::Error;
};

// "a", 1, "b" -> "a1b"; numbers print with the default precision.
template <typename... Args>
std::string concat(const Args&... args) {
  std::ostringstream out;
  (out << ... << args);
  return out.str();
}

}  // namespace protean
