// The graph of one split of a hierarchical dataset_spec: a piece of WordNet,
// whose leaves are classes. A node may have several parents, so leaves are
// counted once however many ways lead to them.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "protean/data/records/dataset_spec.h"

namespace protean {

struct ClassGraph {
  std::vector<std::string> leaves;  // WordNet ids, ascending
  // The leaves below each inner node, as places in `leaves`; by WordNet id.
  std::vector<ClassSet> spans;
};

// nodes: a list of {wn_id, words, children_ids, parents_ids}. Throws DataError
// "WHERE: cause" where a node is named twice, names one that does not exist, is
// nobody's child though it names a parent, or lies on a cycle.
ClassGraph read_class_graph(const nlohmann::json& nodes,
                            const std::string& where);

}  // namespace protean
