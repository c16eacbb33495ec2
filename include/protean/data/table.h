// A table as tasks: a CSV file with a line of column names, a column that says
// which task a row belongs to, one or more target columns, and features.
//
// Targets that are all numbers make a regression; otherwise there is one target
// column, whose texts are labels. A column `split`, if there is one, says
// train, validation or test, the same for all rows of a task
// (data.split = stored). Features are standardised by the training tasks.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "protean/data/labelled.h"
#include "protean/data/options.h"

namespace protean {

class TableDataset : public LabelledDataset {
 public:
  // Throws DataError naming file, line, column and value; ConfigError naming
  // the key of a column that the file lacks.
  explicit TableDataset(const DataOptions& options);

  // Mean 0 and deviation 1 of every feature over these tasks; a constant one
  // becomes 0. Those of a stored run stay. Once, before anything is read.
  void standardise(const std::vector<uint32_t>& tasks);
  // The same for a row of features that came from elsewhere, in place.
  void standardise_row(float* features) const;

  const std::vector<int64_t>& shape() const override { return shape_; }
  uint32_t classes() const override {
    return static_cast<uint32_t>(tasks_.size());
  }
  uint32_t size(uint32_t task) const override {
    return static_cast<uint32_t>(tasks_.at(task).rows.size());
  }
  std::string class_name(uint32_t task) const override {
    return tasks_.at(task).name;
  }
  std::string group(uint32_t) const override { return ""; }
  std::string split(uint32_t task) const override {
    return tasks_.at(task).split;
  }
  void read(uint32_t task, uint32_t row, float* out) const override;
  std::string checksum() const override { return checksum_; }

  TargetKind target() const override {
    return labels_.empty() ? TargetKind::values : TargetKind::classes;
  }
  int64_t target_size() const override { return target_size_; }
  uint32_t labels() const override {
    return static_cast<uint32_t>(labels_.size());
  }
  void read_target(uint32_t task, uint32_t row, int64_t* label,
                   float* value) const override;
  // Names of features and labels, means and scales.
  nlohmann::json fitted() const override;

  const std::vector<std::string>& feature_names() const { return features_; }
  const std::vector<std::string>& label_names() const { return labels_; }

 private:
  void restore(const StoredData& stored);
  struct Task {
    std::string name, split;
    std::vector<uint32_t> rows;
  };
  std::vector<std::string> features_, labels_;
  std::vector<Task> tasks_;     // by name
  std::vector<float> values_;   // rows x features
  std::vector<float> targets_;  // rows x target_size_, for values
  std::vector<int64_t> label_;  // rows, for classes
  std::vector<double> mean_, scale_;
  bool restored_ = false;  // these, from a stored run
  std::vector<int64_t> shape_;
  int64_t target_size_ = 1;
  std::string checksum_;
};

}  // namespace protean
