// Comma-separated values, RFC 4180: a field with a comma, a quote or a line end
// stands in quotes, quotes in it are doubled.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace protean {

// Builds a table row by row.
class CsvTable {
 public:
  void add(std::string_view field);
  // The shortest text that reads back as the same number; empty for NaN.
  void add(double number);
  void add(int64_t number);
  void end_row();
  const std::string& text() const { return text_; }

 private:
  void separate();
  std::string text_;
  bool row_begun_ = false;
};

struct CsvRow {
  int line = 0;  // of the file, 1-based, where the row begins
  std::vector<std::string> fields;
};

// Every row of a file that is not empty; spaces around a field do not count
// unless it stands in quotes. Throws DataError naming file, line and cause.
std::vector<CsvRow> read_csv(const std::filesystem::path& path);
// What stands between its fields: a comma, or the semicolon or tab of which the
// first line has more, or that a line before it names ("sep=;").
char csv_separator(std::string_view text);
// The same of a file's text; path: for messages.
std::vector<CsvRow> parse_csv(const std::string& text, char separator,
                              const std::filesystem::path& path);

// False when the text is not a finite number as a whole.
bool parse_csv_number(std::string_view text, double& value);

}  // namespace protean
