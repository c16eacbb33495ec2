// The table of keys: everything a user can set, each key declared once.
//
// A module adds, beside each of its option structs, one function that binds the
// struct's fields:
//
//   void fields(Settings& s, LearnerOptions& o) {
//     s.add("learner.inner_steps", &o.inner_steps)
//         .says("gradient steps on the support set while training")
//         .when("more steps adapt further and cost time and memory")
//         .at_least(1);
//   }
//
// Reading and writing files, flags, range errors, help, the reference page and
// the check that every key is read follow from that. The struct must outlive
// the table and must hold its defaults when it is added; afterwards it may be
// assigned to.
//
// A key is read when all its conditions hold: those declared at the field
// (only_with, only_if) and those of tables (read_by): a key that some entry of
// a table names is read when the chosen entry names it. A condition on a key
// that the table lacks holds, so that one module can check its own part.
//
// All errors are ConfigError: one line that names key, value and what was
// expected. Not thread-safe; tables are cheap and local.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <string>
#include <variant>
#include <vector>

namespace protean {

class Settings;
struct IniValue;

// One row of a table of what there is: learners, networks, data sources, ...
struct Entry {
  std::string name;
  std::string what;               // in one line
  std::string paper;              // "Finn et al. 2017, arXiv:1703.03400", or ""
  std::string takes;              // data or shapes that it is for
  std::vector<std::string> keys;  // that it reads
};

// What a continued run may have another value of.
enum class Resume {
  same,  // everything that decides the bits
  may_change,
  may_change_unless_validations_decide,  // task.curriculum_accuracy
};

class Setting {
 public:
  using Field = std::variant<std::string*, bool*, double*, int*, int64_t*,
                             uint32_t*, uint64_t*>;
  using Holds = std::function<bool(const Settings&)>;

  // A condition of being read.
  struct Condition {
    std::string on;                   // key that decides
    std::vector<std::string> values;  // one of which it must have, or ...
    std::string text;                 // ... in words, what must hold
    Holds holds;
    bool entries = false;  // the values are entries of a table
  };

  Setting(std::string key, Field field);

  // --- declaration; each returns the setting -------------------------------
  // What it is, with its unit, in one line that a newcomer understands.
  Setting& says(std::string text);
  // When one would change it, and what follows.
  Setting& when(std::string text);
  Setting& at_least(double least);
  Setting& above(double least);
  Setting& within(double least, double most);  // both included
  Setting& below(double most);
  Setting& one_of(std::vector<std::string> names);
  // Other words for it, without a section: lr, n_way.
  Setting& also_called(std::vector<std::string> names);
  Setting& resumes(Resume policy);
  Setting& only_with(std::string key, std::vector<std::string> values);
  // For what depends on more than one key, or on a part of a value: key is the
  // one that a message names, text completes "expected its default, or ...".
  Setting& only_if(std::string key, std::string text, Holds holds);

  // --- what is known about it ----------------------------------------------
  const std::string& key() const { return key_; }
  std::string section() const;
  std::string word() const;  // the part after the section
  const std::string& help() const { return help_; }
  const std::string& advice() const { return advice_; }
  const std::string& standard() const { return standard_; }  // as text
  const std::vector<std::string>& choices() const { return choices_; }
  const std::vector<std::string>& aliases() const { return aliases_; }
  const std::vector<Condition>& conditions() const { return conditions_; }
  Resume resume() const { return resume_; }
  std::string kind() const;   // "whole number", "true or false", ...
  std::string range() const;  // "at least 1", "one of: a, b", or ""

  // --- its value -------------------------------------------------------------
  std::string value() const;  // text that reads back as the same value
  std::string shown() const;  // the same, a string in quotes: for messages
  bool is_default() const { return value() == standard_; }
  // Throws std::invalid_argument with what was expected.
  void set(const std::string& text) const;
  void reset() const { set(standard_); }
  // Throws ConfigError where the value is out of range.
  void check() const;

 private:
  friend class Settings;
  std::string key_, help_, advice_, standard_;
  Field field_;
  double least_ = -std::numeric_limits<double>::infinity();
  double most_ = std::numeric_limits<double>::infinity();
  bool open_least_ = false, open_most_ = false;
  bool read_anyway_ = false;
  std::vector<std::string> choices_, aliases_;
  std::vector<Condition> conditions_;
  Resume resume_ = Resume::same;
};

class Settings {
 public:
  Settings() = default;
  Settings(const Settings&) = delete;
  Settings& operator=(const Settings&) = delete;

  // References stay valid. Throws Error on a key that is there already.
  Setting& add(std::string key, Setting::Field field);
  // Entries that the value of `key` chooses from, and what each of them reads.
  // A key that one of them names and the table lacks is left out, unless its
  // section is there.
  void read_by(const std::string& key, const std::vector<Entry>& entries);
  // The key is read, whatever its conditions say.
  void read_anyway(const std::string& key);

  const std::deque<Setting>& all() const { return all_; }
  // By key, or by an alias with or without the key's section; null: none.
  const Setting* find(const std::string& name) const;
  // Throws ConfigError where there is none, with the key that was meant.
  const Setting& at(const std::string& name, const std::string& origin) const;
  // What an unknown name was meant to be, as the end of a message. flags: what
  // else would be known there.
  std::string meant(const std::string& name,
                    const std::vector<std::string>& flags = {}) const;
  std::vector<std::string> sections() const;  // in order

  // Value of a key as text; "" where there is none.
  std::string value(const std::string& key) const;
  // Whether the key has one of these values, or is not in this table.
  bool is(const std::string& key, const std::vector<std::string>& values) const;

  bool is_read(const Setting& s) const { return why_unread(s) == nullptr; }
  // "learner.inner_steps = 3 does nothing with learner.name = protonet; it is
  // read by: maml, fomaml"; "" where it is read.
  std::string unread(const Setting& s) const;
  // Sets every key of a file. Throws ConfigError naming file, line, key and
  // value, also where two spellings of one key are in it.
  using Take = std::function<void(const Setting&, const std::string& value,
                                  const std::string& origin)>;
  void set_all(const std::vector<IniValue>& values, const std::string& file,
               const Take& take = {}) const;
  // Sets a key. Throws ConfigError naming origin, key and value.
  static void set(const Setting& s, const std::string& value,
                  const std::string& origin);
  // Gives those of `which` that nothing reads their defaults; says so, a line
  // for each that had another value.
  std::vector<std::string> drop_unread(
      const std::function<bool(const Setting&)>& which,
      const std::string& origin) const;
  // Refuses what is out of range, and what nothing reads unless it has its
  // default.
  void check() const;
  // Of one module's keys alone: the same, but for what depends on other keys
  // than those that choose an entry.
  void check_entries() const;

 private:
  std::string refusal(const Setting& s, const Setting::Condition& c) const;
  const Setting::Condition* why_unread(const Setting& s) const;
  Setting* own(const std::string& key);
  std::deque<Setting> all_;
};

}  // namespace protean
