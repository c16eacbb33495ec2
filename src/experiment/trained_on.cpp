#include "protean/experiment/trained_on.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <unordered_map>
#include <unordered_set>

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"
#include "protean/core/hash.h"
#include "protean/core/log.h"
#include "protean/data/wrappers.h"

namespace protean {
namespace {

namespace fs = std::filesystem;

constexpr const char* kOwn = "this run";

std::string upright_name(const ClassDataset& data, uint32_t cls) {
  auto name = data.class_name(cls);
  constexpr size_t kTurn = 7;  // "/rot090"
  const size_t cut = name.rfind("/rot");
  if (cut != std::string::npos && name.size() - cut == kTurn) name.resize(cut);
  return name;
}

// The first image in 256 steps, upright and not inverted; empty for examples
// that are no images.
std::vector<uint8_t> first_image(const ClassDataset& data, uint32_t cls,
                                 bool inverted) {
  const auto& shape = data.shape();
  if (shape.size() != 3 || data.size(cls) == 0) return {};
  std::vector<float> image(static_cast<size_t>(shape[0] * shape[1] * shape[2]));
  data.read(cls, 0, image.data());
  if (const uint32_t turns = data.quarter_turns(cls); turns > 0)
    rotate_quarter_turns(image.data(), shape[0], shape[1], 4 - turns);
  std::vector<uint8_t> out;
  for (float v : image)
    out.push_back(
        static_cast<uint8_t>(std::lround(255 * (inverted ? 1 - v : v))));
  return out;
}

ClassIdentity identity_of(const ClassDataset& data, const DataOptions& how,
                          uint32_t cls) {
  ClassIdentity id{upright_name(data, cls), ""};
  const auto image = first_image(data, cls, how.invert);
  Hash64 hash;
  if (std::adjacent_find(image.begin(), image.end(), std::not_equal_to<>()) !=
      image.end()) {
    hash.add(image.data(), image.size());
  } else {
    const auto where = data.checksum() + id.name;
    hash.add(where.data(), where.size());
  }
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx",
                static_cast<unsigned long long>(hash.value()));
  id.hash = digits;
  return id;
}

// Each upright class once.
template <typename Classes>
std::vector<ClassIdentity> identities(const ClassDataset& data,
                                      const DataOptions& how,
                                      const Classes& classes) {
  std::vector<ClassIdentity> out;
  std::unordered_set<std::string> seen;
  for (uint32_t cls : classes) {
    auto id = identity_of(data, how, cls);
    if (seen.insert(id.hash).second) out.push_back(std::move(id));
  }
  return out;
}

}  // namespace

TrainedOn trained_on(const Experiment& e) {
  if (!e.tasks.examples) return {};
  return {{kOwn,
           identities(*e.tasks.examples, e.config.data, e.tasks.splits.train)}};
}

void add(TrainedOn& all, const TrainedOn& other, const std::string& what) {
  for (const auto& part : other)
    all.push_back({part.what == kOwn ? what : concat(what, ", its ", part.what),
                   part.classes});
}

nlohmann::json to_json(const TrainedOn& all) {
  auto record = nlohmann::json::array();
  for (const auto& part : all) {
    auto classes = nlohmann::json::array();
    for (const auto& id : part.classes) classes.push_back({id.name, id.hash});
    record.push_back({{"what", part.what}, {"classes", std::move(classes)}});
  }
  return record;
}

TrainedOn stored_trained_on(const std::string& run_dir) {
  const auto path = fs::path(run_dir) / "data.json";
  std::error_code error;
  if (!fs::exists(path, error)) return {};
  TrainedOn all;
  try {
    const auto record = nlohmann::json::parse(read_file(path));
    for (const auto& part : record.at("trained_on")) {
      Learnt learnt{part.at("what").get<std::string>(), {}};
      for (const auto& id : part.at("classes"))
        learnt.classes.push_back(
            {id.at(0).get<std::string>(), id.at(1).get<std::string>()});
      all.push_back(std::move(learnt));
    }
  } catch (const nlohmann::json::exception& e) {
    throw DataError(concat(path.string(), ": ", e.what(),
                           "; expected what the run was trained on"));
  }
  return all;
}

KnownClasses known_classes(const ClassDataset& data, const DataOptions& how,
                           const std::set<uint32_t>& classes,
                           const TrainedOn& all) {
  KnownClasses out;
  const auto asked = identities(data, how, classes);
  out.classes = static_cast<int64_t>(asked.size());
  std::unordered_set<std::string> known;
  for (const auto& part : all) {
    std::unordered_set<std::string> of_part;
    for (const auto& id : part.classes) of_part.insert(id.hash);
    int64_t count = 0;
    for (const auto& id : asked) {
      if (of_part.count(id.hash) == 0) continue;
      ++count;
      known.insert(id.hash);
      if (out.example.empty()) out.example = id.name;
    }
    if (count > 0) out.by.emplace_back(part.what, count);
  }
  out.known = static_cast<int64_t>(known.size());
  return out;
}

std::string KnownClasses::text() const {
  std::string who;
  for (const auto& [what, count] : by)
    who += concat(who.empty() ? "" : ", ", count, " by ", what);
  return concat(known, " of ", classes, " evaluated classes were trained on",
                known > 0 ? concat(": ", who, " (", example, " is one)") : "");
}

nlohmann::json KnownClasses::to_json() const {
  auto who = nlohmann::json::object();
  for (const auto& [what, count] : by) who[what] = count;
  return {{"classes", classes}, {"trained_on", known}, {"by", who}};
}

KnownClasses check_new_classes(const ClassDataset& data, const DataOptions& how,
                               const std::set<uint32_t>& classes,
                               const TrainedOn& all, const std::string& what,
                               bool strict) {
  auto known = known_classes(data, how, classes, all);
  const auto text = concat(what, ": ", known.text());
  if (known.known == 0) {
    log_info(text);
    return known;
  }
  if (strict)
    throw ConfigError(concat(text,
                             "; expected classes that nothing was trained "
                             "on, or --strict false"));
  log_shared_warning(text);
  return known;
}

void check_doubles(const Experiment& e, bool strict) {
  if (!e.tasks.examples) return;
  const auto& data = *e.tasks.examples;
  std::unordered_map<std::string, std::string> first;  // name by hash
  std::set<std::string> doubles;
  for (const auto stream : {Stream::train, Stream::validation, Stream::test})
    for (uint32_t cls : e.tasks.splits.of(stream)) {
      const auto id = identity_of(data, e.config.data, cls);
      const auto [at, fresh] = first.emplace(id.hash, id.name);
      if (!fresh && at->second != id.name)
        doubles.insert(concat(std::max(at->second, id.name), " is ",
                              std::min(at->second, id.name)));
    }
  if (doubles.empty()) return;
  const auto text =
      concat("data: ", doubles.size(),
             doubles.size() == 1 ? " class is" : " classes are",
             " there twice (", *doubles.begin(),
             "): a task may hold both, and one may be trained on and the other "
             "not");
  if (strict)
    throw ConfigError(text + "; expected each once, or --strict false");
  log_shared_warning(text);
}

std::set<uint32_t> classes_of(const std::vector<TaskSpec>& specs) {
  std::set<uint32_t> out;
  for (const auto& spec : specs)
    out.insert(spec.classes.begin(), spec.classes.end());
  return out;
}

}  // namespace protean
