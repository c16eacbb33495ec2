#include <cstdio>

#include "protean/comm/preflight.h"
#include "protean/trainer/latent_report.h"

#include "cli/commands.h"
#include "cli/open_run.h"
#include "trainer/on_root.h"

namespace protean {
namespace {

const std::vector<CommandFlag> kFlags = {
    {"run", "DIR", "", "run of a generative learner; its newest checkpoint"},
    {"out", "DIR", "", "new folder for characters.png, map.svg, latent.json"},
    {"classes", "N", "20", "classes of eval.stream that are shown"},
    {"seed", "N", "0", "of their choice"}};

}  // namespace

int run_latent(const Arguments& args) {
  for (const auto& a : args)
    if (a == "--help") {
      print_help(
          "latent --run DIR --out DIR [--classes 20] [--section.key value]...",
          kFlags, true);
      return kExitDone;
    }
  return with_world(
      "latent", args, kFlags, run_config,
      [](const CommandLine& line, World& world) {
        auto& comm = *world.control;
        LatentOptions options;
        agree(comm, [&] {
          options.classes = whole_number(line, "classes");
          options.seed = static_cast<uint64_t>(whole_number(line, "seed"));
          required(line, "out");
        });
        const auto run = open_run(line, comm);
        nlohmann::json result;
        on_root(comm, [&] {
          generative_learner(run.experiment, line.flags.at("run"));
          result = write_latent_report(run.experiment, run.stored.meta,
                                       line.config.eval.stream == "validation"
                                           ? Stream::validation
                                           : Stream::test,
                                       options, line.flags.at("out"));
        });
        if (comm.rank() == 0 && line.json)
          std::printf("%s\n", result.dump().c_str());
        else if (comm.rank() == 0)
          std::printf(
              "%lld images of %lld classes: k-means purity %.3f, mutual "
              "information %.3f; pictures in %s\n",
              result.at("images").get<long long>(),
              result.at("classes").get<long long>(),
              result.at("purity").get<double>(),
              result.at("mutual_information").get<double>(),
              line.flags.at("out").c_str());
        return kExitDone;
      });
}

}  // namespace protean
