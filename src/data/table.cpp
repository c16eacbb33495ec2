#include "protean/data/table.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"
#include "protean/core/hash.h"
#include "protean/core/lists.h"
#include "protean/data/open_dataset.h"
#include "protean/data/stored_data.h"
#include "protean/data/table_file.h"

#include "data/table_target.h"

namespace protean {
namespace {

template <typename List>
bool holds(const List& list, size_t value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

// "a, b, c and 5 more"
std::string listed(const std::vector<std::string>& names) {
  constexpr size_t kMost = 6;
  std::string all;
  for (size_t i = 0; i < std::min(names.size(), kMost); ++i)
    all += concat(i ? ", " : "", names[i]);
  if (names.size() > kMost)
    all += concat(" and ", names.size() - kMost, " more");
  return all;
}

// Mean and deviation of each of `columns` values that `each` gives row by row.
template <typename Each>
void moments(size_t columns, double rows, const Each& each,
             std::vector<double>& mean, std::vector<double>& deviation) {
  std::vector<double> sum(columns, 0), squares(columns, 0);
  each([&](size_t c, double v) { sum[c] += v; });
  for (size_t c = 0; c < columns; ++c) mean[c] = sum[c] / rows;
  each(
      [&](size_t c, double v) { squares[c] += (v - mean[c]) * (v - mean[c]); });
  for (size_t c = 0; c < columns; ++c)
    deviation[c] = std::sqrt(squares[c] / rows);
}

}  // namespace

TableDataset::Places TableDataset::find_columns(const TableFile& file,
                                                const DataOptions& o) {
  Places at;
  form_.task = o.group_by.empty() ? "task" : o.group_by;
  at.task = file.find(form_.task, "data.group_by");
  at.split = file.column("split");
  form_.targets = comma_separated(o.target);
  for (const auto& name : form_.targets)
    at.targets.push_back(file.find(name, "data.target"));
  if (at.targets.empty())
    throw ConfigError("data.target is empty; expected the target column");
  const auto kept = std::exchange(form_.features, {});
  auto named = comma_separated(o.features);
  if (restored_ && !named.empty() && named != kept)
    throw ConfigError(concat("data.features = \"", o.features,
                             "\"; expected those that the run was trained on"));
  if (restored_) named = kept;
  for (const auto& name : named.empty() ? file.names() : named) {
    if (name.empty()) continue;
    const size_t c = file.find(name, "data.features");
    if (c != at.task && c != at.split && !holds(at.targets, c)) {
      at.features.push_back(c);
      form_.features.push_back(name);
    } else if (!named.empty()) {
      throw ConfigError(concat("data.features names ", name,
                               ", which is the task, a target or the split"));
    }
  }
  if (at.features.empty())
    throw ConfigError(
        "data.features: no column is left; expected at least one");
  return at;
}

void TableDataset::read_rows(const TableFile& file, const Places& at) {
  std::map<std::string, int64_t> label;
  for (const auto& name : form_.labels)
    label.emplace(name, static_cast<int64_t>(label.size()));
  std::map<std::string, Task> tasks;
  for (size_t r = 0; r < file.rows(); ++r) {
    const std::string& name = file.text(r, at.task);
    Task& t = tasks[name];
    t.name = name;
    if (at.split != TableFile::kNone) {
      const auto& split = file.text(r, at.split);
      if (!t.rows.empty() && t.split != split)
        file.fail(r, at.split, t.split + ", as in the task's first row");
      t.split = split;
    }
    t.rows.push_back(static_cast<uint32_t>(r));
    for (size_t c : at.features) values_.push_back(file.number(r, c));
    if (form_.classes())
      label_.push_back(label.at(label_of(file, r, at.targets[0])));
    else
      for (size_t c : at.targets) targets_.push_back(file.number(r, c));
  }
  for (auto& [name, t] : tasks) tasks_.push_back(std::move(t));
}

// Behind those of a stored run, which keep their numbers, come new ones.
void TableDataset::find_labels(const TableFile& file, size_t column) {
  for (const auto& label : labels_of(file, column))
    if (std::find(form_.labels.begin(), form_.labels.end(), label) ==
        form_.labels.end())
      form_.labels.push_back(label);
}

nlohmann::json TableDataset::fitted() const { return to_json(form_); }

void TableDataset::restore(const StoredData& stored) {
  form_ = table_form_of(stored.fitted);
  shape_ = {static_cast<int64_t>(form_.features.size())};
  if (!form_.classes())
    target_size_ = static_cast<int64_t>(form_.targets.size());
  checksum_ = stored.checksum;
  restored_ = true;
}

TableDataset::TableDataset(const DataOptions& o) {
  if (o.stored) restore(*o.stored);
  if (o.stored && o.stored->use == UseStored::nothing) return;
  const std::filesystem::path path = o.path.empty()
                                         ? find_config("table/devices.csv")
                                         : std::filesystem::path(o.path);
  const TableFile file(path);
  const Places at = find_columns(file, o);
  if (restored_ ? form_.classes()
                : holds_labels(file, at.targets, o.target_kind))
    find_labels(file, at.targets[0]);
  else
    target_size_ = static_cast<int64_t>(at.targets.size());
  read_rows(file, at);
  const size_t features = at.features.size();
  shape_ = {static_cast<int64_t>(features)};
  if (!restored_) {
    form_.mean.assign(features, 0);
    form_.deviation.assign(features, 1);
    form_.target_mean.assign(form_.classes() ? 0 : at.targets.size(), 0);
    form_.target_deviation.assign(form_.target_mean.size(), 1);
  }
  file_name_ = path.filename().string();
  remarks_ = file.remarks();

  const std::string what = concat("table ", o.group_by, " ", o.target, " ",
                                  o.features, "\n", read_file(path));
  checksum_ = sha256_hex(what.data(), what.size());
}

void TableDataset::standardise(const std::vector<uint32_t>& tasks) {
  if (restored_) return;
  double rows = 0;
  for (uint32_t t : tasks)
    rows += static_cast<double>(tasks_.at(t).rows.size());
  if (rows == 0) return;
  const auto over = [&](const std::vector<double>& values, size_t columns) {
    return [&, columns](const auto& use) {
      for (uint32_t t : tasks)
        for (uint32_t r : tasks_.at(t).rows)
          for (size_t c = 0; c < columns; ++c) use(c, values[r * columns + c]);
    };
  };
  const size_t features = form_.features.size();
  moments(features, rows, over(values_, features), form_.mean, form_.deviation);
  const size_t targets = form_.target_mean.size();
  moments(targets, rows, over(targets_, targets), form_.target_mean,
          form_.target_deviation);
  for (double& d : form_.target_deviation)
    if (d == 0) d = 1;
}

std::string TableDataset::summary() const {
  size_t rows = 0;
  for (const auto& t : tasks_) rows += t.rows.size();
  const auto kind =
      form_.classes()
          ? concat(form_.labels.size(), " labels (", listed(form_.labels), ")")
          : std::string(form_.targets.size() == 1 ? "a number" : "numbers");
  return concat(file_name_, ": ", rows, " rows in ", tasks_.size(),
                " tasks (column ", form_.task, "), features ",
                listed(form_.features), "; target ", listed(form_.targets),
                ": ", kind, " (data.target_kind)",
                remarks_.empty() ? "" : "; " + remarks_);
}

void TableDataset::read(uint32_t task, uint32_t row, float* out) const {
  const size_t n = form_.features.size();
  const double* from = values_.data() + tasks_.at(task).rows.at(row) * n;
  for (size_t f = 0; f < n; ++f) out[f] = form_.feature(f, from[f]);
}

void TableDataset::read_target(uint32_t task, uint32_t row, int64_t* label,
                               float* value) const {
  const size_t r = tasks_.at(task).rows.at(row);
  const auto n = static_cast<size_t>(target_size_);
  if (label) *label = label_.at(r);
  if (value)
    for (size_t t = 0; t < n; ++t)
      value[t] = form_.target(t, targets_[r * n + t]);
}

}  // namespace protean
