#include "cli/options.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include <boost/program_options.hpp>

#include "protean/core/error.h"

#include "cli/config_keys.h"

namespace po = boost::program_options;

namespace protean {
namespace {

using Bindings = std::vector<Binding>;

size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min(
          {above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = above;
    }
  }
  return row[b.size()];
}

[[noreturn]] void unknown_key(const std::string& origin, const std::string& key,
                              const std::vector<std::string>& known) {
  std::string nearest;
  size_t best = key.size() / 2 + 2;
  for (const auto& k : known)
    if (const size_t d = edit_distance(key, k); d < best) {
      best = d;
      nearest = k;
    }
  throw ConfigError(concat(
      origin, ": unknown key ", key, "; expected ",
      nearest.empty() ? "one of those that --help lists"
                      : concat("a known key, the nearest is ", nearest)));
}

po::options_description describe(const Bindings& bindings,
                                 const std::vector<CommandFlag>& flags) {
  po::options_description all;
  auto add = all.add_options();
  for (const auto& b : bindings) add(b.key.c_str(), po::value<std::string>());
  for (const auto& f : flags)
    if (f.value_name.empty())
      add(f.name.c_str(), po::bool_switch());
    else
      add(f.name.c_str(), po::value<std::string>());
  add("config", po::value<std::vector<std::string>>());
  add("help", po::bool_switch());
  add("json", po::bool_switch());
  add("positional", po::value<std::vector<std::string>>());
  return all;
}

// Sets key to value unless an earlier, stronger origin has done so.
void apply(const Bindings& bindings,
           std::map<std::string, std::string>& origins, const std::string& key,
           const std::string& value, const std::string& origin) {
  if (!origins.emplace(key, origin).second) return;
  try {
    std::ranges::find(bindings, key, &Binding::key)->set(value);
  } catch (const std::invalid_argument& expected) {
    throw ConfigError(concat(origin, ": ", key, " = \"", value, "\"; expected ",
                             expected.what()));
  }
}

void apply_file(const Bindings& bindings,
                std::map<std::string, std::string>& origins,
                const std::filesystem::path& path) {
  std::ifstream in(path);
  std::error_code error;  // a folder opens like a file, and reads as empty
  if (!in || std::filesystem::is_directory(path, error))
    throw ConfigError(concat("--config ", path.string(),
                             ": cannot be read; expected an INI file"));
  po::options_description keys;
  std::vector<std::string> known;
  for (const auto& b : bindings) {
    keys.add_options()(b.key.c_str(), po::value<std::string>());
    known.push_back(b.key);
  }
  try {
    const auto parsed = po::parse_config_file(in, keys, true);
    // Within a file the last value of a key counts.
    std::map<std::string, std::string> own;
    for (const auto& option : parsed.options) {
      if (option.unregistered)
        unknown_key(path.string(), option.string_key, known);
      own[option.string_key] = option.value.empty() ? "" : option.value.back();
    }
    for (const auto& [key, value] : own)
      apply(bindings, origins, key, value, path.string());
  } catch (const po::error& e) {
    throw ConfigError(path.string() + ": " + e.what());
  }
}

}  // namespace

namespace {

bool is_switch(const std::vector<CommandFlag>& flags, const std::string& name) {
  return std::any_of(flags.begin(), flags.end(), [&](const auto& f) {
    return f.name == name && f.value_name.empty();
  });
}

}  // namespace

CommandLine parse_command_line(const std::vector<std::string>& args,
                               const std::vector<CommandFlag>& flags,
                               StoredConfig stored_config) {
  CommandLine line;
  const Bindings bindings = bind_config(line.config, line.bench);
  for (const auto& f : flags) line.flags[f.name] = f.default_value;

  std::vector<std::string> known{"config", "help", "json"};
  for (const auto& b : bindings) known.push_back(b.key);
  for (const auto& f : flags) known.push_back(f.name);

  std::map<std::string, std::string> origins, given;
  std::vector<std::string> files;
  try {
    using namespace po::command_line_style;
    po::positional_options_description positional;
    positional.add("positional", -1);
    const auto options = describe(bindings, flags);
    const auto parsed = po::command_line_parser(args)
                            .options(options)
                            .positional(positional)
                            .style(unix_style & ~allow_guessing)
                            .allow_unregistered()
                            .run();
    for (const auto& option : parsed.options) {
      const auto& key = option.string_key;
      const std::string value = option.value.empty() ? "" : option.value.back();
      if (option.unregistered)
        unknown_key("command line", key, known);
      else if (key == "config")
        files.insert(files.end(), option.value.begin(), option.value.end());
      else if (key == "help")
        line.help = true;
      else if (key == "json")
        line.json = true;
      else if (key == "positional")
        line.positional.insert(line.positional.end(), option.value.begin(),
                               option.value.end());
      else if (line.flags.count(key))
        line.flags[key] = is_switch(flags, key) ? "true" : value;
      else
        given[key] = value;  // the last one counts
    }
  } catch (const po::error& e) {
    throw ConfigError(concat("command line: ", e.what()));
  }
  for (const auto& [key, value] : given)
    apply(bindings, origins, key, value, "command line");
  for (auto file = files.rbegin(); file != files.rend(); ++file)
    apply_file(bindings, origins, *file);
  if (stored_config) {
    const auto stored = stored_config(line);
    // How a job is started is not part of the run: a launcher gives the ranks.
    if (under_mpi_launcher()) origins.emplace("comm.ranks", "launcher");
    const bool backend_given = origins.count("comm.backend") != 0;
    if (!stored.empty()) apply_file(bindings, origins, stored);
    if (under_mpi_launcher() && !backend_given &&
        line.config.comm.backend == "inproc")
      line.config.comm.backend = "auto";
  }
  for (const auto& b : bindings)
    if (!b.key.starts_with("bench.")) line.values.emplace_back(b.key, b.get());
  return line;
}

std::string to_ini(const ConfigValues& values) {
  std::string text, section;
  for (const auto& [key, value] : values) {
    const auto dot = key.find('.');
    if (key.substr(0, dot) != section) {
      section = key.substr(0, dot);
      text += (text.empty() ? "[" : "\n[") + section + "]\n";
    }
    text += key.substr(dot + 1) + " = " + value + "\n";
  }
  return text;
}

std::string options_help(const std::vector<CommandFlag>& flags,
                         bool with_keys) {
  std::string text;
  auto row = [&](std::string left, const std::string& help,
                 const std::string& standard) {
    if (left.size() < 34) left.resize(34, ' ');
    text += "  " + left + " " + help;
    if (!standard.empty()) text += " [" + standard + "]";
    text += "\n";
  };
  for (const auto& f : flags)
    row("--" + f.name + (f.value_name.empty() ? "" : " " + f.value_name),
        f.help, f.default_value);
  row("--json", "one JSON object on stdout, all else on stderr", "");
  row("--help", "this text", "");
  if (!with_keys) return text;
  row("--config FILE", "INI file with keys; repeatable, later wins", "");
  text +=
      "\nKeys, as flags (--task.ways 20) or in INI files ([task] ways = "
      "20), with their defaults:\n";
  Config config;
  BenchOptions bench;
  for (const auto& b : bind_config(config, bench))
    row("--" + b.key, b.help, b.get().empty() ? "\"\"" : b.get());
  return text;
}

}  // namespace protean
