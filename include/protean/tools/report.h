// One HTML page on one or several runs, from what their folders hold: what was
// trained on what, curves, the last validation, time and ranks, warnings and
// restarts, settings, environment, hashes. Nothing is computed anew.
//
// The page stands by itself: no network, no script. Every plot is an SVG with
// its numbers as a table below it and as CSV to save.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace protean {

// What a run's folder says of it.
struct ReportedRun {
  std::string name;  // last part of the folder's path; the path where two agree
  std::filesystem::path folder;
  std::vector<std::pair<std::string, std::string>> settings;  // config.ini
  std::vector<nlohmann::json> steps;  // lines of metrics.jsonl on training
  std::vector<nlohmann::json> validations;  // and on validation
  nlohmann::json summary;                   // null: the run has not ended yet
  std::vector<std::string> events;  // warnings, errors, resumes of rank 0's log
};

// Throws ConfigError when a folder holds no run, DataError naming file and line
// when a file cannot be read. A last line of metrics.jsonl that is cut off (the
// run is being written) is left out.
std::vector<ReportedRun> read_runs(
    const std::vector<std::filesystem::path>& folders);

// Settings that two of the runs have in common name but not in value.
struct DifferentSetting {
  std::string key;
  std::vector<std::string> values;  // one per run, "" where it has none
};
std::vector<DifferentSetting> different_settings(
    const std::vector<ReportedRun>& runs);

// Means of equal stretches: at most `most` points of y over x, which a curve of
// thousands of points is drawn by. NaN in y is left out of its mean.
struct Curve {
  std::vector<double> x, y;
};
Curve thinned(const Curve& curve, size_t most);

// The page, UTF-8.
std::string report_page(const std::vector<ReportedRun>& runs);

}  // namespace protean
