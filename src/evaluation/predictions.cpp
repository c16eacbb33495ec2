#include "protean/evaluation/predictions.h"

#include <cmath>
#include <limits>

#include "protean/core/csv.h"
#include "protean/core/error.h"

namespace protean {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

nlohmann::json number(double v) {
  return std::isfinite(v) ? nlohmann::json(v) : nlohmann::json();
}

}  // namespace

double Predictions::accuracy() const {
  double right = 0, known = 0;
  for (const auto& row : rows) {
    if (row.label < 0) continue;
    ++known;
    right += row.label == row.choice;
  }
  return known > 0 ? right / known : kNone;
}

double Predictions::mean_squared_error() const {
  double squares = 0, known = 0;
  for (const auto& row : rows)
    for (size_t i = 0; i < row.target.size(); ++i, ++known)
      squares += std::pow(row.values[i] - row.target[i], 2);
  return known > 0 ? squares / known : kNone;
}

ValueErrors Predictions::errors(size_t target) const {
  std::vector<double> predicted, known;
  for (const auto& row : rows) {
    if (row.target.size() <= target) continue;
    predicted.push_back(row.values[target]);
    known.push_back(row.target[target]);
  }
  return errors_of(
      target < targets.size() ? targets[target] : concat("target ", target + 1),
      predicted, known);
}

bool Predictions::knows_labels() const {
  for (const auto& row : rows)
    if (row.label >= 0) return true;
  return false;
}

std::vector<std::vector<int64_t>> Predictions::confusion() const {
  if (!knows_labels()) return {};
  std::vector<std::vector<int64_t>> counts(
      classes.size(), std::vector<int64_t>(classes.size(), 0));
  for (const auto& row : rows)
    if (row.label >= 0)
      ++counts[static_cast<size_t>(row.label)][static_cast<size_t>(row.choice)];
  return counts;
}

std::string Predictions::to_csv() const {
  CsvTable csv;
  const bool labels = knows_labels();
  csv.add(std::string_view(lines ? "line" : "file"));
  if (classes.empty()) {
    for (size_t i = 0; i < rows.front().values.size(); ++i)
      csv.add(concat("prediction_",
                     i < targets.size() ? targets[i] : std::to_string(i + 1)));
  } else {
    csv.add("class");
    if (labels) csv.add("true");
    csv.add("probability");
    for (const auto& name : classes) csv.add(name);
  }
  csv.end_row();
  for (const auto& row : rows) {
    csv.add(row.name);
    if (!classes.empty()) {
      csv.add(classes[static_cast<size_t>(row.choice)]);
      if (labels)
        csv.add(row.label < 0
                    ? ""
                    : classes[static_cast<size_t>(row.label)].c_str());
      csv.add(row.values[static_cast<size_t>(row.choice)]);
    }
    for (double v : row.values) csv.add(v);
    csv.end_row();
  }
  return csv.text();
}

nlohmann::json Predictions::to_json() const {
  nlohmann::json json = {{"support", support},
                         {"queries", rows.size()},
                         {"inner_steps", steps},
                         {"mode", transductive ? "transductive" : "inductive"},
                         {"predictions", nlohmann::json::array()}};
  if (classes.empty()) {
    json["loss"] = number(mean_squared_error());
    json["errors"] = nlohmann::json::array();
    for (size_t t = 0; t < rows.front().values.size(); ++t)
      json["errors"].push_back(protean::to_json(errors(t)));
  } else {
    json["classes"] = classes;
    json["accuracy"] = number(accuracy());
    if (knows_labels()) json["confusion"] = confusion();
  }
  for (const auto& row : rows) {
    nlohmann::json one;
    if (lines)
      one["line"] = std::stoi(row.name);
    else
      one["file"] = row.name;
    if (classes.empty()) {
      one["prediction"] = row.values;
    } else {
      one["class"] = classes[static_cast<size_t>(row.choice)];
      if (row.label >= 0) one["true"] = classes[static_cast<size_t>(row.label)];
      one["probability"] = number(row.values[static_cast<size_t>(row.choice)]);
      for (size_t c = 0; c < classes.size(); ++c)
        one["probabilities"][classes[c]] = number(row.values[c]);
    }
    json["predictions"].push_back(std::move(one));
  }
  return json;
}

}  // namespace protean
