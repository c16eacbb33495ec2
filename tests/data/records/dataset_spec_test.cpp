#include "protean/data/records/dataset_spec.h"

#include <algorithm>
#include <numeric>

#include <nlohmann/json.hpp>

#include "protean/core/atomic_file.h"
#include "protean/data/open_dataset.h"

#include "data/records/bytes.h"
#include "support/catch.h"

using namespace protean;
using nlohmann::json;

namespace {

DatasetSpec real(const std::string& name) {
  return read_dataset_spec(
      find_config("meta-dataset/specs/" + name + "_dataset_spec.json"));
}

json flat() {
  return {{"__class__", "DatasetSpecification"},
          {"name", "toys"},
          {"file_pattern", "{}.tfrecords"},
          {"path", "/elsewhere"},
          {"classes_per_split", {{"TRAIN", 2}, {"VALID", 0}, {"TEST", 1}}},
          {"images_per_class", {{"0", 6}, {"2", 8}, {"1", 7}}},
          {"class_names", {{"0", "a"}, {"1", "b"}, {"2", "c"}}}};
}

json groups() {
  json spec = flat();
  spec["__class__"] = "BiLevelDatasetSpecification";
  spec.erase("classes_per_split");
  spec["superclasses_per_split"] = {{"TRAIN", 1}, {"VALID", 0}, {"TEST", 1}};
  spec["classes_per_superclass"] = {{"0", 2}, {"1", 1}};
  spec["superclass_names"] = {{"0", "A"}, {"1", "B"}};
  return spec;
}

json node(const char* id, std::vector<std::string> children,
          std::vector<std::string> parents) {
  return {{"wn_id", id},
          {"words", id},
          {"children_ids", children},
          {"parents_ids", parents}};
}

// r has the children p and q, which share the leaf b: a, b below p, b, c
// below q.
json graph() {
  json spec = flat();
  spec["__class__"] = "HierarchicalDatasetSpecification";
  spec["split_subgraphs"] = {
      {"TRAIN",
       {node("a", {}, {"p"}), node("b", {}, {"p", "q"}), node("c", {}, {"q"}),
        node("p", {"a", "b"}, {"r"}), node("q", {"b", "c"}, {"r"}),
        node("r", {"p", "q"}, {})}},
      {"VALID", json::array()},
      {"TEST", json::array()}};
  spec["images_per_class"] = {
      {"TRAIN",
       {{"a", 6}, {"b", 7}, {"c", 8}, {"p", 13}, {"q", 15}, {"r", 21}}},
      {"VALID", json::object()},
      {"TEST", json::object()}};
  return spec;
}

std::string error_of(const json& spec) {
  return data_error([&] { parse_dataset_spec(spec.dump(), "s.json"); });
}

uint64_t sum(const std::array<uint64_t, 3>& v) { return v[0] + v[1] + v[2]; }

}  // namespace

TEST_CASE("the real specs have their published counts", "[records]") {
  struct Row {
    const char* name;
    std::array<uint32_t, 3> classes;
    std::array<uint64_t, 3> images;
    uint32_t least, most;
  };
  for (const Row& row :
       {Row{"ilsvrc_2012",
            {712, 158, 130},
            {915249, 199833, 165682},
            732,
            1300},
        Row{"omniglot", {883, 81, 659}, {17660, 1620, 13180}, 20, 20},
        Row{"aircraft", {70, 15, 15}, {7000, 1500, 1500}, 100, 100},
        Row{"dtd", {33, 7, 7}, {3960, 840, 840}, 120, 120},
        Row{"traffic_sign", {0, 0, 43}, {0, 0, 39209}, 210, 2250}}) {
    INFO(row.name);
    const auto spec = real(row.name);
    CHECK(spec.name == row.name);
    CHECK(spec.classes_per_split == row.classes);
    CHECK(spec.images_per_split() == row.images);
    CHECK(*std::min_element(spec.images.begin(), spec.images.end()) ==
          row.least);
    CHECK(*std::max_element(spec.images.begin(), spec.images.end()) ==
          row.most);
  }
  const auto quick = real("quickdraw");
  CHECK(quick.classes_per_split == std::array<uint32_t, 3>{241, 52, 52});
  CHECK(sum(quick.images_per_split()) == 50426266);
  CHECK(*std::max_element(quick.images.begin(), quick.images.end()) == 340029);
}

TEST_CASE("Omniglot's characters lie in their alphabets", "[records]") {
  const auto spec = real("omniglot");
  CHECK(spec.rule == ClassRule::groups);
  CHECK(spec.sets[0].size() == 25);
  CHECK(spec.sets[1].size() == 5);
  CHECK(spec.sets[2].size() == 20);
  CHECK(spec.sets[0][0].name == "Anglo-Saxon_Futhorc");
  CHECK(spec.sets[0][0].classes.size() == 29);
  CHECK(spec.groups[29] == "Arcadian");
  uint32_t next = 0;
  for (const auto& split : spec.sets)
    for (const auto& set : split)
      for (uint32_t c : set.classes) {
        CHECK(c == next++);
        CHECK(spec.class_names[c].starts_with(set.name + "-character"));
      }
  CHECK(next == 1623);
  CHECK(spec.split_of(882) == 0);
  CHECK(spec.split_of(883) == 1);
  CHECK(spec.split_of(964) == 2);
}

TEST_CASE("ImageNet's graph has its published shape", "[records]") {
  const auto spec = real("ilsvrc_2012");
  CHECK(spec.rule == ClassRule::graph);
  struct Row {
    size_t inner, eligible, above50, root_span;
  };
  const Row want[] = {{299, 113, 16, 712}, {42, 18, 4, 158}, {50, 15, 1, 130}};
  for (int split = 0; split < 3; ++split) {
    const auto& spans = spec.sets[split];
    size_t eligible = 0, above50 = 0, widest = 0;
    for (const auto& span : spans) {
      CHECK(std::is_sorted(span.classes.begin(), span.classes.end()));
      CHECK(std::adjacent_find(span.classes.begin(), span.classes.end()) ==
            span.classes.end());
      const size_t n = span.classes.size();
      eligible += n >= 5 && n <= 392;
      above50 += n > 50 && n <= 392;
      widest = std::max(widest, n);
    }
    INFO(split);
    CHECK(spans.size() == want[split].inner);
    CHECK(eligible == want[split].eligible);
    CHECK(above50 == want[split].above50);
    CHECK(widest == want[split].root_span);
  }
}

TEST_CASE("a leaf below two nodes counts once above them", "[records]") {
  const auto spec = parse_dataset_spec(graph().dump(), "s.json");
  const auto& sets = spec.sets[0];
  REQUIRE(sets.size() == 3);
  CHECK(sets[0].name == "p");
  CHECK(sets[0].classes == std::vector<uint32_t>{0, 1});
  CHECK(sets[1].classes == std::vector<uint32_t>{1, 2});
  CHECK(sets[2].classes == std::vector<uint32_t>{0, 1, 2});
  CHECK(spec.images == std::vector<uint32_t>{6, 7, 8});
}

TEST_CASE("keys of a spec are numbers, in any order", "[records]") {
  const auto spec = parse_dataset_spec(flat().dump(), "s.json");
  CHECK(spec.images == std::vector<uint32_t>{6, 7, 8});
  CHECK(spec.sets[0][0].classes == std::vector<uint32_t>{0, 1});
  CHECK(spec.sets[1].empty());
  CHECK(spec.sets[2][0].classes == std::vector<uint32_t>{2});
  const auto grouped = parse_dataset_spec(groups().dump(), "s.json");
  CHECK(grouped.classes_per_split == std::array<uint32_t, 3>{2, 0, 1});
  CHECK(grouped.groups == std::vector<std::string>{"A", "A", "B"});
  // Where the records were once is nobody's business; the rest is.
  auto moved = flat();
  moved["path"] = "/here";
  const auto same = parse_dataset_spec(moved.dump(), "t.json");
  CHECK(same.identity() == spec.identity());
  CHECK(grouped.identity() != spec.identity());
}

TEST_CASE("a spec that does not add up is refused by name", "[records]") {
  CHECK(has(data_error([] { parse_dataset_spec("{", "s.json"); }),
            "s.json: no JSON: "));
  CHECK(has(data_error([] { parse_dataset_spec("[]", "s.json"); }),
            "no JSON object"));
  const auto with = [](json spec, const char* pointer, json value) {
    spec[json::json_pointer(pointer)] = std::move(value);
    return error_of(spec);
  };
  CHECK(error_of(flat()) == "no DataError");
  CHECK(error_of(groups()) == "no DataError");
  CHECK(error_of(graph()) == "no DataError");
  CHECK(has(with(flat(), "/__class__", "Other"), "__class__ = \"Other\""));
  CHECK(has(with(flat(), "/file_pattern", "{}_{}.tfrecords"),
            "s.json: file_pattern = \"{}_{}.tfrecords\""));
  CHECK(has(with(flat(), "/images_per_class/1", json{{"0", 3}}),
            "images_per_class.1 is given by pools"));
  CHECK(has(with(flat(), "/images_per_class/1", 0),
            "images_per_class.1 = 0; expected a whole number of 1 to"));
  CHECK(
      has(with(flat(), "/images_per_class/1", -4), "images_per_class.1 = -4"));
  CHECK(has(with(flat(), "/images_per_class/1", 5000000000),
            "images_per_class.1 = 5000000000"));
  CHECK(has(with(flat(), "/images_per_class/4", 3),
            "images_per_class has the key \"4\"; expected 0 to 3"));
  CHECK(has(with(flat(), "/images_per_class/01", 3), "the key \"1\""));
  CHECK(has(with(flat(), "/class_names/3", "d"),
            "3 classes in images_per_class, 4 in class_names"));
  CHECK(has(with(flat(), "/classes_per_split/TEST", 2),
            "classes_per_split counts 4 classes, images_per_class 3"));
  CHECK(has(with(flat(), "/classes_per_split/TEST", 0),
            "classes_per_split counts 2 classes, images_per_class 3"));
  CHECK(has(with(groups(), "/superclasses_per_split/TEST", 2),
            "more superclasses than the 2"));
  CHECK(has(with(groups(), "/superclasses_per_split/TEST", 0),
            "superclasses_per_split counts 1 superclasses"));
  CHECK(has(with(groups(), "/classes_per_superclass/1", 2),
            "classes_per_superclass counts 4 classes"));
}

TEST_CASE("a graph that does not hang together is refused", "[records]") {
  const auto with =
      [](const std::function<void(json & nodes, json & spec)>& act) {
        json spec = graph();
        act(spec["split_subgraphs"]["TRAIN"], spec);
        return error_of(spec);
      };
  CHECK(has(with([](auto& n, auto&) { n[0]["parents_ids"] = {"z"}; }),
            "s.json: split_subgraphs.TRAIN: node a: parents_ids names \"z\", "
            "which is no node"));
  CHECK(has(with([](auto& n, auto&) { n.push_back(n[0]); }),
            "node a comes twice"));
  CHECK(has(with([](auto& n, auto&) {
              n[3]["children_ids"] = {"a", "a"};
            }),
            "node p: children_ids names a node twice"));
  CHECK(has(with([](auto& n, auto&) { n[0]["parents_ids"] = json::array(); }),
            "node p has the child a, which does not name it as a parent"));
  CHECK(has(with([](auto& n, auto&) {
              n[5]["parents_ids"] = {"p"};
              n[3]["children_ids"] = {"a", "b", "r"};
            }),
            "lies on a cycle or above one"));
  CHECK(has(with([](auto&, auto& spec) { spec["class_names"]["1"] = "x"; }),
            "class_names.1 is \"x\"; expected b, the next leaf of TRAIN"));
  CHECK(has(with([](auto&, auto& spec) {
              spec["images_per_class"]["TRAIN"].erase("b");
            }),
            "images_per_class.TRAIN has no b"));
  CHECK(has(with([](auto&, auto& spec) { spec["class_names"]["3"] = "d"; }),
            "class_names counts 4 classes, images_per_class 3"));
}
