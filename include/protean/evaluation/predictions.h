// What a run says of a user's examples, and how right it is.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "protean/evaluation/value_errors.h"

namespace protean {

struct Predictions {
  std::vector<std::string> classes;  // empty for regression
  std::vector<std::string> targets;  // names of values, where they have names
  struct Row {
    std::string name;            // image, or number of the CSV's line
    std::vector<double> values;  // probability of each class, or the prediction
    int64_t choice = -1;         // the most probable class
    // What the user knows of it: a label, or target values; -1, empty: nothing.
    int64_t label = -1;
    std::vector<double> target;
  };
  std::vector<Row> rows;
  int64_t support = 0;        // labelled examples
  int steps = 0;              // of adaptation
  bool transductive = false;  // a row's values depend on the other rows
  bool lines = false;         // names are line numbers of a CSV file
  // False: scores chose the classes, and values are NaN.
  bool probabilities = true;

  // Over rows whose label or target is known; NaN when there is none.
  double accuracy() const;
  double mean_squared_error() const;
  // The same for one target.
  ValueErrors errors(size_t target) const;
  // Rows of class i that class j was chosen for, where the label is known;
  // empty when none is.
  std::vector<std::vector<int64_t>> confusion() const;
  // With a column `true` where labels are known.
  std::string to_csv() const;
  nlohmann::json to_json() const;

 private:
  bool knows_labels() const;
};

}  // namespace protean
