// One key = one flag = one field of an option struct.
//
// Values come from flags, then from --config files (later ones win), then, for
// a run that is resumed or evaluated, from the config.ini it stored, then from
// the defaults in the structs.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "protean/core/settings.h"
#include "protean/experiment/keys.h"

namespace protean {

struct BenchOptions {
  std::string workload = "omniglot-maml-5w1s";
  int ranks = 1;
  int threads = 1;
  double seconds = 10;
};

// Every key that a command line takes; config and bench hold their defaults and
// outlive the table.
void fields(Settings& s, Config& config, BenchOptions& bench);

// A flag of one command that is no configuration key, e.g. --resume.
struct CommandFlag {
  std::string name;        // without the dashes
  std::string value_name;  // "" for a switch
  std::string default_value;
  std::string help;
  std::vector<std::string> meant_by = {};  // words for it that are no flags
};

struct CommandLine {
  Config config;
  BenchOptions bench;
  std::map<std::string, std::string> flags;  // of the command, with defaults
  std::vector<std::string> positional;
  bool json = false;
  ConfigValues values;          // every key, resolved
  std::set<std::string> given;  // keys of flags and --config files
  // What the user should know of how the line was read, for rank 0 to say.
  std::vector<std::string> notes, warnings;
  bool is_set(const std::string& flag) const {
    const auto it = flags.find(flag);
    return it != flags.end() && !it->second.empty();
  }
};

// stored_config: given the flags so far, the stored config.ini to read below
// everything else, or an empty path.
using StoredConfig = std::filesystem::path (*)(const CommandLine& so_far);

// Throws ConfigError naming flag or file and line, key and value, with the
// nearest known key for an unknown one.
CommandLine parse_command_line(const std::vector<std::string>& args,
                               const std::vector<CommandFlag>& flags,
                               StoredConfig stored_config = nullptr);

}  // namespace protean
