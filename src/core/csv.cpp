#include "protean/core/csv.h"

#include <algorithm>
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

constexpr std::string_view kSeparator = "sep=";  // as Excel writes and reads

// Behind the byte order mark.
size_t start_of(std::string_view text) {
  return text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
}

// Walks over a file's text, one field at a time.
class Scanner {
 public:
  Scanner(std::string_view text, char separator,
          const std::filesystem::path& path)
      : text_(text),
        separator_(separator),
        ends_{separator, '\n'},
        blanks_(separator == '\t' ? " " : " \t"),
        path_(path) {
    at_ = start_of(text_);
    if (text_.substr(at_).starts_with(kSeparator)) {
      at_ = std::min(text_.find('\n', at_), text_.size() - 1) + 1;
      ++line_;
    }
  }

  bool done() const { return at_ >= text_.size(); }
  int line() const { return line_; }

  // The next field; whether it ends its row.
  bool field(std::string& out) {
    const size_t open = text_.find_first_not_of(blanks_, at_);
    if (open != std::string_view::npos && text_[open] == '"') {
      out = quoted(open + 1);
    } else {
      const size_t end = text_.find_first_of(ends_, at_);
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
    at_ = text_.find_first_not_of(blanks_ + "\r", from + 1);
    at_ = std::min(at_, text_.size());
    if (!done() && text_[at_] != separator_ && text_[at_] != '\n')
      throw DataError(concat(path_.string(), ":", line_, ": \"", text_[at_],
                             "\" after a closed quote; expected a comma or "
                             "the end of the line"));
    return out;
  }

  std::string_view text_;
  char separator_;
  std::string ends_, blanks_;
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

char csv_separator(std::string_view text) {
  text.remove_prefix(start_of(text));
  if (text.starts_with(kSeparator) && text.size() > kSeparator.size())
    return text[kSeparator.size()];
  size_t commas = 0, semicolons = 0, tabs = 0;
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == '\n' && commas + semicolons + tabs > 0) break;
    commas += c == ',';
    semicolons += c == ';';
    tabs += c == '\t';
  }
  if (semicolons > commas && semicolons >= tabs) return ';';
  return tabs > commas ? '\t' : ',';
}

std::vector<CsvRow> parse_csv(const std::string& text, char separator,
                              const std::filesystem::path& path) {
  Scanner scanner(text, separator, path);
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

std::vector<CsvRow> read_csv(const std::filesystem::path& path) {
  return parse_csv(read_file(path), ',', path);
}

bool parse_csv_number(std::string_view text, double& value) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() &&
         std::isfinite(value);
}

}  // namespace protean
