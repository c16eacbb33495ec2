#include <cmath>
#include <cstdio>

#include <ATen/Parallel.h>

#include "protean/comm/preflight.h"
#include "protean/core/error.h"
#include "protean/trainer/evaluate.h"
#include "protean/trainer/trainer.h"

#include "cli/commands.h"

namespace protean {
namespace {

const std::vector<CommandFlag> kFlags = {
    {"run", "DIR", "", "run directory whose newest checkpoint is evaluated"}};

std::filesystem::path stored_config(const CommandLine& line) {
  if (!line.is_set("run"))
    throw ConfigError("--run is not set; expected a run directory");
  const auto path = std::filesystem::path(line.flags.at("run")) / "config.ini";
  if (!std::filesystem::exists(path))
    throw ConfigError("--run " + line.flags.at("run") +
                      ": no config.ini there; expected a run directory");
  return path;
}

Stream eval_stream(const std::string& name) {
  if (name == "test") return Stream::test;
  if (name == "validation") return Stream::validation;
  throw ConfigError("eval.stream = \"" + name +
                    "\"; expected one of: test, validation");
}

void print(const EvalResult& r) {
  const auto& last = r.last();
  if (std::isnan(last.accuracy))
    std::printf("loss %.4f +- %.4f (median %.4f) over %lld tasks\n", last.loss,
                r.ci95, last.loss_median, static_cast<long long>(r.tasks));
  else
    std::printf(
        "accuracy %.2f %% +- %.2f (95 %% interval over %lld tasks), %lld-way "
        "%lld-shot, %lld queries per class, %s\n",
        100 * last.accuracy, 100 * r.ci95, static_cast<long long>(r.tasks),
        static_cast<long long>(r.ways), static_cast<long long>(r.shots),
        static_cast<long long>(r.queries),
        r.transductive ? "transductive" : "inductive");
}

int evaluate_run(const CommandLine& line, World& world) {
  Experiment experiment;
  Stream stream{};
  agree(*world.control, [&] {
    stream = eval_stream(line.config.eval.stream);
    experiment = make_experiment(line.config);
  });
  at::set_num_threads(line.config.run.threads);
  const auto stored =
      load_meta(line.flags.at("run"), experiment, *world.control);
  const auto result = evaluate(experiment, *world.control, stored.meta, stream,
                               line.config.eval.tasks);
  if (world.control->rank() != 0) return kExitDone;
  if (line.json) {
    auto json = result.to_json();
    json["step"] = stored.step;
    std::printf("%s\n", json.dump().c_str());
  } else {
    print(result);
  }
  return kExitDone;
}

}  // namespace

int run_eval(const Arguments& args) {
  for (const auto& a : args)
    if (a == "--help") {
      print_help("eval --run DIR [--eval.tasks 600] [--section.key value]...",
                 kFlags, true);
      return kExitDone;
    }
  return with_world("eval", args, kFlags, stored_config, evaluate_run);
}

}  // namespace protean
