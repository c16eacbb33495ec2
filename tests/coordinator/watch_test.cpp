#include "protean/coordinator/watch.h"

#include "support/catch.h"

using namespace protean;

namespace {

CoordinatorOptions options() {
  CoordinatorOptions o;
  o.heartbeat_s = 1;
  o.warn_s = 10;
  o.silence_s = 15;
  o.progress_s = 60;
  return o;
}

Beat beat(RankPhase phase, int64_t step, uint64_t progress) {
  return {phase, step, progress, {}};
}

// Two peers, watched each second; peer 1 speaks while speaks(t).
template <typename Speaks>
std::vector<std::pair<int, Watch::Finding>> watched(int seconds,
                                                    Speaks speaks) {
  Watch watch({"rank 0", "rank 1"}, options(), 0);
  std::vector<std::pair<int, Watch::Finding>> out;
  watch.hello(1, {"node7", 42}, 0);
  for (int t = 1; t <= seconds; ++t) {
    watch.heard(0, beat(RankPhase::waiting, t, 5), t);
    if (speaks(t)) watch.heard(1, beat(RankPhase::computing, t, t), t);
    for (auto& finding : watch.check(t)) out.emplace_back(t, finding);
  }
  return out;
}

}  // namespace

TEST_CASE("a silent rank is named once, then ends the job", "[coordinator]") {
  const auto found = watched(20, [](int t) { return t <= 3; });
  REQUIRE(found.size() >= 2);
  CHECK(found[0].first == 13);
  CHECK_FALSE(found[0].second.fatal);
  CHECK(found[1].first == 18);
  CHECK(found[1].second.fatal);
  for (const char* part : {"rank 1 on node7 (process 42)", "silent for 15 s",
                           "step 3", "computing", "coordinator.silence_s = 15"})
    CHECK(found[1].second.line.find(part) != std::string::npos);
}

TEST_CASE("a rank that comes back is heard again", "[coordinator]") {
  const auto found =
      watched(40, [](int t) { return t <= 3 || (t >= 15 && t <= 40); });
  REQUIRE(found.size() == 2);
  CHECK(found[0].first == 13);
  CHECK(found[1].first == 15);
  CHECK(found[1].second.line == "rank 1 on node7 (process 42) is heard again");
}

TEST_CASE("nobody is blamed for a time when the watcher itself stood still",
          "[coordinator]") {
  Watch watch({"rank 0"}, options(), 0);
  watch.heard(0, 1);
  CHECK(watch.check(1).empty());
  CHECK(watch.check(1000).empty());  // the job was suspended
  for (int t = 1001; t < 1009; ++t) CHECK(watch.check(t).empty());
  bool ended = false;
  for (int t = 1009; t < 1020; ++t)
    for (const auto& f : watch.check(t)) ended |= f.fatal;
  CHECK(ended);
}

// Computing since t = 1, as far as anybody knows; progress_s is 60.
TEST_CASE("a time when the watcher stood still is no time without progress",
          "[coordinator]") {
  Watch watch({"rank 0"}, options(), 0);
  watch.heard(0, beat(RankPhase::computing, 8, 100), 1);
  CHECK(watch.check(1).empty());
  const int woken = 1000;
  watch.heard(0, beat(RankPhase::computing, 8, 100), woken);
  for (int t = woken; t < woken + 58; ++t) {
    watch.heard(0, beat(RankPhase::computing, 8, 100), t);
    CHECK(watch.check(t).empty());
  }
  bool ended = false;
  for (int t = woken + 58; t < woken + 63; ++t) {
    watch.heard(0, beat(RankPhase::computing, 8, 100), t);
    for (const auto& f : watch.check(t)) ended |= f.fatal;
  }
  CHECK(ended);
}

TEST_CASE("a rank that lives but holds up the others ends the job",
          "[coordinator]") {
  Watch watch({"rank 0", "rank 1"}, options(), 0);
  std::string line;
  for (int t = 1; t <= 70; ++t) {
    watch.heard(0, beat(RankPhase::waiting, 8, 100), t);  // may wait for ever
    watch.heard(1, beat(RankPhase::computing, 8, 101), t);
    for (const auto& f : watch.check(t))
      if (f.fatal && line.empty()) line = f.line;
    if (t < 61) CHECK(line.empty());
  }
  CHECK(line.find("rank 1 makes no progress for 60 s") == 0);
  CHECK(line.find("step 8, computing") != std::string::npos);
}

TEST_CASE("who has said goodbye may be silent", "[coordinator]") {
  Watch watch({"rank 0"}, options(), 0);
  watch.bye(0);
  for (int t = 1; t < 100; ++t) CHECK(watch.check(t).empty());
}
