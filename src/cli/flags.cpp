#include "protean/comm/preflight.h"
#include "protean/core/csv.h"
#include "protean/core/error.h"
#include "protean/experiment/keys.h"
#include "protean/experiment/stored_run.h"

#include "cli/commands.h"

namespace protean {

int64_t whole_number(const CommandLine& line, const char* flag) {
  const auto& text = line.flags.at(flag);
  size_t used = 0;
  unsigned long value = 0;
  try {
    value = std::stoul(text, &used);
  } catch (const std::exception&) {
  }
  if (used != text.size() || value > 1u << 20 || text.empty())
    throw ConfigError(concat("--", flag, " ", text,
                             "; expected a whole number up to 1048576"));
  return static_cast<int64_t>(value);
}

double number(const CommandLine& line, const char* flag) {
  double value = 0;
  if (!parse_csv_number(line.flags.at(flag), value))
    throw ConfigError(
        concat("--", flag, " ", line.flags.at(flag), "; expected a number"));
  return value;
}

const std::string& required(const CommandLine& line, const char* flag,
                            const char* expected) {
  if (!line.is_set(flag))
    throw ConfigError(concat("--", flag, " is not set; expected ", expected));
  return line.flags.at(flag);
}

Stream eval_stream(const Config& config) {
  return config.eval.stream == "validation" ? Stream::validation : Stream::test;
}

StoredRun open_stored_run(const char* key, const std::string& dir,
                          Communicator& control) {
  StoredRun run;
  run.dir = dir;
  agree(control, [&] {
    const auto config = std::filesystem::path(dir) / "config.ini";
    if (!std::filesystem::exists(config))
      throw ConfigError(concat(key, " = ", dir,
                               ": no config.ini there; expected a run "
                               "directory"));
    run.experiment = make_experiment(read_stored_config(config));
  });
  run.meta =
      load_meta(dir, concat(key, " = ", dir), run.experiment, control).meta;
  return run;
}

void check_same_ink(const char* key, const StoredRun& other,
                    const Experiment& own) {
  const auto& ours = own.config.data;
  const auto& its = other.experiment.config.data;
  if (ours.source == its.source && ours.path == its.path &&
      ours.invert != its.invert)
    throw ConfigError(concat(
        key, " = ", other.dir, ": it was trained with data.invert = ",
        its.invert ? "true" : "false", "; expected the same of these images"));
}

bool open_frozen_generator(const Experiment& experiment, Communicator& control,
                           FrozenGenerator& generator) {
  bool needed = false;
  agree(control, [&] { needed = needs_generator(experiment.config); });
  if (!needed) return false;
  const auto run = open_stored_run("generator.from",
                                   experiment.config.generated.from, control);
  agree(control, [&] {
    check_same_ink("generator.from", run, experiment);
    generator = {
        generative_learner(run.experiment, "generator.from = " + run.dir),
        run.meta, std::make_shared<const Experiment>(run.experiment)};
  });
  return true;
}

}  // namespace protean
