#include "data/table_target.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "protean/core/error.h"
#include "protean/data/table.h"

namespace protean {
namespace {

// Labels that are numbers are few and frequent.
constexpr size_t kMostLabels = 20;
constexpr size_t kRowsOfEach = 10;

// A cell that stands for nothing, as programs write it.
bool is_missing(const std::string& text) {
  return text == "NaN" || text == "nan" || text == "NAN";
}

struct Cells {
  size_t numbers = 0;
  size_t odd = TableFile::kNone;  // first row that holds none
  std::set<double> values;        // the first kMostLabels + 1 distinct ones
};

Cells cells_of(const TableFile& file, size_t column) {
  Cells cells;
  double value = 0;
  for (size_t r = 0; r < file.rows(); ++r) {
    file.text(r, column);  // throws when empty
    if (!file.is_number(r, column, value)) {
      cells.odd = std::min(cells.odd, r);
      continue;
    }
    ++cells.numbers;
    if (cells.values.size() <= kMostLabels) cells.values.insert(value);
  }
  return cells;
}

// 0, 1, 2, ... or 1, 2, ..., each of them many times.
bool look_like_labels(const Cells& cells) {
  const auto& v = cells.values;
  if (v.size() < 2 || v.size() > kMostLabels ||
      cells.numbers < kRowsOfEach * v.size())
    return false;
  double next = *v.begin();
  if (next != 0 && next != 1) return false;
  return std::all_of(v.begin(), v.end(),
                     [&](double value) { return value == next++; });
}

[[noreturn]] void refuse_cell(const TableFile& file, size_t row, size_t column,
                              size_t numbers) {
  file.fail(row, column,
            concat("a number, as in ", numbers, " of ", file.rows(),
                   " rows (data.target_kind = class takes them for labels)"));
}

}  // namespace

bool holds_labels(const TableFile& file, const std::vector<size_t>& targets,
                  const std::string& kind) {
  if (kind != "auto" && kind != "number" && kind != "class")
    throw ConfigError(concat("data.target_kind = \"", kind,
                             "\"; expected one of: auto, number, class"));
  if (kind == "class") {
    if (targets.size() > 1)
      throw ConfigError(
          concat("data.target_kind = class, but data.target names ",
                 targets.size(), " columns; expected one"));
    return true;
  }
  if (kind == "number" || targets.size() > 1) return false;
  const auto cells = cells_of(file, targets[0]);
  if (cells.odd == TableFile::kNone) return look_like_labels(cells);
  if (2 * cells.numbers >= file.rows())
    refuse_cell(file, cells.odd, targets[0], cells.numbers);
  return true;
}

std::string label_of(const TableFile& file, size_t row, size_t column) {
  const auto& text = file.text(row, column);
  if (is_missing(text)) file.fail(row, column, "a label");
  double value = 0;
  if (!file.is_number(row, column, value)) return text;
  char shortest[32];
  return {shortest,
          std::to_chars(shortest, shortest + sizeof shortest, value).ptr};
}

std::vector<std::string> labels_of(const TableFile& file, size_t column) {
  std::vector<std::string> labels;
  for (size_t r = 0; r < file.rows(); ++r)
    labels.push_back(label_of(file, r, column));
  std::sort(labels.begin(), labels.end());
  labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
  std::vector<double> values(labels.size());
  for (size_t i = 0; i < labels.size(); ++i)
    if (!parse_csv_number(labels[i], values[i])) return labels;
  std::sort(labels.begin(), labels.end(), [](const auto& a, const auto& b) {
    double x = 0, y = 0;
    parse_csv_number(a, x);
    parse_csv_number(b, y);
    return x < y;
  });
  return labels;
}

}  // namespace protean
