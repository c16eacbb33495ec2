#include "trainer/setbacks.h"

#include "support/catch.h"

using namespace protean;

TEST_CASE("a setback halves the rate, and tells where it led nowhere",
          "[trainer]") {
  const Setbacks none;
  CHECK(none.rate() == 1);
  // Diverged at step 12, gone on from the checkpoint of step 10.
  const auto one = none.with_another(12, 10, true);
  CHECK(one.count == 1);
  CHECK(one.rate() == 0.5);
  CHECK(one.diverged_at == 12);
  CHECK(one.dead_end == -1);
  // No further than before: that checkpoint leads nowhere.
  const auto two = one.with_another(11, 10, true);
  CHECK(two.rate() == 0.25);
  CHECK(two.diverged_at == 12);
  CHECK(two.dead_end == 10);
  CHECK(one.with_another(13, 10, true).dead_end == -1);
  // Nor does one without a step, but a start is no checkpoint to drop.
  CHECK(none.with_another(10, 10, true).dead_end == 10);
  CHECK(none.with_another(0, 0, false).dead_end == -1);
}

TEST_CASE("a run is tried again so often, with what is known by then",
          "[trainer]") {
  std::vector<int64_t> counts;
  const auto diverge_until = [&](int64_t good) {
    counts.clear();
    return [&counts, good](const Setbacks& s) {
      counts.push_back(s.count);
      if (s.count < good)
        throw Diverged{AgreedError("not finite"), s.with_another(5, 0, false)};
      TrainOutcome outcome;
      outcome.exit_code = 7;
      return outcome;
    };
  };
  CHECK(with_retries(2, false, diverge_until(2)).exit_code == 7);
  CHECK(counts == std::vector<int64_t>{0, 1, 2});
  CHECK_THROWS_WITH(with_retries(2, false, diverge_until(3)), "not finite");
  CHECK(counts == std::vector<int64_t>{0, 1, 2});
}
