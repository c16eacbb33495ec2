#include "protean/core/csv.h"

#include <charconv>
#include <cmath>

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"

namespace protean {
namespace {

std::string_view trim(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Walks over a file's text, one field at a time.
class Scanner {
 public:
  Scanner(std::string_view text, const std::filesystem::path& path)
      : text_(text), path_(path) {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;  // byte order mark
  }

  bool done() const { return at_ >= text_.size(); }
  int line() const { return line_; }

  // The next field; whether it ends its row.
  bool field(std::string& out) {
    const size_t open = text_.find_first_not_of(" \t", at_);
    if (open != std::string_view::npos && text_[open] == '"') {
      out = quoted(open + 1);
    } else {
      const size_t end = text_.find_first_of(",\n", at_);
      auto raw = text_.substr(at_, end - at_);
      if (raw.ends_with('\r')) raw.remove_suffix(1);
      out = trim(raw);
      at_ = std::min(end, text_.size());
    }
    if (done()) return true;
    const bool last = text_[at_] == '\n';
    line_ += last;
    ++at_;
    return last;
  }

 private:
  // From behind the opening quote to behind the closing one and what blank
  // follows.
  std::string quoted(size_t from) {
    const int begin = line_;
    std::string out;
    for (;; ++from) {
      if (from >= text_.size())
        throw DataError(
            concat(path_.string(), ":", begin, ": a quote is not closed"));
      line_ += text_[from] == '\n';
      if (text_[from] != '"') {
        out += text_[from];
      } else if (text_.substr(from + 1).starts_with('"')) {
        out += text_[from++];
      } else {
        break;
      }
    }
    at_ = std::min(text_.find_first_not_of(" \t\r", from + 1), text_.size());
    if (!done() && text_[at_] != ',' && text_[at_] != '\n')
      throw DataError(concat(path_.string(), ":", line_, ": \"", text_[at_],
                             "\" after a closed quote; expected a comma or "
                             "the end of the line"));
    return out;
  }

  std::string_view text_;
  const std::filesystem::path& path_;
  size_t at_ = 0;
  int line_ = 1;
};

}  // namespace

void CsvTable::separate() {
  if (row_begun_) text_ += ',';
  row_begun_ = true;
}

void CsvTable::add(std::string_view field) {
  separate();
  if (field.find_first_of(",\"\n\r") == std::string_view::npos) {
    text_ += field;
    return;
  }
  text_ += '"';
  for (char c : field) {
    if (c == '"') text_ += '"';
    text_ += c;
  }
  text_ += '"';
}

void CsvTable::add(double number) {
  separate();
  if (std::isnan(number)) return;
  char buffer[32];
  text_.append(buffer,
               std::to_chars(buffer, buffer + sizeof buffer, number).ptr);
}

void CsvTable::add(int64_t number) {
  separate();
  text_ += std::to_string(number);
}

void CsvTable::end_row() {
  text_ += '\n';
  row_begun_ = false;
}

std::vector<CsvRow> read_csv(const std::filesystem::path& path) {
  const std::string text = read_file(path);
  Scanner scanner(text, path);
  std::vector<CsvRow> rows;
  while (!scanner.done()) {
    CsvRow row{scanner.line(), {}};
    bool last = false;
    while (!last) {
      row.fields.emplace_back();
      last = scanner.field(row.fields.back());
    }
    if (row.fields.size() > 1 || !row.fields[0].empty())
      rows.push_back(std::move(row));
  }
  return rows;
}

bool parse_csv_number(std::string_view text, double& value) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() &&
         std::isfinite(value);
}

}  // namespace protean
