// What a run must know of its table to read others like it: names of columns,
// means and deviations of what they held in training.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace protean {

struct TableForm {
  std::string task;                            // column
  std::vector<std::string> features, targets;  // columns
  // Distinct labels, sorted: numbers by value, else texts by bytes; empty: the
  // targets are numbers.
  std::vector<std::string> labels;
  // Of each feature, over the rows of training tasks. A deviation of 0: it was
  // constant, and becomes 0.
  std::vector<double> mean, deviation;
  // Of each target that is a number; a deviation is above 0.
  std::vector<double> target_mean, target_deviation;

  bool classes() const { return !labels.empty(); }
  // A number in the file, as a learner sees it.
  float feature(size_t f, double value) const;
  float target(size_t t, double value) const;
  // What a learner predicts, in the file's unit.
  double target_value(size_t t, double predicted) const;

  bool operator==(const TableForm&) const = default;
};

nlohmann::json to_json(const TableForm& form);
// Throws nlohmann::json::exception where it is none.
TableForm table_form_of(const nlohmann::json& json);

}  // namespace protean
