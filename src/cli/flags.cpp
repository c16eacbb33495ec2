#include "protean/core/csv.h"
#include "protean/core/error.h"

#include "cli/commands.h"

namespace protean {

int64_t whole_number(const CommandLine& line, const char* flag) {
  const auto& text = line.flags.at(flag);
  size_t used = 0;
  unsigned long value = 0;
  try {
    value = std::stoul(text, &used);
  } catch (const std::exception&) {
  }
  if (used != text.size() || value > 1u << 20 || text.empty())
    throw ConfigError(concat("--", flag, " ", text,
                             "; expected a whole number up to 1048576"));
  return static_cast<int64_t>(value);
}

double number(const CommandLine& line, const char* flag) {
  double value = 0;
  if (!parse_csv_number(line.flags.at(flag), value))
    throw ConfigError(
        concat("--", flag, " ", line.flags.at(flag), "; expected a number"));
  return value;
}

const std::string& required(const CommandLine& line, const char* flag,
                            const char* expected) {
  if (!line.is_set(flag))
    throw ConfigError(concat("--", flag, " is not set; expected ", expected));
  return line.flags.at(flag);
}

Stream eval_stream(const Config& config) {
  return config.eval.stream == "validation" ? Stream::validation : Stream::test;
}

}  // namespace protean
