#include "cli/generate_text.h"

#include <cstdio>

#include "protean/comm/preflight.h"
#include "protean/core/atomic_file.h"
#include "protean/core/error.h"
#include "protean/evaluation/text.h"

#include "cli/open_run.h"

namespace protean {

int generate_text(const CommandLine& line, World& world) {
  TextOptions options;
  std::string support;
  agree(*world.control, [&] {
    options.length = static_cast<int64_t>(number(line, "length"));
    options.temperature = number(line, "temperature");
    options.seed = static_cast<uint64_t>(number(line, "seed"));
    options.prompt = line.flags.at("prompt");
    if (!line.is_set("support"))
      throw ConfigError("--support is not set; expected a file of text");
    support = read_file(line.flags.at("support"));
  });
  auto run = open_run(line, *world.control, OpenFor::prediction);
  move_to_device(line, world, run);
  std::string text;
  agree(*world.control, [&] {
    text = generate_text(run.experiment, run.meta, support, options);
    if (line.is_set("out") && world.control->rank() == 0)
      write_file_atomically(line.flags.at("out"), text + "\n");
  });
  if (world.control->rank() != 0) return kExitDone;
  if (line.json)
    std::printf("%s\n",
                nlohmann::json{
                    {"text", text}, {"step", run.step}, {"seed", options.seed}}
                    .dump()
                    .c_str());
  else
    std::printf("%s\n", text.c_str());
  return kExitDone;
}

}  // namespace protean
