// A table as tasks: a CSV file with a line of column names (data/table_file.h),
// a column that says which task a row belongs to, one or more target columns,
// and features.
//
// data.target_kind says whether targets are numbers or labels. With auto,
// targets that are all numbers are numbers, unless there is one target of a few
// whole numbers from 0 or 1 on, each of them many times: these are labels, as
// are texts. One bad cell among numbers is an error, not a label. A column
// `split`, if there is one, says train, validation or test, the same for all
// rows of a task (data.split = stored). Features and targets that are numbers
// are standardised by the training tasks, in double precision.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "protean/data/labelled.h"
#include "protean/data/options.h"
#include "protean/data/table_form.h"

namespace protean {

class TableFile;

class TableDataset : public LabelledDataset {
 public:
  // Throws DataError naming file, line, column and value; ConfigError naming
  // the key of a column that the file lacks.
  explicit TableDataset(const DataOptions& options);

  // Mean 0 and deviation 1 of every feature and target over these tasks; a
  // constant feature becomes 0. Those of a stored run stay. Once, before
  // anything is read.
  void standardise(const std::vector<uint32_t>& tasks);
  const TableForm& form() const { return form_; }
  // What was found in the file, in one line.
  std::string summary() const;

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
    return form_.classes() ? TargetKind::classes : TargetKind::values;
  }
  int64_t target_size() const override { return target_size_; }
  uint32_t labels() const override {
    return static_cast<uint32_t>(form_.labels.size());
  }
  void read_target(uint32_t task, uint32_t row, int64_t* label,
                   float* value) const override;

  // The form.
  nlohmann::json fitted() const override;

  const std::vector<std::string>& feature_names() const {
    return form_.features;
  }
  const std::vector<std::string>& label_names() const { return form_.labels; }

 private:
  struct Task {
    std::string name, split;
    std::vector<uint32_t> rows;
  };
  // Columns of the file.
  struct Places {
    size_t task = 0, split = 0;  // split: TableFile::kNone when there is none
    std::vector<size_t> features, targets;
  };
  void restore(const StoredData& stored);
  Places find_columns(const TableFile& file, const DataOptions& options);
  void find_labels(const TableFile& file, size_t column);
  void read_rows(const TableFile& file, const Places& places);

  TableForm form_;
  bool restored_ = false;        // the form, from a stored run
  std::vector<Task> tasks_;      // by name
  std::vector<double> values_;   // rows x features
  std::vector<double> targets_;  // rows x target_size_, for values
  std::vector<int64_t> label_;   // rows, for classes
  std::vector<int64_t> shape_;
  int64_t target_size_ = 1;
  std::string checksum_, file_name_, remarks_;
};

// The label that a field stands for: numbers in their shortest form, so that 1
// and 1.0 are one label; other texts as they are.
std::string label_of(const TableFile& file, size_t row, size_t column);
// Those of a column, each once: numbers by value, else by bytes.
std::vector<std::string> labels_of(const TableFile& file, size_t column);

}  // namespace protean
