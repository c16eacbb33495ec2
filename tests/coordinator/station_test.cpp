// Stations over threads as ranks: the real mailbox, the real failure path.
#include "protean/coordinator/station.h"

#include <chrono>
#include <thread>

#include "protean/core/error.h"
#include "protean/core/fault_points.h"

#include "support/catch.h"

using namespace protean;

namespace {

CoordinatorOptions quick() {
  CoordinatorOptions o;
  o.heartbeat_s = 0.05;
  o.warn_s = 5;
  o.silence_s = 5;
  o.progress_s = 0.5;
  return o;
}

int on_ranks(int ranks, const std::function<int(World&)>& body) {
  CommOptions options;
  options.backend = "inproc";
  options.ranks = ranks;
  return run_world(options, body);
}

// Until seen() or 20 s.
template <typename Seen>
bool comes(Seen seen) {
  for (int i = 0; i < 2000; ++i) {
    if (seen()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

}  // namespace

TEST_CASE("measured costs come back to every rank as one table",
          "[coordinator]") {
  const int code = on_ranks(3, [](World& world) {
    Station station(world, quick(), {});
    station.enter(RankPhase::waiting, 0);
    station.observe({static_cast<uint64_t>(world.control->rank()), 10, 2});
    CHECK(comes([&] {
      // Newer versions may follow; the last one knows all three shapes.
      const auto newest = station.costs().newest();
      if (newest == 0) return false;
      station.costs().decide(newest, static_cast<int64_t>(newest));
      return station.costs().at(1 << 20)->entries.size() == 3;
    }));
    world.control->barrier();
    return kExitDone;
  });
  CHECK(code == kExitDone);
}

// 4 s for 20 examples, whether in one beat or, as the first of them fades, in
// two: 3.95 s for 19.5. A stack that begins has cost nothing yet.
TEST_CASE("a shape's cost is the sum over its stacks", "[coordinator]") {
  const int code = on_ranks(1, [](World& world) {
    Station station(world, quick(), {});
    station.enter(RankPhase::computing, 0);
    for (double seconds : {0.0, 1.0, 0.0, 3.0})
      station.observe({11, 10, seconds});
    double ratio = 0;
    CHECK(comes([&] {
      const auto newest = station.costs().newest();
      if (newest == 0) return false;
      station.costs().decide(newest, static_cast<int64_t>(newest));
      ratio = station.costs().at(1 << 20)->entries.at(0).seconds_per_cost;
      return ratio > 0.19;
    }));
    CHECK(ratio < 0.21);
    return kExitDone;
  });
  CHECK(code == kExitDone);
}

TEST_CASE("a rank that stays where it is ends the job", "[coordinator]") {
  const int code = on_ranks(3, [](World& world) {
    Station station(world, quick(), {});
    if (world.control->rank() == 2) {
      station.enter(RankPhase::computing, 4);
      // Stuck: it does nothing but look whether the job is broken.
      std::string why;
      const bool broken = comes([&] {
        try {
          world.control->check();
          return false;
        } catch (const PeerError& e) {
          why = e.what();
          return true;
        }
      });
      CHECK(broken);
      CHECK(why.find("rank 2 on ") != std::string::npos);
      CHECK(why.find("step 4, computing") != std::string::npos);
      throw CommError("ended");
    }
    station.enter(RankPhase::waiting, 4);
    world.control->barrier();  // throws
    return kExitDone;
  });
  CHECK(code == kExitFailed);
}

TEST_CASE("a coordinator that fails ends the job with its reason",
          "[coordinator]") {
  set_fault_plan("coordinator.tick:throw:3");
  const int code = on_ranks(2, [](World& world) {
    Station station(world, quick(), {});
    station.enter(RankPhase::waiting, 0);
    std::string why;
    comes([&] {
      try {
        world.control->check();
        return false;
      } catch (const CommError& e) {
        why = e.what();
        return true;
      }
    });
    CHECK(why.find("coordinator thread: coordinator.tick: injected fault") !=
          std::string::npos);
    world.control->check();
    return kExitDone;
  });
  set_fault_plan("");
  CHECK(code == kExitFailed);
}

TEST_CASE("ranks hold a silent coordinator to its deadline", "[coordinator]") {
  auto options = quick();
  options.warn_s = 0.3;
  options.silence_s = 0.6;
  const int code = on_ranks(2, [&](World& world) {
    if (world.control->rank() == 0) {  // no station: a coordinator that is gone
      world.control->barrier();
      return kExitDone;
    }
    Station station(world, options, {});
    world.control->barrier();
    CHECK(comes([&] {
      try {
        world.control->check();
        return false;
      } catch (const CommError& e) {
        return std::string(e.what()).find(
                   "the coordinator, rank 0 is silent for") !=
               std::string::npos;
      }
    }));
    world.control->check();
    return kExitDone;
  });
  CHECK(code == kExitFailed);
}

TEST_CASE("impossible deadlines are refused", "[coordinator]") {
  CoordinatorOptions o;
  o.silence_s = 0;
  CHECK_THROWS_AS(validate(o), ConfigError);
  o = {};
  o.heartbeat_s = 10;
  CHECK_THROWS_AS(validate(o), ConfigError);
  CHECK_NOTHROW(validate(CoordinatorOptions{}));
}
