#include "protean/data/table.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "protean/core/atomic_file.h"
#include "protean/core/csv.h"
#include "protean/core/error.h"
#include "protean/core/hash.h"
#include "protean/core/lists.h"
#include "protean/data/open_dataset.h"
#include "protean/data/stored_data.h"

namespace protean {
namespace {

// A file's rows below its line of names.
class Columns {
 public:
  explicit Columns(const std::filesystem::path& path)
      : path_(path), rows_(read_csv(path)) {
    if (rows_.size() < 2)
      throw DataError(concat(path.string(),
                             ": no rows; expected a line of column names and "
                             "rows below it"));
    for (size_t c = 0; c < names().size(); ++c)
      if (!index_.emplace(names()[c], c).second)
        throw DataError(concat(path.string(), ":", rows_[0].line, ": column \"",
                               names()[c], "\" twice"));
    for (size_t r = 1; r < rows_.size(); ++r)
      if (rows_[r].fields.size() != names().size())
        throw DataError(concat(path.string(), ":", rows_[r].line, ": ",
                               rows_[r].fields.size(), " columns; expected ",
                               names().size(), " as in line ", rows_[0].line));
  }

  const std::vector<std::string>& names() const { return rows_[0].fields; }
  size_t rows() const { return rows_.size() - 1; }
  bool has(const std::string& name) const { return index_.count(name) != 0; }

  size_t find(const std::string& name, const char* key) const {
    const auto found = index_.find(name);
    if (found != index_.end()) return found->second;
    std::string all;
    for (const auto& n : names()) {
      if (!all.empty()) all += ", ";
      all += n;
    }
    throw ConfigError(concat(key, " = \"", name, "\", but ", path_.string(),
                             " has the columns ", all));
  }

  const std::string& text(size_t row, size_t column) const {
    const auto& field = rows_[row + 1].fields[column];
    if (field.empty()) fail(row, column, "a value");
    return field;
  }
  bool is_number(size_t row, size_t column, double& value) const {
    return parse_csv_number(rows_[row + 1].fields[column], value);
  }
  float number(size_t row, size_t column) const {
    double value = 0;
    if (!is_number(row, column, value)) fail(row, column, "a number");
    return static_cast<float>(value);
  }
  [[noreturn]] void fail(size_t row, size_t column,
                         const std::string& expected) const {
    throw DataError(concat(
        path_.string(), ":", rows_[row + 1].line, ": column ", names()[column],
        " is \"", rows_[row + 1].fields[column], "\"; expected ", expected));
  }

 private:
  std::filesystem::path path_;
  std::vector<CsvRow> rows_;
  std::map<std::string, size_t> index_;
};

bool all_numbers(const Columns& columns, size_t column) {
  double value = 0;
  for (size_t r = 0; r < columns.rows(); ++r)
    if (!columns.is_number(r, column, value)) return false;
  return true;
}

}  // namespace

TableDataset::TableDataset(const DataOptions& o) {
  if (o.stored) restore(*o.stored);
  if (o.stored && o.stored->use == UseStored::nothing) return;
  const std::filesystem::path path = o.path.empty()
                                         ? find_config("table/devices.csv")
                                         : std::filesystem::path(o.path);
  const Columns columns(path);
  const size_t task =
      columns.find(o.group_by.empty() ? "task" : o.group_by, "data.group_by");
  std::vector<size_t> targets, features;
  const auto kept = std::exchange(features_, {});
  if (restored_ && !o.features.empty() && comma_separated(o.features) != kept)
    throw ConfigError(concat("data.features = \"", o.features,
                             "\"; expected those that the run was trained on"));
  for (const auto& name : comma_separated(o.target))
    targets.push_back(columns.find(name, "data.target"));
  if (targets.empty())
    throw ConfigError("data.target is empty; expected the target column");
  const bool has_split = columns.has("split");
  for (const auto& name : !kept.empty()        ? kept
                          : o.features.empty() ? columns.names()
                                               : comma_separated(o.features)) {
    const size_t c = columns.find(name, "data.features");
    const bool other =
        c == task || (has_split && name == "split") ||
        std::find(targets.begin(), targets.end(), c) != targets.end();
    if (!other) {
      features.push_back(c);
      features_.push_back(name);
    } else if (!o.features.empty() || !kept.empty()) {
      throw ConfigError(concat("data.features names ", name,
                               ", which is the task, a target or the split"));
    }
  }
  if (features.empty())
    throw ConfigError(
        "data.features: no column is left; expected at least one");

  const bool regression =
      restored_ ? labels_.empty()
                : std::all_of(targets.begin(), targets.end(), [&](size_t c) {
                    return all_numbers(columns, c);
                  });
  if (!regression && targets.size() > 1)
    // Which of them is no number is the user's question.
    for (size_t r = 0; r < columns.rows(); ++r)
      for (size_t c : targets) columns.number(r, c);
  target_size_ = regression ? static_cast<int64_t>(targets.size()) : 1;
  // By name; behind those of a stored run, which keep their numbers.
  std::map<std::string, int64_t> number_of;
  if (!regression) {
    std::set<std::string> names;
    for (size_t r = 0; r < columns.rows(); ++r)
      names.insert(columns.text(r, targets[0]));
    for (const auto& name : labels_) names.erase(name);
    labels_.insert(labels_.end(), names.begin(), names.end());
    for (const auto& name : labels_)
      number_of.emplace(name, static_cast<int64_t>(number_of.size()));
  }

  std::map<std::string, Task> tasks;
  for (size_t r = 0; r < columns.rows(); ++r) {
    const std::string& name = columns.text(r, task);
    Task& t = tasks[name];
    t.name = name;
    if (has_split) {
      const size_t c = columns.find("split", "data.split");
      if (!t.rows.empty() && t.split != columns.text(r, c))
        columns.fail(r, c, t.split + ", as in the task's first row");
      t.split = columns.text(r, c);
    }
    t.rows.push_back(static_cast<uint32_t>(r));
    for (size_t c : features) values_.push_back(columns.number(r, c));
    if (regression)
      for (size_t c : targets) targets_.push_back(columns.number(r, c));
    else
      label_.push_back(number_of.at(columns.text(r, targets[0])));
  }
  for (auto& [name, t] : tasks) tasks_.push_back(std::move(t));
  shape_ = {static_cast<int64_t>(features.size())};
  if (!restored_) {
    mean_.assign(features.size(), 0);
    scale_.assign(features.size(), 1);
  }

  const std::string what = concat("table ", o.group_by, " ", o.target, " ",
                                  o.features, "\n", read_file(path));
  checksum_ = sha256_hex(what.data(), what.size());
}

nlohmann::json TableDataset::fitted() const {
  return {{"features", features_},
          {"labels", labels_},
          {"target_size", target_size_},
          {"mean", mean_},
          {"scale", scale_}};
}

void TableDataset::restore(const StoredData& stored) {
  const auto& from = stored.fitted;
  from.at("features").get_to(features_);
  from.at("labels").get_to(labels_);
  from.at("target_size").get_to(target_size_);
  from.at("mean").get_to(mean_);
  from.at("scale").get_to(scale_);
  shape_ = {static_cast<int64_t>(features_.size())};
  checksum_ = stored.checksum;
  restored_ = true;
}

void TableDataset::standardise(const std::vector<uint32_t>& tasks) {
  if (restored_) return;
  const size_t n = features_.size();
  std::vector<double> sum(n, 0), squares(n, 0);
  double rows = 0;
  const auto each = [&](const auto& use) {
    for (uint32_t t : tasks)
      for (uint32_t r : tasks_.at(t).rows)
        for (size_t f = 0; f < n; ++f) use(f, double{values_[r * n + f]});
  };
  for (uint32_t t : tasks)
    rows += static_cast<double>(tasks_.at(t).rows.size());
  if (rows == 0) return;
  each([&](size_t f, double v) { sum[f] += v; });
  for (size_t f = 0; f < n; ++f) mean_[f] = sum[f] / rows;
  each([&](size_t f, double v) {
    squares[f] += (v - mean_[f]) * (v - mean_[f]);
  });
  for (size_t f = 0; f < n; ++f)
    scale_[f] = squares[f] > 0 ? 1 / std::sqrt(squares[f] / rows) : 0;
}

void TableDataset::standardise_row(float* features) const {
  for (size_t f = 0; f < features_.size(); ++f)
    features[f] =
        static_cast<float>((double{features[f]} - mean_[f]) * scale_[f]);
}

void TableDataset::read(uint32_t task, uint32_t row, float* out) const {
  const size_t n = features_.size();
  std::copy_n(values_.data() + tasks_.at(task).rows.at(row) * n, n, out);
  standardise_row(out);
}

void TableDataset::read_target(uint32_t task, uint32_t row, int64_t* label,
                               float* value) const {
  const size_t r = tasks_.at(task).rows.at(row);
  const auto n = static_cast<size_t>(target_size_);
  if (label) *label = label_.at(r);
  if (value) std::copy_n(targets_.data() + r * n, n, value);
}

}  // namespace protean
