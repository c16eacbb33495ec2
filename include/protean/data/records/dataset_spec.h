// dataset_spec.json, the description that Meta-Dataset's conversion writes
// beside the records of one data set: how many classes each split has, how many
// images each class, and how classes hang together.
//
//   DatasetSpecification              classes without an order above them
//   BiLevelDatasetSpecification       classes in superclasses (Omniglot)
//   HierarchicalDatasetSpecification  leaves of a graph per split (ImageNet)
//
// Class numbers are those of the record files. They are global: training
// classes first, then validation, then test. The spec's `path` is passed over:
// it is where somebody else had the records.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace protean {

// How an episode takes its classes from `sets` (tasks/meta_dataset_tasks.h).
//   flat    one set, all classes of the split
//   groups  a set per superclass
//   graph   a set per inner node: the leaves below it, each once
enum class ClassRule { flat, groups, graph };

struct ClassSet {
  std::string name;               // superclass or WordNet id; "" when flat
  std::vector<uint32_t> classes;  // ascending
};

struct DatasetSpec {
  std::string name;
  ClassRule rule = ClassRule::flat;
  // Of train, validation, test.
  std::array<uint32_t, 3> classes_per_split{};
  std::array<std::vector<ClassSet>, 3> sets;  // graph: in WordNet id order
  // By class.
  std::vector<uint32_t> images;
  std::vector<std::string> class_names;
  std::vector<std::string> groups;  // superclass of each; "" without

  uint32_t classes() const { return static_cast<uint32_t>(images.size()); }
  // 0 train, 1 validation, 2 test.
  int split_of(uint32_t cls) const;
  std::array<uint64_t, 3> images_per_split() const;
  // Equal for equal meaning; the start of a data set's checksum.
  std::string identity() const;
};

// Throws DataError "FILE: cause" naming the field, class or node.
DatasetSpec parse_dataset_spec(const std::string& json,
                               const std::string& file);
DatasetSpec read_dataset_spec(const std::filesystem::path& file);

}  // namespace protean
