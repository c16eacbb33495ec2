#include "protean/data/table_file.h"

#include <algorithm>
#include <cctype>

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"

namespace protean {
namespace {

bool digit(char c) { return c >= '0' && c <= '9'; }

// "1,5": digits on both sides of one comma, and a sign and an exponent at most.
// group: the comma could as well stand between thousands, "1,234".
bool has_decimal_comma(const std::string& text, bool& group) {
  const size_t comma = text.find(',');
  if (comma == std::string::npos ||
      text.find_first_not_of("0123456789,+-eE") != std::string::npos)
    return false;
  std::string point = text;
  point[comma] = '.';
  double value = 0;
  if (!parse_csv_number(point, value)) return false;
  const size_t first = digit(text[0]) ? 0 : 1;
  const size_t after = text.size() - comma - 1;
  group = after == 3 && comma > first && comma - first <= 3 &&
          text[first] != '0' && digit(text.back());
  return true;
}

// Of a program's own making: pandas reads a nameless column as "Unnamed: 0".
bool is_nameless(const std::string& name) {
  return name.empty() || name.starts_with("Unnamed: ");
}

}  // namespace

TableFile::TableFile(const std::filesystem::path& path) : path_(path) {
  std::string text = read_file(path);
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF"))
    throw DataError(concat(path.string(),
                           ": is UTF-16; expected UTF-8, the \"CSV UTF-8\" of "
                           "spreadsheets"));
  if (text.find('\n') == std::string::npos)  // as on old Macintoshes
    std::replace(text.begin(), text.end(), '\r', '\n');
  separator_ = csv_separator(text);
  auto rows = parse_csv(text, separator_, path);
  if (rows.empty())
    throw DataError(concat(path.string(),
                           ": no rows; expected a line of column names and "
                           "rows below it"));
  take_names(rows[0]);
  for (const auto& row : rows)
    if (row.fields.size() != names_.size())
      throw DataError(concat(path.string(), ":", row.line, ": ",
                             row.fields.size(), " columns; expected ",
                             names_.size(), " as in line ", rows[0].line));
  rows_.assign(std::make_move_iterator(rows.begin() + 1),
               std::make_move_iterator(rows.end()));
  find_decimal_mark();
  if (rows_.empty())
    throw DataError(concat(path.string(),
                           ": no rows; expected a line of column names and "
                           "rows below it"));
}

void TableFile::take_names(const CsvRow& row) {
  double value = 0;
  const auto is_value = [&](const std::string& name) {
    return parse_csv_number(name, value);
  };
  const auto& all = row.fields;
  const auto values = std::count_if(all.begin(), all.end(), is_value);
  if (values > 0 && 2 * static_cast<size_t>(values) >= all.size())
    throw DataError(concat(path_.string(), ":", row.line,
                           ": holds values, such as \"",
                           *std::find_if(all.begin(), all.end(), is_value),
                           "\"; expected a line of column names above them"));
  for (const auto& name : row.fields) {
    names_.push_back(is_nameless(name) ? "" : name);
    if (!is_nameless(name) && !index_.emplace(name, names_.size() - 1).second)
      throw DataError(concat(path_.string(), ":", row.line, ": column \"", name,
                             "\" twice"));
  }
}

void TableFile::find_decimal_mark() {
  bool commas = false, sure = false;
  for (const auto& row : rows_)
    for (const auto& field : row.fields) {
      bool group = false;
      double value = 0;
      if (has_decimal_comma(field, group)) {
        commas = true;
        sure |= !group;
      } else if (field.find('.') != std::string::npos &&
                 parse_csv_number(field, value)) {
        return;  // a point is a point
      }
    }
  decimal_commas_ = commas && sure;
}

size_t TableFile::column(const std::string& name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? kNone : found->second;
}

size_t TableFile::find(const std::string& name, const std::string& key) const {
  const size_t at = column(name);
  if (at != kNone) return at;
  throw ConfigError(concat(key, " = \"", name, "\", but ", path_.string(),
                           " has the columns ", all_names()));
}

std::string TableFile::all_names() const {
  std::string all;
  for (const auto& name : names_)
    if (!name.empty()) all += concat(all.empty() ? "" : ", ", name);
  return all;
}

const std::string& TableFile::text(size_t row, size_t column) const {
  const auto& value = field(row, column);
  if (value.empty()) fail(row, column, "a value");
  return value;
}

bool TableFile::is_number(size_t row, size_t column, double& value) const {
  const auto& text = field(row, column);
  bool group = false;
  if (!decimal_commas_ || !has_decimal_comma(text, group))
    return parse_csv_number(text, value);
  std::string point = text;
  point[point.find(',')] = '.';
  return parse_csv_number(point, value);
}

double TableFile::number(size_t row, size_t column) const {
  double value = 0;
  if (!is_number(row, column, value)) fail(row, column, "a number");
  return value;
}

void TableFile::fail(size_t row, size_t column,
                     const std::string& expected) const {
  throw DataError(concat(path_.string(), ":", line(row), ": column ",
                         names_[column], " is \"", field(row, column),
                         "\"; expected ", expected));
}

std::string TableFile::remarks() const {
  std::string all;
  const auto say = [&](const std::string& what) {
    all += concat(all.empty() ? "" : ", ", what);
  };
  if (separator_ == ';') say("semicolons between columns");
  if (separator_ == '\t') say("tabs between columns");
  if (decimal_commas_) say("decimal commas");
  for (size_t c = 0; c < names_.size(); ++c)
    if (names_[c].empty())
      say(concat("column ", c + 1, " has no name and is left out"));
  return all;
}

}  // namespace protean
