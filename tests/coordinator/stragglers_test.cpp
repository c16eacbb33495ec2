#include "coordinator/coordinator.h"
#include "support/catch.h"

using namespace protean;

namespace {

// Ranks named after so many steps of these compute times.
std::vector<size_t> named(Stragglers& watch, int steps,
                          const std::vector<float>& busy) {
  std::vector<size_t> ranks;
  for (int i = 0; i < steps; ++i)
    for (const auto& slow : watch.step(busy)) ranks.push_back(slow.rank);
  return ranks;
}

}  // namespace

TEST_CASE("a rank above 1.5 times the median is named once", "[coordinator]") {
  Stragglers watch(4);
  CHECK(named(watch, 20, {1, 1, 1.4f, 1}).empty());
  CHECK(named(watch, 19, {1, 1, 1, 2}).empty());
  CHECK(named(watch, 1, {1, 1, 1, 2}) == std::vector<size_t>{3});
  CHECK(named(watch, 40, {1, 1, 1, 2}).empty());  // still the same
  CHECK(named(watch, 20, {1, 1, 1, 1}).empty());
  CHECK(named(watch, 20, {1, 1, 1, 2}) == std::vector<size_t>{3});
}

TEST_CASE("short steps are watched for longer", "[coordinator]") {
  Stragglers watch(2);
  CHECK(named(watch, 99, {0.05f, 0.1f}).empty());
  CHECK(named(watch, 2, {0.05f, 0.1f}) == std::vector<size_t>{1});
}

TEST_CASE(
    "two ranks are compared with the faster one, idle ones are no measure",
    "[coordinator]") {
  Stragglers two(2);
  CHECK(named(two, 20, {1, 1.6f}) == std::vector<size_t>{1});
  Stragglers dedicated(4);
  CHECK(named(dedicated, 20, {0, 1, 1, 1.2f}).empty());
  Stragglers half(4);
  CHECK(named(half, 20, {0, 0, 1, 1.6f}) == std::vector<size_t>{3});
  Stragglers alone(1);
  CHECK(named(alone, 40, {1}).empty());
}
