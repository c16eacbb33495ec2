#include "coordinator/coordinator.h"

#include "support/catch.h"

using namespace protean;

namespace {

std::vector<CostTable> tables(const std::vector<Message>& messages) {
  std::vector<CostTable> out;
  for (const auto& m : messages)
    if (const auto* table = std::get_if<CostTable>(&m)) out.push_back(*table);
  return out;
}

Beat costing(double seconds) {
  return {RankPhase::computing, 1, 1, {{11, 100, seconds}}};
}

}  // namespace

TEST_CASE("every tick has a pulse, and a table of costs once when it is new",
          "[coordinator]") {
  Coordinator coordinator(2, {}, {}, 0);
  auto out = coordinator.tick();
  REQUIRE(out.size() == 1);
  CHECK(std::holds_alternative<Pulse>(out[0]));

  coordinator.handle(1, costing(2), 1);
  out = coordinator.tick();
  REQUIRE(out.size() == 2);
  CHECK(std::holds_alternative<Pulse>(out[0]));
  CHECK(tables(out) == std::vector<CostTable>{{1, {{11, 0.02}}}});
  CHECK(coordinator.tick().size() == 1);

  // 2 s and 4 s: (0.95 * 2 + 4) / (0.95 * 100 + 100).
  coordinator.handle(0, costing(4), 2);
  const auto next = tables(coordinator.tick());
  REQUIRE(next.size() == 1);
  CHECK(next[0].version == 2);
  CHECK(next[0].entries[0].seconds_per_cost == Approx(5.9 / 195));
}

TEST_CASE("the ranks that a job started from know its table", "[coordinator]") {
  Coordinator coordinator(1, {}, {7, {{11, 0.02}}}, 0);
  CHECK(coordinator.tick().size() == 1);
}

TEST_CASE("a rank that is silent ends the job unless it said goodbye",
          "[coordinator]") {
  CoordinatorOptions options;
  options.heartbeat_s = 1;
  options.warn_s = 2;
  options.silence_s = 3;
  Coordinator coordinator(2, options, {}, 0);
  coordinator.handle(0, Hello{"node1", 1}, 0);
  coordinator.handle(1, Hello{"node2", 2}, 0);
  coordinator.handle(0, Bye{}, 0);
  CHECK_FALSE(coordinator.check(1));
  CHECK_FALSE(coordinator.check(2));
  const auto why = coordinator.check(3);
  REQUIRE(why);
  CHECK(why->find("rank 1 on node2 (process 2) is silent for 3 s") == 0);
}
