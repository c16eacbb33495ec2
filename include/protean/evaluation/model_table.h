// Several models on several data sets, as Meta-Dataset compares them
// (Triantafillou et al. 2020, arXiv:1903.03096; its Leaderboard.ipynb): mean
// accuracy with its 95 % interval per data set, and the average of the ranks.
//
// Ranks of one data set: the best model, and all whose difference from it is
// not significant, share the mean of the places that they take; then the same
// among those that are left. A difference is significant when it is above
// sqrt(ci_a^2 + ci_b^2).
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace protean {

struct ModelScore {
  double accuracy = 0, ci95 = 0;  // in [0, 1]
  int64_t tasks = 0;
  double ways = 0, support = 0, queries = 0;  // images of a task, means
};

struct ModelTable {
  std::vector<std::string> models, sources;     // columns, rows
  std::vector<std::vector<ModelScore>> scores;  // by source, then model
};

// Rank of each, the best 1; higher scores are better.
std::vector<double> ranks(const std::vector<ModelScore>& scores);
// Mean over data sets, by model.
std::vector<double> average_ranks(const ModelTable& table);

// Columns source, model, accuracy, ci95, tasks, ways, support, queries.
std::string to_csv(const ModelTable& table);
// A row per data set, a column per model, accuracies in percent, the average
// ranks below; the highest accuracy of a row is bold.
std::string to_markdown(const ModelTable& table);
std::string to_latex(const ModelTable& table);

// Adds a column: the scores of one model in a file of to_csv(). name: what it
// is called; empty: as in the file, which then must hold one model. Throws
// DataError naming the file, the line and the data set that is missing.
void add_model(ModelTable& table, const std::filesystem::path& csv,
               const std::string& name);

}  // namespace protean
