#include <set>

#include "protean/comm/preflight.h"
#include "protean/core/error.h"

#include "cli/commands.h"
#include "cli/generate_images.h"
#include "cli/generate_text.h"
#include "cli/open_run.h"

namespace protean {
namespace {

const std::vector<CommandFlag> kFlags = {
    {"run", "DIR", "", "run of text, or of a generative learner"},
    checkpoint_flag(),
    {"support", "PATH", "", "a file of a few lines; a folder of a few images"},
    {"prompt", "TEXT", "", "what the new text begins with"},
    {"length", "N", "300", "characters to write"},
    {"temperature", "X", "1",
     "below 1: likelier characters, or images more alike"},
    {"seed", "N", "0", "another seed, other text or images"},
    {"count", "N", "64", "images to make"},
    {"resize", "auto|none|area|nearest|bilinear", "auto",
     "how support images come to the model's size; auto: as in training, "
     "drawings by area"},
    {"fit", "auto|stretch|pad|crop|ink", "auto",
     "of those that are larger or not square; auto: ink (the square around it) "
     "for drawings, else as in training"},
    {"ink", "auto|dark|light", "auto",
     "of support images, for a run trained on ink; auto: the rarer"},
    {"out", "PATH", "",
     "file for the text; new folder for images, with grid.png"}};

// Flags of what the run does not make.
void refuse(const CommandLine& line, const std::set<std::string>& flags,
            const char* made) {
  for (const auto& flag : kFlags)
    if (flags.count(flag.name) &&
        line.flags.at(flag.name) != flag.default_value)
      throw ConfigError(concat("--", flag.name, " does nothing here: --run ",
                               line.flags.at("run"), " makes ", made));
}

int generate(const CommandLine& line, World& world) {
  const auto& config = line.config;
  const bool images = is_generative(config.learner.name);
  agree(*world.control, [&] {
    if (images)
      refuse(line, {"prompt", "length"}, "images");
    else if (config.data.source == "text")
      refuse(line, {"count", "resize", "fit", "ink"}, "text");
  });
  if (images) return generate_images(line, world);
  agree(*world.control, [&] {
    if (config.data.source != "text")
      throw ConfigError(
          concat("--run ", line.flags.at("run"),
                 ": learner.name = ", config.learner.name,
                 " makes no images; expected a run of: ", generative_names(),
                 ", or of data.source = text"));
  });
  return generate_text(line, world);
}

// Keys that --help shows.
const std::vector<std::string> kUsual = {
    "learner.inner_steps", "learner.inner_lr", "learner.eval_steps",
    "run.threads", "comm.ranks"};

}  // namespace

int run_generate(const Arguments& args) {
  if (print_help(
          args,
          "generate --run DIR --support PATH [--prompt TEXT] [--count N --out "
          "DIR]",
          kFlags, kUsual))
    return kExitDone;
  return with_world("generate", args, kFlags, run_config, generate);
}

}  // namespace protean
