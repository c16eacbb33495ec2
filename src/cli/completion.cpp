#include "cli/completion.h"

#include <algorithm>
#include <cctype>

#include "protean/core/choice.h"
#include "protean/core/error.h"

namespace protean {
namespace {

// FLAG's value_name says it in capitals, or as choices: "auto|dark|light".
std::string value_of(const CommandFlag& flag) {
  const auto& name = flag.value_name;
  if (name.empty()) return "none";
  for (const char* word : {"FILE", "DIR", "FOLDER", "PATH", "RUN"})
    if (name.find(word) != std::string::npos) return "file";
  if (name.find('|') == std::string::npos ||
      std::any_of(name.begin(), name.end(),
                  [](unsigned char c) { return std::isupper(c); }))
    return "text";
  std::string choices = name;
  std::replace(choices.begin(), choices.end(), '|', ' ');
  return choices;
}

std::string value_of(const Setting& s) {
  if (s.kind() == "true or false") return "true false";
  if (!s.choices().empty()) {
    std::string all;
    for (const auto& c : s.choices()) all += (all.empty() ? "" : " ") + c;
    return all;
  }
  for (const char* word : {"path", "dir", "from", "init_from", "prometheus"})
    if (s.word() == word) return "file";
  return "text";
}

constexpr const char* kBash = R"sh(# bash completion of protean; for one shell:
#   eval "$(protean --completion bash)"
_protean() {
  local program=${COMP_WORDS[0]} current=${COMP_WORDS[COMP_CWORD]} name value rest
  local flag=${COMP_WORDS[COMP_CWORD - 1]}
  COMPREPLY=()
  if [ "$COMP_CWORD" = 1 ]; then
    while IFS=$'\t' read -r name rest; do
      [[ $name != "$current"* ]] || COMPREPLY+=("$name")
    done < <("$program" --complete 2>/dev/null)
    return
  fi
  while IFS=$'\t' read -r name value rest; do
    if [ "--$name" = "$flag" ] && [ "$value" != none ]; then
      case $value in
        file) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
        text) COMPREPLY=() ;;
        *) mapfile -t COMPREPLY < <(compgen -W "$value" -- "$current") ;;
      esac
      return
    fi
    [[ --$name != "$current"* ]] || COMPREPLY+=("--$name")
  done < <("$program" "${COMP_WORDS[1]}" --complete 2>/dev/null)
  [[ $current == -* ]] || mapfile -t COMPREPLY < <(compgen -f -- "$current")
}
complete -o filenames -F _protean protean
)sh";

constexpr const char* kZsh = R"sh(#compdef protean
# zsh completion of protean; as a file _protean in a folder of $fpath, or for one
# shell: eval "$(protean --completion zsh)"
_protean() {
  local name value help
  local -a found
  if (( CURRENT == 2 )); then
    while IFS=$'\t' read -r name value help; do
      found+=("$name:$help")
    done < <(${words[1]} --complete 2>/dev/null)
    _describe command found
    return
  fi
  while IFS=$'\t' read -r name value help; do
    if [[ --$name == ${words[CURRENT-1]} && $value != none ]]; then
      case $value in
        file) _files ;;
        text) _message "$help" ;;
        *) found=(${=value}); _describe value found ;;
      esac
      return
    fi
    found+=("--$name:$help")
  done < <(${words[1]} ${words[2]} --complete 2>/dev/null)
  _describe flag found
  [[ ${words[CURRENT]} == -* ]] || _files
}
if [ "${funcstack[1]}" = _protean ]; then _protean "$@"; else compdef _protean protean; fi
)sh";

}  // namespace

std::string completions(const std::vector<CommandFlag>& flags, bool keys) {
  std::string text;
  const auto add = [&](const std::string& name, const std::string& value,
                       const std::string& help) {
    text += name + "\t" + value + "\t" + help + "\n";
  };
  for (const auto& f : flags) add(f.name, value_of(f), f.help);
  add("json", "none", "one JSON object on stdout, all else on stderr");
  add("help", keys ? "text" : "none", "what it takes");
  if (!keys) return text;
  add("config", "file", "INI file with keys");
  Config config;
  BenchOptions bench;
  Settings settings;
  fields(settings, config, bench);
  for (const auto& s : settings.all()) add(s.key(), value_of(s), s.help());
  return text;
}

std::string completion_script(const std::string& shell) {
  check_choice("--completion", shell, {"bash", "zsh"});
  return shell == "bash" ? kBash : kZsh;
}

}  // namespace protean
