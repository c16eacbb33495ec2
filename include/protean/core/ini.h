// INI files: keys of a configuration, as people write them and runs keep them.
//
//   # A comment, also with ; and also after a value, behind a blank.
//   [task]
//   ways = 20            # task.ways
//   optim.lr = 0.1       # only before the first section
//   [data]
//   path = "a # b\t\"c\""
//
// A value ends with its line; blanks around it do not count. In double quotes
// everything counts, and \" \\ \n \r \t stand for what they stand for in C.
// A # or ; within a word is part of it (path/a#b). UTF-8, with or without a
// byte order mark; lines may end with CR LF. A section may come again; a key
// may not. What write_ini writes, parse_ini reads back to the same strings.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace protean {

struct IniValue {
  std::string key;  // section.word
  std::string value;
  int line = 0;  // 1-based
};

// name: of the file, for messages: "FILE:LINE: what is wrong; what was
// expected" (ConfigError).
std::vector<IniValue> parse_ini(std::string_view text, const std::string& name);
// The same of a file. Throws ConfigError where it cannot be read.
std::vector<IniValue> read_ini(const std::filesystem::path& path);

// One section for each run of keys of the same one.
std::string write_ini(
    const std::vector<std::pair<std::string, std::string>>& values);

}  // namespace protean
