#include "protean/core/ini.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "protean/core/error.h"

namespace protean {
namespace {

constexpr std::string_view kBlanks = " \t";

bool is_blank(char c) { return kBlanks.find(c) != std::string_view::npos; }
bool opens_comment(char c) { return c == '#' || c == ';'; }

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

// Without a comment that follows a blank, or fills it.
std::string_view without_comment(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i)
    if (opens_comment(text[i]) && (i == 0 || is_blank(text[i - 1])))
      return text.substr(0, i);
  return text;
}

class Parser {
 public:
  explicit Parser(const std::string& name) : name_(name) {}

  void take(std::string_view line) {
    ++line_;
    const auto text = trimmed(line);
    if (text.empty() || opens_comment(text.front())) return;
    if (text.front() == '[')
      open_section(text);
    else
      add(text);
  }
  std::vector<IniValue> values;

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw ConfigError(concat(name_, ":", line_, ": ", what));
  }

  void open_section(std::string_view text) {
    const auto whole = trimmed(without_comment(text));
    if (whole.back() != ']') fail(concat("'", text, "'; expected [section]"));
    section_ = trimmed(whole.substr(1, whole.size() - 2));
    if (section_.empty()) fail("[]; expected [section]");
  }

  void add(std::string_view text) {
    const auto equal = text.find('=');
    if (equal == std::string_view::npos || equal == 0)
      fail(concat("'", text, "'; expected key = value or [section]"));
    const std::string word(trimmed(text.substr(0, equal)));
    IniValue v;
    v.key = section_.empty() ? word : section_ + "." + word;
    v.value = read_value(trimmed(text.substr(equal + 1)));
    v.line = line_;
    const auto before =
        std::find_if(values.begin(), values.end(),
                     [&](const auto& other) { return other.key == v.key; });
    if (before != values.end())
      fail(concat(v.key, " = ", v.value, ", but line ", before->line,
                  " gives it as ", before->value, "; expected one of the two"));
    values.push_back(std::move(v));
  }

  std::string read_value(std::string_view text) const {
    if (text.empty() || text.front() != '"')
      return std::string(trimmed(without_comment(text)));
    std::string value;
    for (size_t i = 1; i < text.size(); ++i) {
      if (text[i] == '"') {
        const auto rest = trimmed(text.substr(i + 1));
        if (!rest.empty() && !opens_comment(rest.front()))
          fail(concat("'", rest,
                      "' after the closing quote; expected the end "
                      "of the line"));
        return value;
      }
      value += text[i] == '\\' ? escaped(text, ++i) : text[i];
    }
    fail(concat("'", text, "'; expected a closing quote"));
  }

  char escaped(std::string_view text, size_t i) const {
    constexpr std::string_view kNames = "nrt\"\\", kMeanings = "\n\r\t\"\\";
    const auto which =
        i < text.size() ? kNames.find(text[i]) : std::string_view::npos;
    if (which == std::string_view::npos)
      fail(concat("'\\", text.substr(std::min(i, text.size()), 1),
                  R"(' in quotes; expected one of: \" \\ \n \r \t)"));
    return kMeanings[which];
  }

  const std::string& name_;
  int line_ = 0;
  std::string section_;
};

// Whether a value reads back as it is without quotes.
bool stands_alone(const std::string& value) {
  return trimmed(value) == value && without_comment(value) == value &&
         !value.starts_with('"') &&
         value.find_first_of("\n\r") == std::string::npos;
}

std::string quoted(const std::string& value) {
  if (stands_alone(value)) return value;
  std::string text = "\"";
  for (const char c : value) {
    const auto which = std::string_view("\n\r\t\"\\").find(c);
    if (which == std::string_view::npos)
      text += c;
    else
      (text += '\\') += "nrt\"\\"[which];
  }
  return text + '"';
}

}  // namespace

std::vector<IniValue> parse_ini(std::string_view text,
                                const std::string& name) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  Parser parser(name);
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    parser.take(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return std::move(parser.values);
}

std::vector<IniValue> read_ini(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::error_code error;  // a folder opens like a file, and reads as empty
  if (!in || std::filesystem::is_directory(path, error))
    throw ConfigError(path.string() + ": cannot be read; expected an INI file");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  return parse_ini(text, path.string());
}

std::string write_ini(
    const std::vector<std::pair<std::string, std::string>>& values) {
  std::string text, section;
  for (const auto& [key, value] : values) {
    const auto dot = key.find('.');
    if (key.substr(0, dot) != section) {
      section = key.substr(0, dot);
      text += (text.empty() ? "[" : "\n[") + section + "]\n";
    }
    text += key.substr(dot + 1) + " = " + quoted(value) + "\n";
  }
  return text;
}

}  // namespace protean
