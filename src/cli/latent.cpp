#include <cstdio>

#include "protean/comm/on_root.h"
#include "protean/comm/preflight.h"
#include "protean/core/csv.h"
#include "protean/core/error.h"
#include "protean/evaluation/latent_report.h"

#include "cli/commands.h"
#include "cli/open_features.h"
#include "cli/open_run.h"

namespace protean {
namespace {

const std::vector<CommandFlag> kFlags = {
    {"run", "DIR", "", "run of a generative learner"},
    checkpoint_flag(),
    {"out", "DIR", "", "new folder for pictures, curve.csv and latent.json"},
    {"classes", "N", "20", "classes of eval.stream that are shown"},
    {"seed", "N", "0", "of their choice"},
    {"from", "CLASS", "", "direction.png: images of this class are moved"},
    {"to", "CLASS", "", "towards this one"},
    {"strength", "LOW:HIGH", "",
     "how far; 0 stays, 1 arrives (default -0.25:1.25)"}};

void parse_strength(const std::string& text, LatentOptions& options) {
  constexpr double kFar = 100;
  const size_t colon = text.find(':');
  if (colon == std::string::npos ||
      !parse_csv_number(text.substr(0, colon), options.low) ||
      !parse_csv_number(text.substr(colon + 1), options.high) ||
      !(-kFar <= options.low && options.low < options.high &&
        options.high <= kFar))
    throw ConfigError(concat("--strength ", text,
                             "; expected LOW:HIGH, two numbers from ", -kFar,
                             " to ", kFar, ", the lower first"));
}

LatentOptions options_of(const CommandLine& line) {
  LatentOptions o;
  o.classes = whole_number(line, "classes");
  o.seed = static_cast<uint64_t>(whole_number(line, "seed"));
  required(line, "out");
  for (const auto& [flag, other] :
       {std::pair("from", "to"), {"to", "from"}, {"strength", "from"}})
    if (line.is_set(flag) && !line.is_set(other))
      throw ConfigError(concat("--", flag, " goes with --", other));
  o.from = line.flags.at("from");
  o.to = line.flags.at("to");
  if (line.is_set("strength")) parse_strength(line.flags.at("strength"), o);
  return o;
}

// The network of eval.features that judges images; without one there is no
// function in it.
ImageFeatures judge_of(const Experiment& e, Communicator& comm) {
  const auto& name = e.config.eval.features;
  agree(comm, [&] {
    if (name.find(',') != std::string::npos)
      throw ConfigError("eval.features = " + name +
                        "; latent takes one network");
  });
  const auto all = open_features(e, comm);
  return all.empty() ? ImageFeatures{} : all.front();
}

void print(const nlohmann::json& result, const std::string& out) {
  std::printf("%lld images of %lld classes; pictures in %s\n",
              result.at("images").get<long long>(),
              result.at("classes").get<long long>(), out.c_str());
  for (const auto& [method, match] : result.at("groups").items())
    std::printf("%-17s purity %.3f, mutual information %.3f, Rand index %.3f\n",
                method.c_str(), match.at("purity").get<double>(),
                match.at("mutual_information").get<double>(),
                match.at("rand_index").get<double>());
}

// Keys that --help shows.
const std::vector<std::string> kUsual = {"eval.stream", "learner.eval_steps",
                                         "data.path", "run.threads",
                                         "comm.ranks"};

}  // namespace

int run_latent(const Arguments& args) {
  if (print_help(
          args,
          "latent --run DIR --out DIR [--classes 20] [--from CLASS --to CLASS] "
          "[--section.key value]...",
          kFlags, kUsual))
    return kExitDone;
  return with_world("latent", args, kFlags, run_config,
                    [](const CommandLine& line, World& world) {
                      auto& comm = *world.control;
                      LatentOptions options;
                      agree(comm, [&] {
                        check_on_host(line, "latent");
                        options = options_of(line);
                      });
                      const auto run = open_run(line, comm);
                      const auto features = judge_of(run.experiment, comm);
                      nlohmann::json result;
                      on_root(comm, [&] {
                        result = write_latent_report(
                            run.experiment, run.meta, eval_stream(line.config),
                            options, features, line.flags.at("out"));
                      });
                      if (comm.rank() == 0 && line.json)
                        std::printf("%s\n", result.dump().c_str());
                      else if (comm.rank() == 0)
                        print(result, line.flags.at("out"));
                      return kExitDone;
                    });
}

}  // namespace protean
