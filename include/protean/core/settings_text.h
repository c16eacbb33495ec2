// What people read of a table of keys: explanations, lists, a page.
#pragma once

#include <string>
#include <vector>

#include "protean/core/settings.h"

namespace protean {

// The text in lines of at most `width` bytes, each after `indent` blanks.
std::string wrapped(const std::string& text, int indent, int width = 80);

// All about one key: what, unit, when one changes it, default, range, who reads
// it and with what, other names, whether a continued run may change it.
std::string explain(const Setting& s);

// The key, its default and what it is.
std::string list_line(const Setting& s);

// Every entry with its paper and what it takes: a list for people.
std::string list_entries(const std::vector<Entry>& entries);

// A chapter of the reference page: keys of one section.
struct Chapter {
  std::string section, title, intro;
};

// A Markdown page of all keys, chapter by chapter. Throws Error where a section
// has no chapter.
std::string reference_page(const Settings& s, const std::string& intro,
                           const std::vector<Chapter>& chapters);

}  // namespace protean
