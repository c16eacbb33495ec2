#include "cli/options.h"

#include <algorithm>
#include <set>

#include <boost/program_options.hpp>

#include "protean/core/error.h"
#include "protean/core/ini.h"
#include "protean/data/image_files.h"

namespace po = boost::program_options;

namespace protean {
namespace {

void bench_fields(Settings& s, BenchOptions& o) {
  s.add("bench.workload", &o.workload)
      .says("what is timed; `protean bench --help` lists the names");
  s.add("bench.ranks", &o.ranks).says("threads that act as ranks").at_least(1);
  s.add("bench.threads", &o.threads)
      .says("CPU threads of each rank")
      .at_least(1);
  s.add("bench.seconds", &o.seconds)
      .says("seconds that are measured, after a warm-up")
      .when("longer for steadier figures");
}

// Where a key was given: the first origin that sets a key is the strongest.
class Origins {
 public:
  explicit Origins(const Settings& settings) : settings_(settings) {}

  void set(const Setting& s, const std::string& value,
           const std::string& origin) {
    if (given_.insert(s.key()).second) Settings::set(s, value, origin);
  }
  void set_file(const std::filesystem::path& path) {
    settings_.set_all(read_ini(path), path.string(),
                      [this](const auto& s, const auto& value,
                             const auto& origin) { set(s, value, origin); });
  }
  // Keeps the value that the key has.
  void keep(const std::string& key) { given_.insert(key); }
  bool has(const std::string& key) const { return given_.count(key) != 0; }
  const std::set<std::string>& keys() const { return given_; }

 private:
  const Settings& settings_;
  std::set<std::string> given_;
};

const CommandFlag* find_flag(const std::vector<CommandFlag>& flags,
                             const std::string& name) {
  const auto found = std::find_if(flags.begin(), flags.end(),
                                  [&](auto& f) { return f.name == name; });
  return found == flags.end() ? nullptr : &*found;
}

po::options_description describe(const Settings& settings,
                                 const std::vector<CommandFlag>& flags) {
  po::options_description all;
  auto add = all.add_options();
  const auto add_key = [&](const std::string& name) {
    if (!find_flag(flags, name)) add(name.c_str(), po::value<std::string>());
  };
  for (const auto& s : settings.all()) {
    add_key(s.key());
    for (const auto& alias : s.aliases()) {
      add_key(alias);
      if (s.word() != alias) add_key(s.section() + "." + alias);
    }
  }
  for (const auto& f : flags)
    if (f.value_name.empty())
      add(f.name.c_str(), po::bool_switch());
    else
      add(f.name.c_str(), po::value<std::string>());
  add("config", po::value<std::vector<std::string>>());
  add("json", po::bool_switch());
  add("positional", po::value<std::vector<std::string>>());
  return all;
}

[[noreturn]] void unknown_flag(const Settings& settings,
                               const std::vector<CommandFlag>& flags,
                               const std::string& name) {
  std::vector<std::string> names{"config", "help", "json"};
  for (const auto& f : flags) {
    names.push_back(f.name);
    if (std::find(f.meant_by.begin(), f.meant_by.end(), name) !=
        f.meant_by.end())
      throw ConfigError(concat("command line: unknown key ", name,
                               "; expected --", f.name, " ", f.value_name));
  }
  throw ConfigError(concat("command line: unknown key ", name, "; ",
                           settings.meant(name, names)));
}

// Values of a stored configuration that nothing in it reads: older builds took
// them.
std::vector<std::string> unread_in(const std::filesystem::path& stored) {
  Config config;
  Settings settings;
  fields(settings, config);
  settings.set_all(read_ini(stored), stored.string());
  return settings.drop_unread([](const Setting&) { return true; },
                              stored.string());
}

// Of data.source = auto; keys that tables alone read are checked by it.
bool names_table(const DataOptions& data) {
  const auto extension = extension_of(data.path);
  return data.source == "auto" && (extension == ".csv" || extension == ".tsv");
}

// What stands on the command line itself: keys, of which the last one counts
// where one is given twice, and configuration files.
struct Given {
  std::map<std::string, std::string> keys;
  std::vector<std::string> files;
};

Given read_flags(const std::vector<std::string>& args,
                 const std::vector<CommandFlag>& flags,
                 const Settings& settings, CommandLine& line) {
  Given given;
  try {
    using namespace po::command_line_style;
    po::positional_options_description positional;
    positional.add("positional", -1);
    const auto options = describe(settings, flags);
    const auto parsed = po::command_line_parser(args)
                            .options(options)
                            .positional(positional)
                            .style(unix_style & ~allow_guessing)
                            .allow_unregistered()
                            .run();
    for (const auto& option : parsed.options) {
      const auto& key = option.string_key;
      const std::string value = option.value.empty() ? "" : option.value.back();
      if (option.unregistered) {
        unknown_flag(settings, flags, key);
      } else if (key == "config") {
        given.files.insert(given.files.end(), option.value.begin(),
                           option.value.end());
      } else if (key == "json") {
        line.json = true;
      } else if (key == "positional") {
        line.positional.insert(line.positional.end(), option.value.begin(),
                               option.value.end());
      } else if (const auto* flag = find_flag(flags, key)) {
        line.flags[key] = flag->value_name.empty() ? "true" : value;
      } else {
        const auto& s = settings.at(key, "command line");
        given.keys[s.key()] = value;
        if (s.key() != key)
          line.notes.push_back(
              concat("--", key, " is ", s.key(), " here: ", s.help()));
      }
    }
  } catch (const po::error& e) {
    throw ConfigError(concat("command line: ", e.what()));
  }
  return given;
}

// The configuration of a stored run, below all that was given. uses_run: the
// command makes use of it elsewhere, and does not go on with it.
void add_stored(const std::filesystem::path& stored, bool uses_run,
                const Settings& settings, Origins& origins, CommandLine& line) {
  // How a job is started is not part of the run: a launcher gives the ranks.
  if (under_mpi_launcher()) origins.keep("comm.ranks");
  const bool backend_given = origins.has("comm.backend");
  // Nor is where tasks are computed: commands that use a run are made on other
  // machines than it was.
  if (uses_run) {
    if (!origins.has("run.device")) line.config.run.device = "auto";
    origins.keep("run.device");
  }
  const auto before = origins;
  if (!stored.empty()) {
    origins.set_file(stored);
    line.warnings = unread_in(stored);
    // Nor need the user hear of what a flag has left without a reader.
    settings.drop_unread([&](const auto& s) { return !before.has(s.key()); },
                         "");
  }
  const auto& backend = line.config.comm.backend;
  if (!backend_given && ((under_mpi_launcher() && backend == "inproc") ||
                         (uses_run && backend == "nccl")))
    line.config.comm.backend = "auto";
}

}  // namespace

void fields(Settings& s, Config& config, BenchOptions& bench) {
  fields(s, config);
  bench_fields(s, bench);
}

CommandLine parse_command_line(const std::vector<std::string>& args,
                               const std::vector<CommandFlag>& flags,
                               StoredConfig stored_config) {
  CommandLine line;
  Settings settings;
  fields(settings, line.config, line.bench);
  for (const auto& f : flags) line.flags[f.name] = f.default_value;
  const auto given = read_flags(args, flags, settings, line);
  Origins origins(settings);
  for (const auto& [key, value] : given.keys)
    origins.set(settings.at(key, ""), value, "command line");
  for (auto file = given.files.rbegin(); file != given.files.rend(); ++file) {
    if (std::error_code error; !std::filesystem::is_regular_file(*file, error))
      throw ConfigError("--config " + *file +
                        ": cannot be read; expected an INI file");
    origins.set_file(*file);
  }
  line.given = origins.keys();
  if (stored_config)
    add_stored(stored_config(line), find_flag(flags, "run") != nullptr,
               settings, origins, line);
  if (names_table(line.config.data)) {
    line.config.data.source = "table";
    line.notes.push_back("data.source = table, as data.path = " +
                         line.config.data.path + " is one");
  }
  for (const auto& s : settings.all())
    if (s.section() != "bench") line.values.emplace_back(s.key(), s.value());
  return line;
}

}  // namespace protean
