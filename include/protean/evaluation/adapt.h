// Adaptation to what a user brings: a few labelled examples, then predictions
// for others, by any learner from one checkpoint.
#pragma once

#include <filesystem>

#include "protean/data/ink.h"
#include "protean/evaluation/predictions.h"
#include "protean/evaluation/user_images.h"
#include "protean/experiment/experiment.h"

namespace protean {

// Images of any size, read as data.filter and data.fit say, or as
// ImagePreparation::ink does. Those in which nothing is to be seen are named.
// Throws ConfigError when the run is not one of images or has too few outputs
// for the classes.
Predictions adapt_images(const Experiment& experiment, const MetaView& meta,
                         const UserImages& images, Ink ink);

// CSV files of a run on a table: its columns, by their names and in any order;
// others are left out, and said. The query may lack the target; what is known
// of it becomes labels or target values. Features and targets are standardised
// as in training, predictions are in the target's unit. Throws DataError naming
// file, line, column and value.
Predictions adapt_table(const Experiment& experiment, const MetaView& meta,
                        const std::filesystem::path& support,
                        const std::filesystem::path& query);

// CSV files of a run on computed values: input columns, then target columns,
// which the query may lack; a first line that holds no number is left out.
// Throws DataError naming file, line, column and value, ConfigError when the
// run is not one of values.
Predictions adapt_values(const Experiment& experiment, const MetaView& meta,
                         const std::filesystem::path& support,
                         const std::filesystem::path& query);

}  // namespace protean
