// One key = one flag = one field of an option struct.
//
// Values come from flags, then from --config files (later ones win), then, for
// a run that is resumed or evaluated, from the config.ini it stored, then from
// the defaults in the structs.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "protean/experiment/config.h"

namespace protean {

struct BenchOptions {
  // bench.workload: a name that `protean bench --help` lists.
  std::string workload = "omniglot-maml-5w1s";
  int ranks = 1;        // bench.ranks: as comm.ranks, threads as ranks
  int threads = 1;      // bench.threads: as run.threads
  double seconds = 10;  // bench.seconds: of measured steps
};

// A flag of one command that is no configuration key, e.g. --resume.
struct CommandFlag {
  std::string name;        // without the dashes
  std::string value_name;  // "" for a switch
  std::string default_value;
  std::string help;
};

struct CommandLine {
  Config config;
  BenchOptions bench;
  std::map<std::string, std::string> flags;  // of the command, with defaults
  std::vector<std::string> positional;
  bool help = false;
  bool json = false;
  ConfigValues values;  // every key, resolved
  bool is_set(const std::string& flag) const {
    const auto it = flags.find(flag);
    return it != flags.end() && !it->second.empty();
  }
};

// stored_config: given the flags so far, the stored config.ini to read below
// everything else, or an empty path.
using StoredConfig = std::filesystem::path (*)(const CommandLine& so_far);

// Throws ConfigError naming flag or file, key and value, with the nearest known
// key for an unknown one.
CommandLine parse_command_line(const std::vector<std::string>& args,
                               const std::vector<CommandFlag>& flags,
                               StoredConfig stored_config = nullptr);

// "[run]\nseed = 0\n..." in the order of the help.
std::string to_ini(const ConfigValues& values);

// Help text: the command's flags, then every key with default and meaning.
std::string options_help(const std::vector<CommandFlag>& flags, bool with_keys);

}  // namespace protean
