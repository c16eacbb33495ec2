#include "protean/core/settings.h"

#include <algorithm>
#include <map>
#include <stdexcept>

#include "protean/core/error.h"
#include "protean/core/ini.h"
#include "protean/core/lists.h"
#include "protean/core/nearest_word.h"

namespace protean {
namespace {

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

Setting& Settings::add(std::string key, Setting::Field field) {
  if (own(key)) throw Error("the key " + key + " is declared twice");
  return all_.emplace_back(std::move(key), field);
}

Setting* Settings::own(const std::string& key) {
  const auto found = std::find_if(
      all_.begin(), all_.end(), [&](const auto& s) { return s.key() == key; });
  return found == all_.end() ? nullptr : &*found;
}

void Settings::read_by(const std::string& key,
                       const std::vector<Entry>& entries) {
  if (Setting* const chooses = own(key))
    for (const auto& entry : entries) chooses->choices_.push_back(entry.name);
  for (const auto& entry : entries)
    for (const auto& reads : entry.keys) {
      Setting* const setting = own(reads);
      if (!setting) {
        if (contains(sections(), reads.substr(0, reads.find('.'))))
          throw Error(
              concat(entry.name, " reads ", reads, ", which is no key"));
        continue;
      }
      auto& conditions = setting->conditions_;
      auto found =
          std::find_if(conditions.begin(), conditions.end(),
                       [&](const auto& c) { return c.entries && c.on == key; });
      if (found == conditions.end())
        // First: who reads a key goes before what else it depends on.
        found = conditions.insert(conditions.begin(), {key, {}, "", {}, true});
      found->values.push_back(entry.name);
    }
}

void Settings::read_anyway(const std::string& key) {
  own(key)->read_anyway_ = true;
}

const Setting* Settings::find(const std::string& name) const {
  for (const auto& s : all_)
    if (s.key() == name) return &s;
  const auto dot = name.find('.');
  const std::string word =
      dot == std::string::npos ? name : name.substr(dot + 1);
  for (const auto& s : all_)
    if (contains(s.aliases(), word) &&
        (dot == std::string::npos || s.section() == name.substr(0, dot)))
      return &s;
  return nullptr;
}

const Setting& Settings::at(const std::string& name,
                            const std::string& origin) const {
  if (const Setting* s = find(name)) return *s;
  throw ConfigError(concat(origin, ": unknown key ", name, "; ", meant(name)));
}

std::string Settings::meant(const std::string& name,
                            const std::vector<std::string>& flags) const {
  // The last word alone, or a section alone.
  std::vector<std::string> ends, known = flags, words;
  for (const auto& s : all_) {
    known.push_back(s.key());
    words.push_back(s.word());
    if (s.word() == name || s.key() == name + ".name") ends.push_back(s.key());
  }
  if (ends.size() > 1) return "expected one of: " + joined(ends);
  std::string nearest;
  if (!ends.empty()) {
    nearest = ends[0];
  } else if (name.find('.') == std::string::npos) {
    // A flag, or the last word of a key.
    words.insert(words.begin(), flags.begin(), flags.end());
    nearest = nearest_word(name, words);
    const auto word = static_cast<size_t>(
        std::find(words.begin(), words.end(), nearest) - words.begin());
    if (word >= flags.size() && word < words.size())
      nearest = all_[word - flags.size()].key();
  }
  if (nearest.empty()) nearest = nearest_word(name, known);
  return nearest.empty() ? "expected one of those that --help all lists"
                         : "expected a known key, the nearest is " + nearest;
}

std::vector<std::string> Settings::sections() const {
  std::vector<std::string> names;
  for (const auto& s : all_)
    if (!contains(names, s.section())) names.push_back(s.section());
  return names;
}

std::string Settings::value(const std::string& key) const {
  for (const auto& s : all_)
    if (s.key() == key) return s.value();
  return "";
}

bool Settings::is(const std::string& key,
                  const std::vector<std::string>& values) const {
  for (const auto& s : all_)
    if (s.key() == key) return contains(values, s.value());
  return true;
}

const Setting::Condition* Settings::why_unread(const Setting& s) const {
  if (s.read_anyway_) return nullptr;
  for (const auto& c : s.conditions()) {
    if (c.holds) {
      if (!c.holds(*this)) return &c;
      continue;
    }
    const Setting* const on = find(c.on);
    if (!on) continue;
    const auto* const above = why_unread(*on);
    // A key that nothing reads has its default's effect, chooses no entry, and
    // is where the reason lies.
    if (!contains(c.values, above ? on->standard() : on->value()))
      return above ? above : &c;
    if (c.entries && above) return above;
  }
  return nullptr;
}

std::string Settings::refusal(const Setting& s,
                              const Setting::Condition& c) const {
  const auto shown = [](const std::string& text) {
    return text.empty() ? std::string("\"\"") : text;
  };
  const auto does_nothing =
      concat(s.key(), " = ", s.shown(), " does nothing with ", c.on, " = ",
             shown(value(c.on)));
  if (c.entries)
    return concat(does_nothing, "; it is read by: ", joined(c.values));
  const auto other =
      !c.text.empty()
          ? c.text
          : concat(c.on, " = ", c.values.size() > 1 ? "one of: " : "",
                   joined(c.values));
  return concat(does_nothing, "; expected its default, ", shown(s.standard()),
                ", or ", other);
}

std::string Settings::unread(const Setting& s) const {
  const auto* const c = why_unread(s);
  return c ? refusal(s, *c) : "";
}

void Settings::set(const Setting& s, const std::string& value,
                   const std::string& origin) {
  try {
    s.set(value);
  } catch (const std::invalid_argument& expected) {
    throw ConfigError(concat(origin, ": ", s.key(), " = \"", value,
                             "\"; expected ", expected.what()));
  }
}

void Settings::set_all(const std::vector<IniValue>& values,
                       const std::string& file, const Take& take) const {
  std::map<std::string, int> lines;
  for (const auto& v : values) {
    const auto origin = concat(file, ":", v.line);
    const auto& s = at(v.key, origin);
    const auto [line, fresh] = lines.emplace(s.key(), v.line);
    if (!fresh)
      throw ConfigError(concat(origin, ": ", v.key,
                               " is the same key as in line ", line->second,
                               ", ", s.key(), "; expected one of the two"));
    if (take)
      take(s, v.value, origin);
    else
      set(s, v.value, origin);
  }
}

std::vector<std::string> Settings::drop_unread(
    const std::function<bool(const Setting&)>& which,
    const std::string& origin) const {
  // All are judged by the configuration as it is.
  std::vector<std::pair<const Setting*, std::string>> dropped;
  for (const auto& s : all_)
    if (!s.is_default() && which(s))
      if (const auto message = unread(s); !message.empty())
        dropped.emplace_back(
            &s, concat(origin, ": ", message.substr(0, message.find("; ")),
                       "; its default, ",
                       s.standard().empty() ? "\"\"" : s.standard(),
                       ", stands in its place"));
  std::vector<std::string> lines;
  for (const auto& [s, line] : dropped) {
    s->reset();
    lines.push_back(line);
  }
  return lines;
}

void Settings::check() const {
  for (const auto& s : all_) s.check();
  for (const auto& s : all_)
    if (!s.is_default())
      if (const auto message = unread(s); !message.empty())
        throw ConfigError(message);
}

void Settings::check_entries() const {
  for (const auto& s : all_) {
    s.check();
    if (s.is_default()) continue;
    for (const auto& c : s.conditions())
      if (const Setting* on = c.entries ? find(c.on) : nullptr)
        if (!contains(c.values, on->value())) throw ConfigError(refusal(s, c));
  }
}

}  // namespace protean
