#include "protean/data/records/dataset_spec.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include <nlohmann/json.hpp>

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"

#include "data/records/class_graph.h"

namespace protean {
namespace {

using nlohmann::json;

constexpr const char* kSplits[] = {"TRAIN", "VALID", "TEST"};

// One file, and who it is that is wrong.
class SpecReader {
 public:
  SpecReader(const json& root, const std::string& file)
      : root_(root), file_(file) {}

  DatasetSpec read() {
    const std::string kind = text(root_, "__class__");
    spec_.name = text(root_, "name");
    const std::string pattern = text(root_, "file_pattern");
    if (pattern != "{}.tfrecords")
      fail(concat("file_pattern = \"", pattern,
                  "\"; expected {}.tfrecords, one file per class"));
    if (kind == "DatasetSpecification")
      read_flat();
    else if (kind == "BiLevelDatasetSpecification")
      read_groups();
    else if (kind == "HierarchicalDatasetSpecification")
      read_graph();
    else
      fail(concat("__class__ = \"", kind,
                  "\"; expected DatasetSpecification, "
                  "BiLevelDatasetSpecification or "
                  "HierarchicalDatasetSpecification"));
    return std::move(spec_);
  }

 private:
  [[noreturn]] void fail(const std::string& cause) const {
    throw DataError(concat(file_, ": ", cause));
  }

  const json& object(const json& in, const char* key) const {
    const auto found = in.find(key);
    if (found == in.end() || !found->is_object())
      fail(concat("no object \"", key, "\""));
    return *found;
  }
  std::string text(const json& in, const char* key) const {
    const auto found = in.find(key);
    if (found == in.end() || !found->is_string())
      fail(concat("no text \"", key, "\""));
    return found->get<std::string>();
  }
  uint32_t count(const json& value, const std::string& what,
                 uint32_t least) const {
    if (value.is_object())
      fail(concat(what, " is given by pools of examples; expected one number"));
    if (!value.is_number_unsigned() ||
        value.get<uint64_t>() > std::numeric_limits<uint32_t>::max() ||
        value.get<uint64_t>() < least)
      fail(concat(what, " = ", value.dump(), "; expected a whole number of ",
                  least, " to 4294967295"));
    return value.get<uint32_t>();
  }
  uint32_t split_count(const char* key, int split) const {
    const auto& counts = object(root_, key);
    const auto found = counts.find(kSplits[split]);
    if (found == counts.end()) fail(concat(key, " has no ", kSplits[split]));
    return count(*found, concat(key, ".", kSplits[split]), 0);
  }

  // Values of a map whose keys are "0" to "n - 1", by number.
  std::vector<const json*> by_number(const char* key) const {
    const auto& map = object(root_, key);
    std::vector<const json*> values(map.size());
    for (const auto& [name, value] : map.items()) {
      uint64_t number = 0;
      const char* const end = name.data() + name.size();
      const auto read = std::from_chars(name.data(), end, number);
      if (read.ec != std::errc() || read.ptr != end ||
          number >= values.size() || values[number])
        fail(concat(key, " has the key \"", name, "\"; expected 0 to ",
                    values.size() - 1, ", each once"));
      values[number] = &value;
    }
    return values;
  }
  std::vector<std::string> names(const char* key) const {
    std::vector<std::string> out;
    for (const json* value : by_number(key)) {
      if (!value->is_string())
        fail(concat(key, ".", out.size(), " = ", value->dump(),
                    "; expected a text"));
      out.push_back(value->get<std::string>());
    }
    return out;
  }

  // class_names and images_per_class of flat and bi-level specs.
  void read_classes() {
    spec_.class_names = names("class_names");
    for (const json* value : by_number("images_per_class"))
      spec_.images.push_back(
          count(*value, concat("images_per_class.", spec_.images.size()), 1));
    if (spec_.images.size() != spec_.class_names.size())
      fail(concat(spec_.images.size(), " classes in images_per_class, ",
                  spec_.class_names.size(), " in class_names"));
    spec_.groups.resize(spec_.images.size());
  }

  void check_sum(const char* what, uint64_t sum) const {
    if (sum != spec_.images.size())
      fail(concat(what, " counts ", sum, " classes, images_per_class ",
                  spec_.images.size()));
  }

  void read_flat() {
    read_classes();
    uint64_t first = 0;
    for (int split = 0; split < 3; ++split) {
      const uint32_t n = split_count("classes_per_split", split);
      if (first + n > spec_.images.size())
        check_sum("classes_per_split", first + n);
      spec_.classes_per_split[split] = n;
      ClassSet all;
      for (uint32_t c = 0; c < n; ++c)
        all.classes.push_back(static_cast<uint32_t>(first) + c);
      if (n > 0) spec_.sets[split].push_back(std::move(all));
      first += n;
    }
    check_sum("classes_per_split", first);
  }

  void read_groups() {
    spec_.rule = ClassRule::groups;
    read_classes();
    const auto group_names = names("superclass_names");
    const auto sizes = by_number("classes_per_superclass");
    if (group_names.size() != sizes.size())
      fail(concat(sizes.size(), " superclasses in classes_per_superclass, ",
                  group_names.size(), " in superclass_names"));
    uint64_t group = 0, first = 0;
    for (int split = 0; split < 3; ++split) {
      const uint32_t n = split_count("superclasses_per_split", split);
      for (uint32_t i = 0; i < n; ++i, ++group) {
        if (group == sizes.size())
          fail(
              concat("superclasses_per_split counts more superclasses than "
                     "the ",
                     sizes.size(), " of classes_per_superclass"));
        ClassSet set{group_names[group], {}};
        const uint32_t size =
            count(*sizes[group], concat("classes_per_superclass.", group), 1);
        if (first + size > spec_.images.size())
          check_sum("classes_per_superclass", first + size);
        for (uint32_t c = 0; c < size; ++c) {
          const auto cls = static_cast<uint32_t>(first) + c;
          set.classes.push_back(cls);
          spec_.groups[cls] = set.name;
        }
        first += size;
        spec_.classes_per_split[split] += size;
        spec_.sets[split].push_back(std::move(set));
      }
    }
    if (group != sizes.size())
      fail(concat("superclasses_per_split counts ", group,
                  " superclasses, classes_per_superclass ", sizes.size()));
    check_sum("classes_per_superclass", first);
  }

  // Leaves are numbered split after split, in WordNet id order.
  void read_graph() {
    spec_.rule = ClassRule::graph;
    spec_.class_names = names("class_names");
    const auto& graphs = object(root_, "split_subgraphs");
    const auto& images = object(root_, "images_per_class");
    for (int split = 0; split < 3; ++split) {
      const std::string where = concat("split_subgraphs.", kSplits[split]);
      const auto nodes = graphs.find(kSplits[split]);
      if (nodes == graphs.end() || !nodes->is_array())
        fail(concat("no list \"", where, "\""));
      const auto graph = read_class_graph(*nodes, concat(file_, ": ", where));
      const auto first = static_cast<uint32_t>(spec_.images.size());
      add_leaves(graph, object(images, kSplits[split]), split);
      spec_.sets[split] = graph.spans;
      for (auto& span : spec_.sets[split])
        for (uint32_t& leaf : span.classes) leaf += first;
    }
    check_sum("class_names", spec_.class_names.size());
    spec_.groups.resize(spec_.images.size());
  }

  void add_leaves(const ClassGraph& graph, const json& images, int split) {
    spec_.classes_per_split[split] = static_cast<uint32_t>(graph.leaves.size());
    for (const auto& leaf : graph.leaves) {
      const size_t cls = spec_.images.size();
      if (cls >= spec_.class_names.size() || spec_.class_names[cls] != leaf)
        fail(concat("class_names.", cls, " is ",
                    cls < spec_.class_names.size()
                        ? concat('"', spec_.class_names[cls], '"')
                        : "missing",
                    "; expected ", leaf, ", the next leaf of ",
                    kSplits[split]));
      const auto found = images.find(leaf);
      if (found == images.end())
        fail(concat("images_per_class.", kSplits[split], " has no ", leaf));
      spec_.images.push_back(count(
          *found, concat("images_per_class.", kSplits[split], ".", leaf), 1));
    }
  }

  const json& root_;
  const std::string& file_;
  DatasetSpec spec_;
};

}  // namespace

int DatasetSpec::split_of(uint32_t cls) const {
  if (cls < classes_per_split[0]) return 0;
  return cls < classes_per_split[0] + classes_per_split[1] ? 1 : 2;
}

std::array<uint64_t, 3> DatasetSpec::images_per_split() const {
  std::array<uint64_t, 3> sums{};
  for (uint32_t c = 0; c < classes(); ++c) sums[split_of(c)] += images[c];
  return sums;
}

std::string DatasetSpec::identity() const {
  json sets_of = json::array();
  for (const auto& split : sets) {
    json one = json::array();
    for (const auto& set : split) one.push_back({set.name, set.classes});
    sets_of.push_back(std::move(one));
  }
  return json{
      name,       static_cast<int>(rule), classes_per_split, sets_of, images,
      class_names}
      .dump();
}

DatasetSpec parse_dataset_spec(const std::string& text,
                               const std::string& file) {
  json root;
  try {
    root = json::parse(text);
  } catch (const json::exception& e) {
    throw DataError(concat(file, ": no JSON: ", e.what()));
  }
  if (!root.is_object())
    throw DataError(concat(file, ": no JSON object; expected a dataset_spec"));
  return SpecReader(root, file).read();
}

DatasetSpec read_dataset_spec(const std::filesystem::path& file) {
  return parse_dataset_spec(read_file(file), file.string());
}

}  // namespace protean
