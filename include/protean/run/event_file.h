// TensorBoard's event file: the run's numbers, texts and histograms as its
// dashboard reads them. The format is TensorFlow's: records of a length, its
// checksum, an Event protocol buffer and its checksum
// (tensorflow/core/util/event.proto, framework/summary.proto).
//
// Not thread-safe. A write that fails is told once and ends the writing, never
// the run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace protean {

class EventFile {
 public:
  // A new file events.out.tfevents.* in folder; the dashboard drops what
  // earlier files of the folder say of steps after `step`, which a resumed run
  // makes again. Throws DataError when the file cannot be made.
  EventFile(const std::filesystem::path& folder, int64_t step);

  // Values that are not finite are left out: the dashboard cannot draw them.
  void scalars(int64_t step,
               const std::vector<std::pair<std::string, double>>& values);
  // Shown as Markdown.
  void text(int64_t step, const std::string& tag, const std::string& markdown);
  // Of any number of values; those that are not finite are left out.
  void histogram(int64_t step, const std::string& tag,
                 const std::vector<double>& values);
  void flush();

  const std::filesystem::path& path() const { return path_; }

 private:
  void event(int64_t step, int field, const std::string& content);
  void summary(int64_t step, const std::string& value);

  std::filesystem::path path_;
  std::ofstream out_;
  bool failed_ = false;
};

}  // namespace protean
