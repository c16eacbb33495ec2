#include "protean/core/settings_text.h"

#include <algorithm>
#include <sstream>

#include "protean/core/error.h"
#include "protean/core/lists.h"

namespace protean {
namespace {

std::string shown_default(const Setting& s) {
  return s.standard().empty() ? "empty" : s.standard();
}

std::string in_words(const Setting::Condition& c) {
  if (!c.text.empty()) return "only with " + c.text;
  const auto list = (c.values.size() > 1 ? "one of: " : "") + joined(c.values);
  return (c.entries ? "read by " : "only with ") + c.on + " = " + list;
}

std::string continued(const Setting& s) {
  switch (s.resume()) {
    case Resume::may_change:
      return "a continued run may change it";
    case Resume::may_change_unless_validations_decide:
      return "a continued run may change it, unless task.curriculum_accuracy "
             "is "
             "above 0";
    case Resume::same:
      break;
  }
  return "a continued run keeps it";
}

std::string sentence(std::string text) {
  if (text.empty()) return text;
  text[0] =
      static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text + (text.ends_with('.') ? "" : ".");
}

}  // namespace

std::string wrapped(const std::string& text, int indent, int width) {
  std::istringstream words(text);
  std::string out, line;
  const std::string margin(static_cast<size_t>(indent), ' ');
  for (std::string word; words >> word;) {
    if (!line.empty() && line.size() + 1 + word.size() + margin.size() >
                             static_cast<size_t>(width)) {
      out += margin + line + "\n";
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
  }
  return line.empty() ? out : out + margin + line + "\n";
}

std::string list_line(const Setting& s) {
  return "  --" + s.key() + " (" + shown_default(s) + ")\n" +
         wrapped(s.help(), 6);
}

std::string explain(const Setting& s) {
  std::string text = s.key() + " = " + shown_default(s) + " (" + s.kind() +
                     ")\n" + wrapped(sentence(s.help()), 2);
  const auto add = [&](const std::string& label, const std::string& what) {
    if (!what.empty()) text += wrapped(label + what, 2);
  };
  add("When: ", s.advice());
  add("Range: ", s.range());
  for (const auto& c : s.conditions()) add("", in_words(c));
  add("Also called: ", joined(s.aliases()));
  add("", continued(s));
  return text;
}

std::string list_entries(const std::vector<Entry>& entries) {
  std::string text;
  for (const auto& e : entries) {
    text += e.name + (e.paper.empty() ? "" : " (" + e.paper + ")") + "\n" +
            wrapped(sentence(e.what), 4);
    if (!e.takes.empty()) text += wrapped("Takes " + e.takes + ".", 4);
    if (!e.keys.empty()) text += wrapped("Reads " + joined(e.keys), 4);
  }
  return text;
}

std::string reference_page(const Settings& s, const std::string& intro,
                           const std::vector<Chapter>& chapters) {
  std::string text = intro;
  for (const auto& section : s.sections())
    if (std::none_of(chapters.begin(), chapters.end(),
                     [&](const auto& c) { return c.section == section; }))
      throw Error("the reference page has no chapter for section " + section);
  for (const auto& chapter : chapters) {
    text += "\n## " + chapter.title + "\n\n" + wrapped(chapter.intro, 0);
    for (const auto& setting : s.all()) {
      if (setting.section() != chapter.section) continue;
      text += "\n### " + setting.key() + "\n\n";
      text += wrapped(sentence(setting.help()), 0);
      if (!setting.advice().empty())
        text += "\n" + wrapped(sentence(setting.advice()), 0);
      text += "\n";
      const auto item = [&](const std::string& what) {
        const auto lines = wrapped(what, 2);
        text += "-" + lines.substr(1);
      };
      item(concat("default `", shown_default(setting), "`, ",
                  setting.range().empty() ? setting.kind() : setting.range()));
      for (const auto& c : setting.conditions()) item(in_words(c));
      if (!setting.aliases().empty())
        item("also called " + joined(setting.aliases()));
      item(continued(setting));
    }
  }
  return text;
}

}  // namespace protean
