#include <algorithm>
#include <cmath>

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"
#include "protean/core/ini.h"
#include "protean/tools/report.h"

namespace protean {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

void read_metrics(const fs::path& path, ReportedRun& run) {
  if (!fs::exists(path)) return;
  const auto text = read_file(path);
  const auto lines = lines_of(text);
  for (size_t i = 0; i < lines.size(); ++i) {
    auto line = nlohmann::json::parse(lines[i], nullptr, false);
    if (line.is_discarded()) {
      if (i + 1 == lines.size() && !text.ends_with('\n')) return;
      throw DataError(
          concat(path.string(), ", line ", i + 1, ": expected a JSON object"));
    }
    (line.contains("loss") ? run.steps : run.validations)
        .push_back(std::move(line));
  }
}

void read_events(const fs::path& path, ReportedRun& run) {
  if (!fs::exists(path)) return;
  for (const auto& line : lines_of(read_file(path)))
    if (line.find("[warn]") != std::string::npos ||
        line.find("[error]") != std::string::npos ||
        line.find("resuming from") != std::string::npos ||
        line.find("stopped by request") != std::string::npos)
      run.events.push_back(line);
}

}  // namespace

std::vector<ReportedRun> read_runs(const std::vector<fs::path>& folders) {
  std::vector<ReportedRun> runs;
  for (const auto& folder : folders) {
    if (!fs::exists(folder / "config.ini"))
      throw ConfigError(concat("report ", folder.string(),
                               ": no config.ini there; expected the folder of "
                               "a run"));
    ReportedRun run;
    run.folder = folder;
    const auto whole = fs::weakly_canonical(folder);
    run.name = whole.filename().string();
    for (auto& value : read_ini(folder / "config.ini"))
      run.settings.emplace_back(value.key, value.value);
    read_metrics(folder / "metrics.jsonl", run);
    read_events(folder / "logs" / "rank-0.log", run);
    if (fs::exists(folder / "summary.json")) {
      run.summary = nlohmann::json::parse(read_file(folder / "summary.json"),
                                          nullptr, false);
      if (run.summary.is_discarded())
        throw DataError(concat((folder / "summary.json").string(),
                               ": expected a JSON object"));
    }
    runs.push_back(std::move(run));
  }
  for (auto& run : runs)
    if (std::count_if(runs.begin(), runs.end(), [&](const auto& other) {
          return fs::path(other.folder).filename() ==
                 fs::path(run.folder).filename();
        }) > 1)
      run.name = run.folder.string();
  return runs;
}

std::vector<DifferentSetting> different_settings(
    const std::vector<ReportedRun>& runs) {
  std::vector<std::string> keys;
  for (const auto& run : runs)
    for (const auto& [key, value] : run.settings)
      if (std::find(keys.begin(), keys.end(), key) == keys.end())
        keys.push_back(key);
  std::vector<DifferentSetting> rows;
  for (const auto& key : keys) {
    DifferentSetting row{key, {}};
    for (const auto& run : runs) {
      const auto at =
          std::find_if(run.settings.begin(), run.settings.end(),
                       [&](const auto& s) { return s.first == key; });
      row.values.push_back(at == run.settings.end() ? "" : at->second);
    }
    const bool same =
        std::all_of(row.values.begin(), row.values.end(),
                    [&](const auto& v) { return v == row.values.front(); });
    if (!same && key != "run.dir") rows.push_back(std::move(row));
  }
  return rows;
}

Curve thinned(const Curve& curve, size_t most) {
  if (curve.x.size() <= most) return curve;
  Curve thin;
  for (size_t part = 0; part < most; ++part) {
    const size_t begin = curve.x.size() * part / most;
    const size_t end = curve.x.size() * (part + 1) / most;
    double x = 0, y = 0;
    size_t known = 0;
    for (size_t i = begin; i < end; ++i) {
      x += curve.x[i];
      if (std::isnan(curve.y[i])) continue;
      y += curve.y[i];
      ++known;
    }
    thin.x.push_back(x / static_cast<double>(end - begin));
    thin.y.push_back(known ? y / static_cast<double>(known) : NAN);
  }
  return thin;
}

}  // namespace protean
