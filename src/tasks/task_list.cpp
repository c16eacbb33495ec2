#include "protean/tasks/task_list.h"

#include <cstdio>
#include <sstream>
#include <unordered_map>

#include <nlohmann/json.hpp>

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"
#include "protean/core/hash.h"
#include "protean/data/stored_data.h"

namespace protean {
namespace {

using nlohmann::json;

constexpr const char* kFormat = "protean task list";

// Of the task's examples, in its order.
std::string task_hash(const TaskSpec& spec, const ClassDataset& data) {
  const bool by_way = spec.classes.size() == spec.support.size();
  std::string all;
  size_t next = 0;
  for (size_t i = 0; i < spec.classes.size(); ++i) {
    std::vector<uint32_t> examples;
    for (uint32_t n = by_way ? spec.support[i] + spec.query[i] : 1; n > 0; --n)
      examples.push_back(spec.examples.at(next++));
    all += hash_of(data, spec.classes[i], examples);
  }
  Hash64 hash;
  hash.add(all.data(), all.size());
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx",
                static_cast<unsigned long long>(hash.value()));
  return digits;
}

json to_json(const TaskSpec& spec, const ClassDataset* examples) {
  json task = {{"index", spec.id.index},
               {"stream", static_cast<uint32_t>(spec.id.stream)},
               {"step", spec.id.step},
               {"support", spec.support},
               {"query", spec.query}};
  if (!spec.transforms.empty()) task["transforms"] = spec.transforms;
  if (!spec.latent.empty()) task["latent"] = spec.latent;
  if (spec.classes.empty()) return task;
  task["hash"] = task_hash(spec, *examples);
  task["classes"] = json::array();
  if (spec.classes.size() != spec.support.size()) {
    for (uint32_t cls : spec.classes)
      task["classes"].push_back(examples->class_name(cls));
    task["examples"] = spec.examples;
    return task;
  }
  task["examples"] = json::array();
  auto next = spec.examples.begin();
  for (size_t way = 0; way < spec.classes.size(); ++way) {
    task["classes"].push_back(examples->class_name(spec.classes[way]));
    const auto end = next + spec.support[way] + spec.query[way];
    task["examples"].push_back(std::vector<uint32_t>(next, end));
    next = end;
  }
  return task;
}

// Lines of one list, and who it is that is wrong.
class Reader {
 public:
  Reader(const std::filesystem::path& path, const ClassDataset* examples)
      : path_(path), examples_(examples) {
    if (!examples) return;
    for (uint32_t c = 0; c < examples->classes(); ++c)
      classes_.emplace(examples->class_name(c), c);
  }

  json object(const std::string& text, int line) {
    line_ = line;
    auto value = json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!value.is_object()) fail("no JSON object");
    return value;
  }

  TaskSpec task(const json& in) const {
    TaskSpec spec;
    spec.id.index = number(in, "index");
    spec.id.stream = static_cast<Stream>(number(in, "stream"));
    spec.id.step = number(in, "step");
    spec.support = numbers<uint32_t>(in, "support");
    spec.query = numbers<uint32_t>(in, "query");
    if (in.contains("transforms"))
      spec.transforms = numbers<uint32_t>(in, "transforms");
    if (in.contains("latent")) spec.latent = numbers<uint64_t>(in, "latent");
    if (examples_) add_classes(in, spec);
    return spec;
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw DataError(concat(path_.string(), ":", line_, ": ", what));
  }

 private:
  uint32_t number(const json& in, const char* key) const {
    if (!in.contains(key) || !in[key].is_number_unsigned())
      fail(concat("no whole number \"", key, "\""));
    return in[key].get<uint32_t>();
  }
  template <typename T>
  std::vector<T> numbers(const json& in, const char* key) const {
    if (!in.contains(key) || !in[key].is_array())
      fail(concat("no list \"", key, "\""));
    return list<T>(in[key], key);
  }
  template <typename T>
  std::vector<T> list(const json& in, const char* key) const {
    std::vector<T> out;
    for (const auto& v : in) {
      if (!v.is_number_unsigned())
        fail(concat("\"", key, "\" holds ", v.dump(),
                    "; expected whole numbers, 0 or above"));
      out.push_back(v.get<T>());
    }
    return out;
  }

  void add_classes(const json& in, TaskSpec& spec) const {
    if (!in.contains("classes") || !in["classes"].is_array() ||
        !in.contains("examples") || !in["examples"].is_array())
      fail("no lists \"classes\" and \"examples\"");
    if (!spec.latent.empty())
      fail(
          "\"latent\" is for computed tasks; expected none in a task of "
          "classes");
    uint64_t examples = 0;
    for (const auto* counts : {&spec.support, &spec.query})
      for (uint32_t n : *counts) examples += n;
    const size_t entries = in["classes"].size(), ways = spec.support.size();
    if (ways == 0 || spec.query.size() != ways ||
        (entries != ways && entries != examples) ||
        in["examples"].size() != entries ||
        (!spec.transforms.empty() && spec.transforms.size() != entries))
      fail(concat(entries, " classes; expected one entry for each of ", ways,
                  " labels, or of ", examples,
                  " examples, in classes, examples and transforms"));
    for (const auto& name : in["classes"]) spec.classes.push_back(find(name));
    for (size_t way = 0; way < ways && entries == ways; ++way)
      add_examples(in["examples"][way], way, spec);
    if (entries == ways) return;
    spec.examples = list<uint32_t>(in["examples"], "examples");
    for (size_t i = 0; i < entries; ++i)
      check_example(spec.classes[i], spec.examples[i]);
  }

  uint32_t find(const json& name) const {
    const auto text = name.is_string() ? name.get<std::string>() : name.dump();
    const auto found = classes_.find(text);
    if (found == classes_.end())
      fail(concat("no class \"", text, "\" in the data"));
    return found->second;
  }

  void check_example(uint32_t cls, uint32_t example) const {
    if (example >= examples_->size(cls))
      fail(concat("example ", example, " of class ", examples_->class_name(cls),
                  "; expected below ", examples_->size(cls)));
  }

  void add_examples(const json& in, size_t way, TaskSpec& spec) const {
    const uint32_t cls = spec.classes[way];
    const auto examples = list<uint32_t>(in, "examples");
    const uint64_t expected = uint64_t{spec.support[way]} + spec.query[way];
    if (examples.size() != expected)
      fail(concat("class ", examples_->class_name(cls), " has ",
                  examples.size(),
                  " examples; expected support + query = ", expected));
    for (uint32_t e : examples) check_example(cls, e);
    spec.examples.insert(spec.examples.end(), examples.begin(), examples.end());
  }

  std::filesystem::path path_;
  const ClassDataset* examples_;
  std::unordered_map<std::string, uint32_t> classes_;
  int line_ = 1;
};

}  // namespace

void write_task_list(const std::filesystem::path& path,
                     const TaskSources& sources,
                     const std::vector<TaskSpec>& specs) {
  std::string text = json{{"format", kFormat},
                          {"version", 1},
                          {"data", sources.examples_checksum},
                          {"tasks", specs.size()}}
                         .dump() +
                     "\n";
  for (const auto& spec : specs)
    text += to_json(spec, sources.examples.get()).dump() + "\n";
  write_file_atomically(path, text);
}

std::vector<TaskSpec> read_task_list(const std::filesystem::path& path,
                                     const TaskSources& sources) {
  Reader reader(path, sources.examples.get());
  std::istringstream in(read_file(path));
  std::string line;
  std::getline(in, line);
  const auto head = reader.object(line, 1);
  if (head.value("format", json()) != kFormat ||
      head.value("version", json()) != 1 ||
      !head.value("data", json()).is_string() ||
      !head.value("tasks", json()).is_number_unsigned())
    reader.fail(concat("no task list of version 1; expected {\"format\": \"",
                       kFormat,
                       "\", \"version\": 1, \"data\": ..., "
                       "\"tasks\": ...}"));
  const std::string data = head["data"];
  const bool other = data != sources.examples_checksum;
  if (other && !sources.examples)
    throw ConfigError(concat(path.string(), ": made from data ", data,
                             ", but data.source gives ",
                             sources.examples_checksum));
  std::vector<TaskSpec> specs;
  for (int number = 2; std::getline(in, line); ++number) {
    const auto task = reader.object(line, number);
    specs.push_back(reader.task(task));
    if (!other) continue;
    if (!task.contains("hash"))
      throw ConfigError(concat(path.string(), ": made from data ", data,
                               ", but data.source gives ",
                               sources.examples_checksum));
    if (task["hash"] != task_hash(specs.back(), *sources.examples))
      throw ConfigError(concat(path.string(), ":", number,
                               ": the task was made from other examples than "
                               "those that its classes have here"));
  }
  if (specs.empty() || specs.size() != head["tasks"])
    reader.fail(concat("the list ends after ", specs.size(),
                       " tasks; expected ", head["tasks"].dump()));
  return specs;
}

}  // namespace protean
