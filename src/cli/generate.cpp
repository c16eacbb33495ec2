#include "cli/commands.h"
#include "cli/generate_text.h"
#include "cli/open_run.h"

namespace protean {
namespace {

const std::vector<CommandFlag> kFlags = {
    {"run", "DIR", "", "run of text whose newest checkpoint writes"},
    {"support", "FILE", "", "a few lines of the text to adapt to"},
    {"prompt", "TEXT", "", "what the new text begins with"},
    {"length", "N", "300", "characters to write"},
    {"temperature", "X", "1", "below 1: likelier characters"},
    {"seed", "N", "0", "another seed, other text"},
    {"out", "FILE", "", "write the text"}};

}  // namespace

int run_generate(const Arguments& args) {
  for (const auto& a : args)
    if (a == "--help") {
      print_help("generate --run DIR --support FILE [--prompt TEXT]", kFlags,
                 true);
      return kExitDone;
    }
  return with_world("generate", args, kFlags, run_config, generate_text);
}

}  // namespace protean
