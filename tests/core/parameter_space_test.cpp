#include "protean/core/parameter_space.h"

#include "support/catch.h"

using namespace protean;

TEST_CASE("a parameter space lays parameters end to end", "[core]") {
  ParameterSpace space;
  CHECK(space.add("conv.weight", {64, 1, 3, 3}) == 0);
  CHECK(space.add("scale", {}) == 1);
  CHECK(space.add("head.bias", {5}) == 2);
  CHECK(space.size() == 576 + 1 + 5);
  CHECK(space.parameters()[2].offset == 577);
  CHECK(space.index("scale") == 1);
  CHECK_THROWS(space.index("gone"));
  CHECK_THROWS(space.add("scale", {2}));
}

TEST_CASE("the layout hash sees names, shapes and order", "[core]") {
  auto hash = [](std::vector<std::pair<std::string, std::vector<int64_t>>> v) {
    ParameterSpace space;
    for (auto& [name, shape] : v) space.add(name, shape);
    return space.layout_hash();
  };
  const auto base = hash({{"a", {2, 3}}, {"b", {4}}});
  CHECK(base == hash({{"a", {2, 3}}, {"b", {4}}}));
  CHECK(base != hash({{"a", {3, 2}}, {"b", {4}}}));
  CHECK(base != hash({{"b", {4}}, {"a", {2, 3}}}));
  CHECK(base != hash({{"a", {2, 3}}, {"c", {4}}}));
  CHECK(base != hash({{"a", {6}}, {"b", {4}}}));
}
