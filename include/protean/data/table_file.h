// A table as people and programs write it: a CSV file with a line of column
// names.
//
// Between fields stand commas, semicolons or tabs; where no number of the file
// has a decimal point, decimal commas are read as such. A column without a name
// (an index, as pandas and R write it) is none.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "protean/core/csv.h"

namespace protean {

class TableFile {
 public:
  static constexpr size_t kNone = static_cast<size_t>(-1);

  // Throws DataError naming file and line: no names, a name twice, a row of
  // another length, no row.
  explicit TableFile(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  // "" stands for a column that is left out.
  const std::vector<std::string>& names() const { return names_; }
  size_t rows() const { return rows_.size(); }
  int line(size_t row) const { return rows_[row].line; }  // of the file

  // Its place, or kNone.
  size_t column(const std::string& name) const;
  // The same; throws ConfigError naming `key`, and the columns that there are.
  size_t find(const std::string& name, const std::string& key) const;
  // "a, b, c"
  std::string all_names() const;

  const std::string& field(size_t row, size_t column) const {
    return rows_[row].fields[column];
  }
  // Throws DataError when it is empty.
  const std::string& text(size_t row, size_t column) const;
  // False unless the field is a finite number as a whole.
  bool is_number(size_t row, size_t column, double& value) const;
  // Throws DataError unless it is one.
  double number(size_t row, size_t column) const;
  // "t.csv:3: column u is "x"; expected EXPECTED"
  [[noreturn]] void fail(size_t row, size_t column,
                         const std::string& expected) const;

  // What was found out about the file and may be wrong: "semicolons between
  // columns, decimal commas, column 1 has no name and is left out"; "" when
  // nothing was.
  std::string remarks() const;

 private:
  void take_names(const CsvRow& row);
  void find_decimal_mark();

  std::filesystem::path path_;
  std::vector<std::string> names_;
  std::vector<CsvRow> rows_;  // below the names
  std::map<std::string, size_t> index_;
  char separator_ = ',';
  bool decimal_commas_ = false;
};

}  // namespace protean
