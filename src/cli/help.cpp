#include <algorithm>
#include <cstdio>

#include "protean/core/error.h"
#include "protean/core/lists.h"
#include "protean/core/settings_text.h"

#include "cli/commands.h"
#include "cli/completion.h"

namespace protean {
namespace {

void print(const std::string& text) { std::printf("%s", text.c_str()); }

void print_flag(const std::string& name, const std::string& help,
                const std::string& standard) {
  print("  --" + name + (standard.empty() ? "" : " (" + standard + ")") + "\n" +
        wrapped(help, 6));
}

void print_section(const Settings& settings, const std::string& section) {
  for (const auto& s : settings.all())
    if (s.section() == section) print(list_line(s));
}

void print_topic(const Settings& settings, const std::string& topic) {
  const auto sections = settings.sections();
  if (std::find(sections.begin(), sections.end(), topic) != sections.end()) {
    print("Keys of section " + topic + ", with their defaults:\n");
    print_section(settings, topic);
  } else if (topic == "all") {
    for (const auto& section : sections) {
      print("\n[" + section + "]\n");
      print_section(settings, section);
    }
  } else if (const Setting* s = settings.find(topic)) {
    print(explain(*s));
  } else {
    std::string expected;
    for (const auto& section : sections) expected += section + ", ";
    throw ConfigError(concat("--help ", topic, "; expected one of: ", expected,
                             "all, or a key"));
  }
}

void print_overview(const Settings& settings, const std::string& usage,
                    const std::vector<CommandFlag>& flags,
                    const std::vector<std::string>& keys) {
  print("usage: protean " + usage + "\n\n");
  for (const auto& f : flags)
    print_flag(f.name + (f.value_name.empty() ? "" : " " + f.value_name),
               f.help, f.default_value);
  print_flag("json", "one JSON object on stdout, all else on stderr", "");
  if (keys.empty()) {
    print_flag("help", "this text", "");
    return;
  }
  print_flag("config FILE", "INI file with keys; repeatable, the last one wins",
             "");
  print_flag("help SECTION|KEY|all", "this text, or more about keys", "");
  print(
      "\nThe keys that matter most here, as flags (--task.ways 20) or in INI "
      "files\n([task] ways = 20), with their defaults:\n");
  for (const auto& key : keys) print(list_line(settings.at(key, "--help")));
  print("\n" + wrapped("Sections of keys: " + joined(settings.sections()) +
                           ". `--help SECTION` lists one of them, `--help all` "
                           "all; `protean config --explain KEY` says all about "
                           "one.",
                       0));
}

}  // namespace

bool print_help(const Arguments& args, const std::string& usage,
                const std::vector<CommandFlag>& flags,
                const std::vector<std::string>& keys) {
  if (args == Arguments{"--complete"}) {
    print(completions(flags, !keys.empty()));
    return true;
  }
  if (args == Arguments{"--man"}) {
    print(manual_of(usage, flags, !keys.empty()));
    return true;
  }
  const auto asked = std::find_if(args.begin(), args.end(), [](const auto& a) {
    return a == "--help" || a == "-h";
  });
  if (asked == args.end()) return false;
  Config config;
  BenchOptions bench;
  Settings settings;
  fields(settings, config, bench);
  const auto topic = asked + 1;
  if (topic != args.end() && !topic->starts_with('-') && !keys.empty())
    print_topic(settings, *topic);
  else
    print_overview(settings, usage, flags, keys);
  return true;
}

}  // namespace protean
