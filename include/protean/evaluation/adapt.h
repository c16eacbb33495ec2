// Adaptation to what a user brings: a few labelled examples, then predictions
// for others, by any learner from one checkpoint.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "protean/data/ink.h"
#include "protean/evaluation/user_images.h"
#include "protean/experiment/experiment.h"

namespace protean {

struct Predictions {
  std::vector<std::string> classes;  // empty for regression
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
  // False: scores chose the classes, and values are NaN.
  bool probabilities = true;

  // Over rows whose label or target is known; NaN when there is none.
  double accuracy() const;
  double mean_squared_error() const;
  std::string to_csv() const;
  nlohmann::json to_json() const;
};

// Throws ConfigError when the run is not one of images or has too few outputs
// for the classes.
Predictions adapt_images(const Experiment& experiment, const MetaView& meta,
                         const UserImages& images, Ink ink);

// CSV files: input columns, then target columns, which the query may lack; a
// first line of names is left out. Throws DataError naming file, line, column
// and value, ConfigError when the run is not one of values.
Predictions adapt_values(const Experiment& experiment, const MetaView& meta,
                         const std::filesystem::path& support,
                         const std::filesystem::path& query);

}  // namespace protean
