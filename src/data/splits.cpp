#include "protean/data/splits.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <sstream>
#include <unordered_map>
#include <unordered_set>

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"
#include "protean/core/philox.h"
#include "protean/data/open_dataset.h"
#include "protean/data/stored_data.h"

namespace protean {
namespace {

namespace fs = std::filesystem;

constexpr int kNone = -1;  // otherwise train 0, validation 1, test 2

int parse_split(const std::string& name) {
  if (name == "train") return 0;
  if (name == "validation" || name == "val" || name == "valid") return 1;
  if (name == "test") return 2;
  return kNone;
}

const char* split_name(int split) {
  static const char* kNames[] = {"train", "validation", "test"};
  return kNames[split];
}

std::string trim(const std::string& text) {
  const char* kSpace = " \t\r";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

// Classes by every name that a list may use.
struct Names {
  std::unordered_map<std::string, std::vector<uint32_t>> of;
  // Upright class of each class: two rotations of one class share it.
  std::vector<std::string> upright;
  bool rotations = false;

  explicit Names(const ClassDataset& data) {
    for (uint32_t c = 0; c < data.classes(); ++c)
      rotations |= data.quarter_turns(c) != 0;
    for (uint32_t c = 0; c < data.classes(); ++c) {
      const std::string name = data.class_name(c);
      upright.push_back(rotations ? name.substr(0, name.rfind('/')) : name);
      of[name].push_back(c);
      if (rotations) of[upright.back()].push_back(c);
      if (!data.group(c).empty()) of[data.group(c)].push_back(c);
    }
  }
};

// The split of every class, filled in line by line.
class Assignment {
 public:
  Assignment(const ClassDataset& data)
      : data_(data), names_(data), split_(data.classes(), kNone) {}

  // `where` names the line.
  void add(std::string name, int split, const std::string& where) {
    auto found = names_.of.find(name);
    if (found == names_.of.end() && !names_.rotations) {
      const size_t cut = name.rfind("/rot");
      if (cut != std::string::npos) {
        if (name.substr(cut) != "/rot000") return;
        found = names_.of.find(name.substr(0, cut));
      }
    }
    if (found == names_.of.end())
      throw DataError(
          concat(where, ": no class or group \"", name, "\" in the data set"));
    for (uint32_t cls : found->second) assign(cls, split, where);
  }

  void assign(uint32_t cls, int split, const std::string& where) {
    const auto [it, fresh] = upright_.emplace(names_.upright[cls], split);
    if (!fresh && it->second != split)
      throw DataError(concat(where, ": class ", names_.upright[cls], " is in ",
                             split_name(it->second), " and in ",
                             split_name(split), "; expected one split"));
    split_[cls] = split;
  }

  Splits result(bool rotate_eval) const {
    Splits out;
    std::vector<uint32_t>* to[] = {&out.train, &out.validation, &out.test};
    for (uint32_t c = 0; c < split_.size(); ++c) {
      if (split_[c] == kNone) continue;
      if (split_[c] != 0 && !rotate_eval && data_.quarter_turns(c)) continue;
      to[split_[c]]->push_back(c);
    }
    return out;
  }

  const Names& names() const { return names_; }

 private:
  const ClassDataset& data_;
  Names names_;
  std::vector<int> split_;
  std::unordered_map<std::string, int> upright_;
};

template <typename Use>
void each_line(const fs::path& file, const Use& use) {
  std::istringstream in(read_file(file));
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    const std::string text = trim(line.substr(0, line.find('#')));
    if (!text.empty()) use(text, concat(file.string(), ":", number));
  }
}

void read_list_file(const fs::path& file, Assignment& out) {
  each_line(file, [&](const std::string& text, const std::string& where) {
    const size_t space = text.find_last_of(" \t");
    const std::string last =
        space == std::string::npos ? text : text.substr(space + 1);
    const int split = parse_split(last);
    if (split == kNone || space == std::string::npos)
      throw DataError(concat(where, ": \"", last,
                             "\"; expected NAME train|validation|test"));
    out.add(trim(text.substr(0, space)), split, where);
  });
}

void read_list_folder(const fs::path& dir, Assignment& out) {
  int files = 0;
  for (const char* name : {"train", "validation", "val", "valid", "test"}) {
    const fs::path file = dir / (std::string(name) + ".txt");
    if (!fs::exists(file)) continue;
    ++files;
    each_line(file, [&](const std::string& text, const std::string& where) {
      out.add(text, parse_split(name), where);
    });
  }
  if (files == 0)
    throw DataError(concat(
        dir.string(), ": no train.txt, val.txt or test.txt in data.split"));
}

void read_stored(const ClassDataset& data, Assignment& out) {
  bool any = false;
  for (uint32_t c = 0; c < data.classes(); ++c) {
    const std::string name = data.split(c);
    if (name.empty()) continue;
    const int split = parse_split(name);
    if (split == kNone)
      throw DataError(
          concat("class ", data.class_name(c), ": split \"", name,
                 "\"; expected train, validation or test, or "
                 "data.split = random, which parts classes, not the "
                 "images of one"));
    out.assign(c, split, "data.split = stored");
    any = true;
  }
  if (!any)
    throw ConfigError(
        "data.split = stored, but the data set stores no split; expected "
        "folders train, val, test when it was packed, or another data.split");
}

void draw_random(const ClassDataset& data, const DataOptions& options,
                 Assignment& out) {
  auto fraction = [](double value, const char* key) {
    if (!(value >= 0 && value < 1))
      throw ConfigError(concat(key, " = ", value, "; expected in [0, 1)"));
  };
  fraction(options.split_validation, "data.split_validation");
  fraction(options.split_test, "data.split_test");
  if (options.split_validation + options.split_test >= 1)
    throw ConfigError(concat("data.split_validation + data.split_test = ",
                             options.split_validation + options.split_test,
                             "; expected below 1"));
  // Rotations of one class lie side by side and stay together.
  std::vector<std::vector<uint32_t>> whole;
  const auto& upright = out.names().upright;
  for (uint32_t c = 0; c < data.classes(); ++c) {
    if (c == 0 || upright[c] != upright[c - 1]) whole.emplace_back();
    whole.back().push_back(c);
  }
  const size_t n = whole.size();
  const auto count = [n](double f) {
    return static_cast<size_t>(std::floor(static_cast<double>(n) * f + 0.5));
  };
  const size_t validation = count(options.split_validation);
  const size_t test = count(options.split_test);
  const auto order =
      Draws(options.split_seed, TaskId{}, Purpose::split).sample(n, n);
  for (size_t i = 0; i < n; ++i)
    for (uint32_t c : whole[order[i]])
      out.assign(c,
                 i < validation          ? 1
                 : i < validation + test ? 2
                                         : 0,
                 "data.split = random");
}

bool stores_split(const ClassDataset& data) {
  bool any = false;
  for (uint32_t c = 0; c < data.classes(); ++c) {
    const auto name = data.split(c);
    if (name.empty()) continue;
    if (parse_split(name) == kNone) return false;
    any = true;
  }
  return any;
}

// Whether the shipped list names classes of this data alone, and some.
bool is_background(const ClassDataset& data) {
  try {
    Assignment out(data);
    read_list_file(find_config("omniglot/background.split"), out);
    return true;
  } catch (const DataError&) {
    return false;
  }
}

// What is said of a random split, where there is none. Of several data sets
// another one may be split so; a stored run's settings may be of other data.
void refuse_random(const DataOptions& o) {
  if (o.stored || !o.also.empty()) return;
  const DataOptions defaults;
  const bool draws = o.train_classes > 0 || o.train_groups > 0;
  const char* key =
      o.split_validation != defaults.split_validation ? "data.split_validation"
      : o.split_test != defaults.split_test           ? "data.split_test"
      : o.split_seed != defaults.split_seed && !draws ? "data.split_seed"
                                                      : nullptr;
  if (key)
    throw ConfigError(concat(key,
                             " does nothing: these data have a split of their "
                             "own; expected its default, or data.split = "
                             "random"));
}

// data.split = auto.
void split_by_data(const ClassDataset& data, const DataOptions& options,
                   Assignment& out) {
  const bool stored = stores_split(data);
  if (!stored && !is_background(data)) return draw_random(data, options, out);
  refuse_random(options);
  if (stored)
    read_stored(data, out);
  else
    read_list_file(find_config("omniglot/background.split"), out);
}

// Keeps `count` of what the classes share a name of, drawn by the seed; 0 =
// all.
template <typename Name>
void keep_some(std::vector<uint32_t>& classes, uint32_t count, uint64_t seed,
               const char* key, const Name& name_of) {
  if (count == 0) return;
  std::vector<std::string> names;
  for (uint32_t c : classes) names.push_back(name_of(c));
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  if (count > names.size())
    throw ConfigError(concat(key, " = ", count, ", but there are ",
                             names.size(), " to train on; expected at most ",
                             names.size()));
  const auto order = Draws(seed, TaskId{}, Purpose::split, 1)
                         .sample(names.size(), names.size());
  std::unordered_set<std::string> kept;
  for (uint32_t i = 0; i < count; ++i) kept.insert(names[order[i]]);
  std::erase_if(classes,
                [&](uint32_t c) { return kept.count(name_of(c)) == 0; });
}

}  // namespace

std::string summary(const ClassDataset& data, const Splits& splits) {
  uint64_t examples = 0;
  for (uint32_t c = 0; c < data.classes(); ++c) examples += data.size(c);
  auto text = concat(data.classes(), " classes (", splits.train.size(), "/",
                     splits.validation.size(), "/", splits.test.size(), "), ",
                     examples, " images ");
  for (size_t i = 0; i < data.shape().size(); ++i)
    text += concat(i ? " x " : "", data.shape()[i]);
  return text;
}

const std::vector<uint32_t>& Splits::of(Stream stream) const {
  if (stream == Stream::validation) return validation;
  if (stream == Stream::test) return test;
  return train;
}

Splits make_splits(const ClassDataset& data, const DataOptions& options) {
  if (options.stored && options.stored->keeps_split())
    return stored_splits(data, options);
  Assignment out(data);
  if (options.split == "auto") {
    split_by_data(data, options, out);
  } else if (options.split == "background") {
    try {
      read_list_file(find_config("omniglot/background.split"), out);
    } catch (const DataError& e) {
      throw DataError(concat("data.split = background: ", e.what(),
                             "; expected the Omniglot background set, or "
                             "data.split = stored, random or a list file"));
    }
  } else if (options.split == "stored") {
    read_stored(data, out);
  } else if (options.split == "test") {
    for (uint32_t c = 0; c < data.classes(); ++c)
      out.assign(c, 2, "data.split = test");
  } else if (options.split == "random") {
    draw_random(data, options, out);
  } else if (fs::is_directory(options.split)) {
    read_list_folder(options.split, out);
  } else if (fs::exists(options.split)) {
    read_list_file(options.split, out);
  } else {
    throw ConfigError(
        concat("data.split = \"", options.split,
               "\"; expected auto, background, stored, random, test, or a "
               "list file or folder that exists"));
  }
  Splits splits = out.result(options.rotate_eval);
  keep_some(splits.train, options.train_groups, options.split_seed,
            "data.train_groups", [&](uint32_t c) { return data.group(c); });
  // Rotations of one class count as one, and stay together.
  keep_some(splits.train, options.train_classes, options.split_seed,
            "data.train_classes",
            [&](uint32_t c) { return out.names().upright[c]; });
  return splits;
}

}  // namespace protean
