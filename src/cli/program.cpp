#include "protean/cli/program.h"

#include <cstdio>
#include <exception>

#include <c10/util/Exception.h>

#include "protean/comm/preflight.h"
#include "protean/core/error.h"
#include "protean/core/lists.h"
#include "protean/core/log.h"
#include "protean/core/signals.h"
#include "protean/experiment/device.h"
#include "protean/models/ops/allocation.h"
#include "protean/run/provenance.h"

#include "cli/commands.h"
#include "cli/completion.h"

namespace protean {
namespace {

struct Command {
  const char* name;
  const char* summary;
  int (*run)(const Arguments&);
};

constexpr Command kCommands[] = {
    {"train", "meta-train a learner", run_train},
    {"eval", "accuracy of a trained run on held-out tasks", run_eval},
    {"adapt", "labels a user's images, or values, from a few examples",
     run_adapt},
    {"generate", "text in the style of a few lines, or images of a new class",
     run_generate},
    {"latent", "pictures and measures of a generative model's codes",
     run_latent},
    {"pack", "make one pack file from a zip or a folder of images", run_pack},
    {"inspect", "show or verify a pack, a folder or zip of images, a table",
     run_inspect},
    {"bench", "tasks per second and where the time goes", run_bench},
    {"doctor", "is this allocation fit for a long run?", run_doctor},
    {"report", "one HTML page on one or several runs", run_report},
    {"export", "a run's weights in the layout of the Hugging Face hub",
     run_export},
    {"tasks", "a file of a configuration's tasks, for other programs",
     run_tasks},
    {"config", "print the resolved configuration", run_config},
};

// LibTorch explains itself over many lines, with a backtrace.
std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

// Ends the job with this error, which any number of its ranks may have.
int report_once(std::exception_ptr failure) {
  try {
    return run_world({}, [&](World& world) {
      agree(*world.control, [&] { std::rethrow_exception(failure); });
      return kExitUsage;
    });
  } catch (const CommError&) {  // MPI was up already, and down again
    std::rethrow_exception(failure);
  }
}

void print_usage() {
  std::printf(
      "usage: protean COMMAND [--config FILE]... [--section.key value]...\n\n"
      "Meta-training of few-shot learners, on one process or many.\n\n");
  for (const auto& c : kCommands) std::printf("  %-8s %s\n", c.name, c.summary);
  std::printf(
      "\nprotean COMMAND --help says what a command takes; --completion "
      "bash|zsh\nprints a script for the shell, --man the manual page.\n"
      "Exit codes: 0 done, 1 failed, 2 bad usage or configuration, 75 stopped "
      "by request and resumable.\n");
}

void print_manual() {
  std::printf("%s", manual_begin().c_str());
  for (const auto& c : kCommands) c.run({"--man"});
  std::printf("%s", manual_end().c_str());
}

int run(int argc, char** argv) {
  const std::string name = argc > 1 ? argv[1] : "";
  if (name == "--complete") {
    for (const auto& c : kCommands)
      std::printf("%s\tnone\t%s\n", c.name, c.summary);
    return kExitDone;
  }
  if (name == "--completion") {
    std::printf("%s", completion_script(argc > 2 ? argv[2] : "").c_str());
    return kExitDone;
  }
  if (name == "--man") {
    print_manual();
    return kExitDone;
  }
  if (name == "--help" || name == "-h" || name == "help") {
    print_usage();
    return kExitDone;
  }
  if (name == "--version") {
    std::printf("protean %s (commit %s)\n",
                provenance().at("version").get<std::string>().c_str(),
                build_commit().c_str());
    return kExitDone;
  }
  for (const auto& c : kCommands)
    if (name == c.name) return c.run(Arguments(argv + 2, argv + argc));
  return report_once(std::make_exception_ptr(ConfigError(
      (name.empty() ? "no command" : "unknown command \"" + name + "\"") +
      "; expected one of: " +
      joined(kCommands, [](const auto& c) { return std::string(c.name); }))));
}

}  // namespace

int with_world(const char* command, const Arguments& args,
               const std::vector<CommandFlag>& flags,
               StoredConfig stored_config,
               const std::function<int(const CommandLine&, World&)>& body) {
  CommandLine line;
  try {
    line = parse_command_line(args, flags, stored_config);
  } catch (const ConfigError&) {
    return report_once(std::current_exception());
  }
  open_devices(line.config.run.device);
  Facts facts = {{"the command", command}};
  for (const auto& [flag, value] : line.flags)
    facts.emplace_back("--" + flag, value);
  for (const auto& [key, value] : line.values) facts.emplace_back(key, value);
  try {
    return run_world(line.config.comm, [&](World& world) {
      const auto& comm = *world.control;
      if (std::string(comm.backend()) == "inproc")
        set_thread_log_rank(comm.rank(), comm.size());
      for (const auto& note : line.notes) log_info(note);
      for (const auto& warning : line.warnings) log_shared_warning(warning);
      agree(*world.control, [] {});  // with report_once() of other ranks
      preflight(*world.control, facts);
      try {
        return body(line, world);
      } catch (const c10::Error& e) {
        throw Error(first_line(e.what_without_backtrace()));
      }
    });
  } catch (const ConfigError&) {  // comm.* do not fit how the job was started
    return report_once(std::current_exception());
  }
}

int program(int argc, char** argv) {
  ops::keep_freed_memory();
  install_signal_handlers();
  try {
    return run(argc, argv);
  } catch (const Error& e) {
    log_error(e.what());
    return e.exit_code();
  } catch (const std::exception& e) {
    log_error(first_line(e.what()));
    return kExitFailed;
  }
}

}  // namespace protean
