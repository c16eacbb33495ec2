// The manual page: roff with the macros of man(7).
#include "protean/core/settings_text.h"
#include "protean/run/provenance.h"

#include "cli/completion.h"

namespace protean {
namespace {

// Text that roff takes for nothing else.
std::string plain(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n'))
      out += std::string("\\&") + c;
    else
      out += c;
  }
  return out;
}

std::string item(const std::string& name, const std::string& value,
                 const std::string& text) {
  return ".TP\n.B \\-\\-" + plain(name) +
         (value.empty() ? "" : " \\fI" + plain(value) + "\\fR") + "\n" +
         plain(text) + "\n";
}

}  // namespace

std::string manual_begin() {
  return ".TH PROTEAN 1 \"\" \"protean " +
         provenance().at("version").get<std::string>() +
         "\" \"User Commands\"\n"
         ".SH NAME\nprotean \\- meta\\-training of few\\-shot learners and "
         "generative models, on one process or many\n"
         ".SH SYNOPSIS\n.B protean\n\\fICOMMAND\\fR [\\fB\\-\\-config\\fR "
         "\\fIFILE\\fR]... [\\fB\\-\\-\\fIsection.key value\\fR]...\n"
         ".SH COMMANDS\n";
}

std::string manual_of(const std::string& usage,
                      const std::vector<CommandFlag>& flags, bool keys) {
  std::string text = ".SS protean " + plain(usage) + "\n";
  for (const auto& f : flags)
    text += item(f.name, f.value_name,
                 f.help + (f.default_value.empty()
                               ? ""
                               : " (default: " + f.default_value + ")"));
  if (keys) text += ".PP\nIt takes keys too.\n";
  return text;
}

std::string manual_end() {
  Config config;
  BenchOptions bench;
  Settings settings;
  fields(settings, config, bench);
  std::string text =
      ".SH KEYS\nA key is a flag, \\-\\-task.ways 20, or a line of an INI "
      "file, ways = 20 below [task].\n";
  for (const auto& section : settings.sections()) {
    text += ".SS " + plain(section) + "\n";
    for (const auto& s : settings.all())
      if (s.section() == section)
        text +=
            item(s.key(), s.shown(),
                 s.help() + (s.range().empty() ? "" : " (" + s.range() + ")"));
  }
  return text +
         ".SH EXIT STATUS\n0 done, 1 failed, 2 bad usage or configuration, 75 "
         "stopped by request and resumable.\n";
}

}  // namespace protean
