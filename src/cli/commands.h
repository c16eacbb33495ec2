// The subcommands of the protean binary. Each takes its arguments after the
// command's name, returns the exit code, and throws Error.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "protean/comm/world.h"
#include "protean/core/plan.h"

#include "cli/options.h"

namespace protean {

using Arguments = std::vector<std::string>;

int run_train(const Arguments& args);
int run_eval(const Arguments& args);
int run_adapt(const Arguments& args);
int run_latent(const Arguments& args);
int run_generate(const Arguments& args);
int run_pack(const Arguments& args);
int run_inspect(const Arguments& args);
int run_bench(const Arguments& args);
int run_doctor(const Arguments& args);
int run_config(const Arguments& args);
int run_report(const Arguments& args);
int run_export(const Arguments& args);
int run_tasks(const Arguments& args);

// Prints help where the arguments ask for it: false where they do not.
//   --help, -h        usage, the command's flags, the keys that matter most
//   --help SECTION    the keys of one section
//   --help all        all keys
// keys: those that matter most, of a command that takes keys. Throws
// ConfigError on a section that is none.
bool print_help(const Arguments& args, const std::string& usage,
                const std::vector<CommandFlag>& flags,
                const std::vector<std::string>& keys);

// Values of a command's flags. Throw ConfigError naming flag and value.
int64_t whole_number(const CommandLine& line, const char* flag);
double number(const CommandLine& line, const char* flag);
const std::string& required(const CommandLine& line, const char* flag,
                            const char* expected = "a path");

// eval.stream.
Stream eval_stream(const Config& config);

// Parses on every rank, joins the ranks, and calls body with the command line,
// which is the same on all of them. An error in it is reported once for the
// job, not once per rank.
int with_world(const char* command, const Arguments& args,
               const std::vector<CommandFlag>& flags,
               StoredConfig stored_config,
               const std::function<int(const CommandLine&, World&)>& body);

}  // namespace protean
