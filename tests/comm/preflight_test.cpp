#include "protean/comm/preflight.h"

#include "support/catch.h"
#include "support/run_world.h"

namespace protean {
namespace {

// The text that every rank throws, "" if none does.
std::string differences(int ranks, const std::function<Facts(int)>& facts) {
  auto out = run_ranks(ranks, [&](World& world) {
    preflight(*world.control, facts(world.control->rank()));
  });
  for (const std::string& error : out.error) REQUIRE(error == out.error[0]);
  REQUIRE(out.exit_code == (out.error[0].empty() ? 0 : kExitUsage));
  return out.error[0];
}

TEST_CASE("equal facts pass", "[comm][preflight]") {
  CHECK(differences(3, [](int) {
          return Facts{{"config", "abc"}, {"build", ""}};
        }) == "");
  CHECK(differences(2, [](int) { return Facts{}; }) == "");
  CHECK(differences(1, [](int) { return Facts{{"a", "b"}}; }) == "");
}

TEST_CASE("a difference names key, ranks and values, the same on every rank",
          "[comm][preflight]") {
  CHECK(differences(3, [](int rank) {
          return Facts{{"seed", "1"}, {"task.ways", rank == 2 ? "20" : "5"}};
        }) == "ranks differ: task.ways is 5 on rank 0 and 20 on rank 2");
  CHECK(
      differences(4, [](int rank) {
        return Facts{{"cpu", rank == 0 ? "avx2" : "avx512"}};
      }) == "ranks differ: cpu is avx2 on rank 0 and avx512 on ranks 1, 2, 3");
  CHECK(
      differences(3, [](int rank) {
        return Facts{{"build", std::to_string(rank)}};
      }) == "ranks differ: build is 0 on rank 0 and 1 on rank 1, 2 on rank 2");
}

TEST_CASE("a missing fact is a difference, and all keys are named",
          "[comm][preflight]") {
  CHECK(differences(2,
                    [](int rank) {
                      return rank == 0 ? Facts{{"a", "1"}, {"b", "2"}}
                                       : Facts{{"b", "3"}, {"c", ""}};
                    }) ==
        "ranks differ: a is 1 on rank 0 and missing on rank 1; also "
        "different: b, c");
}

}  // namespace
}  // namespace protean
