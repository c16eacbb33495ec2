#include <cstdio>

#include <nlohmann/json.hpp>

#include "protean/core/error.h"
#include "protean/core/ini.h"
#include "protean/core/settings_text.h"
#include "protean/experiment/catalogue.h"

#include "cli/commands.h"
#include "cli/reference.h"

namespace protean {
namespace {

const std::vector<CommandFlag> kFlags = {
    {"explain", "KEY", "",
     "what a key is, when one would change it, what it may be and who reads "
     "it"},
    {"learners", "", "", "list the learners, their papers and keys"},
    {"networks", "", "", "list the networks"},
    {"sources", "", "", "list the kinds of data"},
    {"reference", "", "", "print the page of all keys, configs/README.md"}};

int print_values(const CommandLine& line) {
  if (line.json) {
    nlohmann::json json = nlohmann::json::object();
    for (const auto& [key, value] : line.values) json[key] = value;
    std::printf("%s\n", json.dump().c_str());
  } else {
    std::printf("%s", write_ini(line.values).c_str());
  }
  return kExitDone;
}

}  // namespace

int run_config(const Arguments& args) {
  if (print_help(args,
                 "config [--config FILE]... [--section.key value]... | "
                 "--explain KEY | --learners | --networks | --sources | "
                 "--reference",
                 kFlags,
                 {"run.dir", "data.source", "task.ways", "learner.name"}))
    return kExitDone;
  const auto line = parse_command_line(args, kFlags);
  if (!line.positional.empty())
    throw ConfigError("command line: unexpected argument " +
                      line.positional.front() + "; expected --config " +
                      line.positional.front());
  Config config;
  BenchOptions bench;
  Settings settings;
  fields(settings, config, bench);
  if (line.is_set("explain")) {
    const auto& s = settings.at(line.flags.at("explain"), "--explain");
    std::printf("%s", explain(s).c_str());
    return kExitDone;
  }
  if (line.is_set("reference")) {
    std::printf("%s", reference(settings).c_str());
    return kExitDone;
  }
  for (const auto& [flag, key] : {std::pair("learners", "learner.name"),
                                  std::pair("networks", "model.name"),
                                  std::pair("sources", "data.source")})
    if (line.is_set(flag)) {
      std::printf("%s", list_entries(entries_of(key)).c_str());
      return kExitDone;
    }
  check(line.config);
  return print_values(line);
}

}  // namespace protean
