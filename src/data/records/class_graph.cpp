#include "data/records/class_graph.h"

#include <algorithm>
#include <map>

#include <nlohmann/json.hpp>

#include "protean/core/error.h"

namespace protean {
namespace {

using nlohmann::json;

// Places that all spans hold together, at most: ImageNet's have some 10^4.
constexpr uint64_t kMostPlaces = uint64_t{1} << 24;

struct Node {
  std::vector<uint32_t> children, parents;
  std::vector<uint32_t> span;  // leaves below it, ascending
};

class GraphReader {
 public:
  GraphReader(const json& nodes, const std::string& where) : where_(where) {
    for (const auto& node : nodes) {
      const std::string id = id_of(node);
      if (!numbers_.emplace(id, 0).second)
        fail(concat("node ", id, " comes twice"));
    }
    // By id: the order in which classes are numbered and nodes are drawn.
    uint32_t next = 0;
    for (auto& [id, number] : numbers_) {
      number = next++;
      ids_.push_back(id);
    }
    nodes_.resize(ids_.size());
    for (const auto& node : nodes) {
      Node& to = nodes_[numbers_.at(id_of(node))];
      to.children = neighbours(node, "children_ids");
      to.parents = neighbours(node, "parents_ids");
    }
    check_both_ways();
  }

  ClassGraph read() {
    ClassGraph graph;
    for (uint32_t n = 0; n < nodes_.size(); ++n) {
      if (!nodes_[n].children.empty()) continue;
      nodes_[n].span = {static_cast<uint32_t>(graph.leaves.size())};
      graph.leaves.push_back(ids_[n]);
    }
    for (uint32_t n : bottom_up()) gather(nodes_[n]);
    for (uint32_t n = 0; n < nodes_.size(); ++n)
      if (!nodes_[n].children.empty())
        graph.spans.push_back({ids_[n], std::move(nodes_[n].span)});
    return graph;
  }

 private:
  [[noreturn]] void fail(const std::string& cause) const {
    throw DataError(concat(where_, ": ", cause));
  }

  std::string id_of(const json& node) const {
    if (!node.is_object() || !node.contains("wn_id") ||
        !node["wn_id"].is_string())
      fail("a node without a text \"wn_id\"");
    return node["wn_id"].get<std::string>();
  }

  std::vector<uint32_t> neighbours(const json& node, const char* key) const {
    const auto list = node.find(key);
    if (list == node.end() || !list->is_array())
      fail(concat("node ", id_of(node), " has no list \"", key, "\""));
    std::vector<uint32_t> out;
    for (const auto& id : *list) {
      const auto found = id.is_string() ? numbers_.find(id.get<std::string>())
                                        : numbers_.end();
      if (found == numbers_.end())
        fail(concat("node ", id_of(node), ": ", key, " names ", id.dump(),
                    ", which is no node"));
      out.push_back(found->second);
    }
    std::sort(out.begin(), out.end());
    if (std::adjacent_find(out.begin(), out.end()) != out.end())
      fail(concat("node ", id_of(node), ": ", key, " names a node twice"));
    return out;
  }

  void check_both_ways() const {
    for (uint32_t n = 0; n < nodes_.size(); ++n) {
      const auto has = [&](const std::vector<uint32_t>& list) {
        return std::binary_search(list.begin(), list.end(), n);
      };
      for (uint32_t child : nodes_[n].children)
        if (!has(nodes_[child].parents))
          fail(concat("node ", ids_[n], " has the child ", ids_[child],
                      ", which does not name it as a parent"));
      for (uint32_t parent : nodes_[n].parents)
        if (!has(nodes_[parent].children))
          fail(concat("node ", ids_[n], " has the parent ", ids_[parent],
                      ", which does not name it as a child"));
    }
  }

  // Every node after its children.
  std::vector<uint32_t> bottom_up() const {
    std::vector<size_t> left;  // children not yet in the list
    std::vector<uint32_t> order;
    for (uint32_t n = 0; n < nodes_.size(); ++n) {
      left.push_back(nodes_[n].children.size());
      if (left[n] == 0) order.push_back(n);
    }
    for (size_t at = 0; at < order.size(); ++at)
      for (uint32_t parent : nodes_[order[at]].parents)
        if (--left[parent] == 0) order.push_back(parent);
    if (order.size() == nodes_.size()) return order;
    const auto stuck =
        std::find_if(left.begin(), left.end(), [](size_t n) { return n > 0; });
    fail(concat("node ", ids_[static_cast<size_t>(stuck - left.begin())],
                " lies on a cycle or above one"));
  }

  void gather(Node& node) {
    for (uint32_t child : node.children) {
      const auto& below = nodes_[child].span;
      places_ += below.size();
      if (places_ > kMostPlaces)
        fail(concat("its nodes span more than ", kMostPlaces,
                    " leaves together"));
      node.span.insert(node.span.end(), below.begin(), below.end());
    }
    std::sort(node.span.begin(), node.span.end());
    node.span.erase(std::unique(node.span.begin(), node.span.end()),
                    node.span.end());
  }

  const std::string& where_;
  std::map<std::string, uint32_t> numbers_;
  std::vector<std::string> ids_;
  std::vector<Node> nodes_;
  uint64_t places_ = 0;
};

}  // namespace

ClassGraph read_class_graph(const json& nodes, const std::string& where) {
  return GraphReader(nodes, where).read();
}

}  // namespace protean
