#include "protean/data/stored_data.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <unordered_map>

#include "protean/core/error.h"
#include "protean/core/hash.h"
#include "protean/core/log.h"
#include "protean/data/labelled.h"

namespace protean {
namespace {

constexpr uint64_t kLarge = uint64_t{1} << 24, kVeryLarge = uint64_t{1} << 32;

bool is_turned(const ClassDataset& data) {
  for (uint32_t c = 0; c < data.classes(); ++c)
    if (data.quarter_turns(c) != 0) return true;
  return false;
}

std::string upright_name(const ClassDataset& data, uint32_t cls, bool turned) {
  const auto name = data.class_name(cls);
  return turned ? name.substr(0, name.rfind('/')) : name;
}

size_t values_of(const ClassDataset& data) {
  size_t n = 1;
  for (int64_t d : data.shape()) n *= static_cast<size_t>(d);
  return n;
}

uint32_t examples_to_hash(const ClassDataset& data) {
  uint64_t values = 0;
  for (uint32_t c = 0; c < data.classes(); ++c)
    if (data.quarter_turns(c) == 0) values += data.size(c) * values_of(data);
  return values < kLarge ? 0 : values < kVeryLarge ? 8 : 1;
}

// Adds one example, images in 256 steps and not inverted.
void add_example(Hash64& hash, const ClassDataset& data, uint32_t cls,
                 uint32_t example, bool inverted, std::vector<float>& x) {
  data.read(cls, example, x.data());
  if (data.shape().size() == 3) {
    std::vector<uint8_t> bytes;
    bytes.reserve(x.size());
    for (float v : x)
      bytes.push_back(
          static_cast<uint8_t>(std::lround(255 * (inverted ? 1 - v : v))));
    hash.add(bytes.data(), bytes.size());
  } else {
    hash.add(x.data(), x.size() * sizeof(float));
  }
  const auto* labelled = dynamic_cast<const LabelledDataset*>(&data);
  if (!labelled) return;
  const auto n = static_cast<size_t>(labelled->target_size());
  std::vector<int64_t> label(n);
  std::vector<float> value(n);
  const bool classes = labelled->target() == TargetKind::classes;
  labelled->read_target(cls, example, classes ? label.data() : nullptr,
                        classes ? nullptr : value.data());
  hash.add(label.data(), n * sizeof(int64_t));
  hash.add(value.data(), n * sizeof(float));
}

std::string content_hash(const ClassDataset& data, uint32_t cls, bool inverted,
                         uint32_t most) {
  const uint32_t size = data.size(cls);
  const uint32_t n = most == 0 ? size : std::min(most, size);
  std::vector<uint32_t> examples;
  for (uint32_t i = 0; i < n; ++i)
    examples.push_back(static_cast<uint32_t>(uint64_t{i} * size / n));
  return hash_of(data, cls, examples, inverted);
}

// "2 classes are missing (c03, c07)"
std::string listed(const std::vector<std::string>& names, const char* one,
                   const char* several) {
  constexpr size_t kShown = 5;
  std::string text = concat(names.size(), names.size() == 1 ? one : several);
  for (size_t i = 0; i < std::min(kShown, names.size()); ++i)
    text += (i == 0 ? " (" : ", ") + names[i];
  return text + (names.size() > kShown ? ", ...)" : ")");
}

struct Difference {
  std::vector<std::string> missing, changed, came;

  std::string text() const {
    std::string all;
    const auto add = [&](const std::vector<std::string>& names, const char* one,
                         const char* several) {
      if (names.empty()) return;
      all += (all.empty() ? "" : ", ") + listed(names, one, several);
    };
    add(missing, " class is missing", " classes are missing");
    add(changed, " class has other examples", " classes have other examples");
    add(came, " class is new", " classes are new");
    return all;
  }
};

// Where each upright class of the run is, by name.
std::unordered_map<std::string, std::pair<const StoredClass*, int>> by_name(
    const StoredData& stored) {
  std::unordered_map<std::string, std::pair<const StoredClass*, int>> out;
  int part = 0;
  for (const auto* classes :
       {&stored.train, &stored.validation, &stored.test, &stored.unused}) {
    for (const auto& c : *classes) out.emplace(c.name, std::pair(&c, part));
    ++part;
  }
  return out;
}

Difference difference(const ClassDataset& data, const DataOptions& how,
                      bool turned) {
  Difference out;
  auto left = by_name(*how.stored);
  for (uint32_t c = 0; c < data.classes(); ++c) {
    if (data.quarter_turns(c) != 0) continue;
    const auto name = upright_name(data, c, turned);
    const auto found = left.find(name);
    if (found == left.end()) {
      out.came.push_back(name);
      continue;
    }
    const auto& was = *found->second.first;
    if (was.size != data.size(c) ||
        was.hash != content_hash(data, c, how.invert, how.stored->hashed))
      out.changed.push_back(name);
    left.erase(found);
  }
  for (const auto& [name, was] : left) out.missing.push_back(name);
  std::sort(out.missing.begin(), out.missing.end());
  return out;
}

void check_same(const ClassDataset& data, const DataOptions& how, bool turned) {
  const auto& stored = *how.stored;
  if (data.checksum() == stored.checksum) return;
  const auto differs = difference(data, how, turned);
  const bool exactly = stored.use == UseStored::exactly;
  const auto where =
      concat("data.path = ", how.path.empty() ? "\"\"" : how.path);
  if (!differs.missing.empty() || !differs.changed.empty() ||
      (exactly && !differs.came.empty()))
    throw ConfigError(concat(
        where, ": not the data that the run was split from: ", differs.text(),
        exactly ? "; expected that data (a new run.dir starts afresh)"
                : "; expected that data, or for other data --data.split test, "
                  "which takes all of its classes, or --across NAME=PATH"));
  if (!differs.came.empty())
    log_shared_warning(
        concat(where,
               ": of the classes that came since the run was split none is "
               "evaluated: ",
               differs.text()));
}

class AbsentDataset : public ClassDataset {
 public:
  explicit AbsentDataset(const StoredData& stored)
      : shape_(stored.shape),
        ink_(stored.ink),
        checksum_(stored.checksum),
        path_(stored.path) {}

  const std::vector<int64_t>& shape() const override { return shape_; }
  uint32_t classes() const override { return 0; }
  uint32_t size(uint32_t) const override { refuse(); }
  std::string class_name(uint32_t) const override { refuse(); }
  std::string group(uint32_t) const override { refuse(); }
  bool ink() const override { return ink_; }
  void read(uint32_t, uint32_t, float*) const override { refuse(); }
  std::string checksum() const override { return checksum_; }

 private:
  [[noreturn]] void refuse() const {
    throw DataError(concat("the run's data are not opened here; they were ",
                           path_.empty() ? "those shipped" : path_));
  }

  std::vector<int64_t> shape_;
  bool ink_;
  std::string checksum_, path_;
};

constexpr const char* kParts[] = {"train", "validation", "test", "unused"};

const std::vector<StoredClass>& part(const StoredData& d, size_t i) {
  const std::vector<StoredClass>* all[] = {&d.train, &d.validation, &d.test,
                                           &d.unused};
  return *all[i];
}
std::vector<StoredClass>& part(StoredData& d, size_t i) {
  return const_cast<std::vector<StoredClass>&>(
      part(static_cast<const StoredData&>(d), i));
}

nlohmann::json shape_json(const TaskShape& s) {
  return {{"ways", s.ways},
          {"support", s.support},
          {"query", s.query},
          {"input", s.input},
          {"target", static_cast<uint32_t>(s.target)},
          {"target_size", s.target_size},
          {"weighted", s.weighted}};
}

TaskShape shape_from(const nlohmann::json& j) {
  TaskShape s;
  s.ways = j.at("ways").get<uint32_t>();
  s.support = j.at("support").get<uint32_t>();
  s.query = j.at("query").get<uint32_t>();
  s.input = j.at("input").get<std::vector<int64_t>>();
  s.target = static_cast<TargetKind>(j.at("target").get<uint32_t>());
  s.target_size = j.at("target_size").get<int64_t>();
  s.weighted = j.at("weighted").get<bool>();
  return s;
}

}  // namespace

uint64_t StoredData::classes() const {
  return train.size() + validation.size() + test.size() + unused.size();
}

StoredData describe(const ClassDataset& data, const DataOptions& how,
                    const Splits& splits) {
  StoredData out;
  out.checksum = data.checksum();
  out.shape = data.shape();
  out.ink = data.ink();
  out.hashed = examples_to_hash(data);
  if (const auto* labelled = dynamic_cast<const LabelledDataset*>(&data))
    out.fitted = labelled->fitted();
  constexpr size_t kUnused = 3;
  std::vector<size_t> where(data.classes(), kUnused);
  size_t i = 0;
  for (const auto* ids : {&splits.train, &splits.validation, &splits.test}) {
    for (uint32_t c : *ids) where[c] = i;
    ++i;
  }
  const bool turned = is_turned(data);
  for (uint32_t c = 0; c < data.classes(); ++c)
    if (data.quarter_turns(c) == 0)
      part(out, where[c])
          .push_back({upright_name(data, c, turned), data.size(c),
                      content_hash(data, c, how.invert, out.hashed)});
  return out;
}

nlohmann::json to_json(const StoredData& d) {
  nlohmann::json record = {
      {"path", d.path},         {"also", d.also},
      {"checksum", d.checksum}, {"hashed", d.hashed},
      {"shape", d.shape},       {"ink", d.ink},
      {"fitted", d.fitted},     {"task", shape_json(d.train_shape)}};
  auto& classes = record["classes"] = nlohmann::json::object();
  for (size_t i = 0; i < std::size(kParts); ++i) {
    auto& names = record["split"][kParts[i]] = nlohmann::json::array();
    for (const auto& c : part(d, i)) {
      names.push_back(c.name);
      classes[c.name] = {c.size, c.hash};
    }
  }
  return record;
}

StoredData stored_data_from(const nlohmann::json& record) {
  StoredData d;
  record.at("path").get_to(d.path);
  record.at("also").get_to(d.also);
  record.at("checksum").get_to(d.checksum);
  record.at("hashed").get_to(d.hashed);
  record.at("shape").get_to(d.shape);
  record.at("ink").get_to(d.ink);
  d.fitted = record.at("fitted");
  d.train_shape = shape_from(record.at("task"));
  const auto& classes = record.at("classes");
  for (size_t i = 0; i < std::size(kParts); ++i)
    for (const auto& name : record.at("split").at(kParts[i])) {
      const auto& c = classes.at(name.get<std::string>());
      part(d, i).push_back({name.get<std::string>(), c.at(0).get<uint32_t>(),
                            c.at(1).get<std::string>()});
    }
  return d;
}

Splits stored_splits(const ClassDataset& data, const DataOptions& how) {
  if (how.stored->use == UseStored::listed) {
    Splits all;
    for (uint32_t c = 0; c < data.classes(); ++c) all.test.push_back(c);
    return all;
  }
  const bool turned = is_turned(data);
  check_same(data, how, turned);
  const auto known = by_name(*how.stored);
  Splits out;
  std::vector<uint32_t>* to[] = {&out.train, &out.validation, &out.test};
  for (uint32_t c = 0; c < data.classes(); ++c) {
    const auto found = known.find(upright_name(data, c, turned));
    if (found == known.end()) continue;
    const auto split = static_cast<size_t>(found->second.second);
    if (split == std::size(to)) continue;
    if (split != 0 && !how.rotate_eval && data.quarter_turns(c)) continue;
    to[split]->push_back(c);
  }
  return out;
}

std::string hash_of(const ClassDataset& data, uint32_t cls,
                    const std::vector<uint32_t>& examples, bool inverted) {
  std::vector<float> x(values_of(data));
  Hash64 hash;
  for (uint32_t example : examples)
    add_example(hash, data, cls, example, inverted, x);
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx",
                static_cast<unsigned long long>(hash.value()));
  return digits;
}

DatasetPtr absent_dataset(const StoredData& stored) {
  return std::make_shared<AbsentDataset>(stored);
}

}  // namespace protean
