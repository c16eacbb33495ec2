// metrics.jsonl: one JSON object per line, one line per logged step.
//
// Training matters more than its log: nothing here throws. A write that fails
// is warned about once and the run goes on; later lines are tried again.
#pragma once

#include <cstdint>
#include <filesystem>

#include <nlohmann/json.hpp>

namespace protean {

// Appends; use from one thread. A reader that follows the file sees whole
// lines: every line is one write().
class MetricsLog {
 public:
  explicit MetricsLog(std::filesystem::path path);
  ~MetricsLog();
  MetricsLog(const MetricsLog&) = delete;
  MetricsLog& operator=(const MetricsLog&) = delete;

  // False when the line could not be written. NaN and infinities become null.
  bool write(const nlohmann::json& line);

 private:
  bool fail(const char* what, int error);

  std::filesystem::path path_;
  int fd_ = -1;
  bool torn_ = false;  // the file may end within a line
  bool warned_ = false;
};

// Makes the file what it was when step `step` was done: drops the lines whose
// "step" is greater, lines that are no JSON object, and a torn last line; a
// line without a step shares the fate of the one before it. Atomic; a missing
// file is fine. Returns the number of lines dropped.
int64_t cut_back(const std::filesystem::path& path, int64_t step);

}  // namespace protean
