#include <cstdio>

#include <nlohmann/json.hpp>

#include "protean/core/error.h"

#include "cli/commands.h"

namespace protean {

int run_config(const Arguments& args) {
  const auto line = parse_command_line(args, {});
  if (line.help) {
    print_help("config [--config FILE]... [--section.key value]...", {}, true);
    return kExitDone;
  }
  if (line.json) {
    nlohmann::json json = nlohmann::json::object();
    for (const auto& [key, value] : line.values) json[key] = value;
    std::printf("%s\n", json.dump().c_str());
  } else {
    std::printf("%s", to_ini(line.values).c_str());
  }
  return kExitDone;
}

}  // namespace protean
