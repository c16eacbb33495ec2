#include "trainer/identity.h"

#include "protean/core/error.h"

#include "support/catch.h"

using namespace protean;

TEST_CASE("a run goes on under the keys that it was started with",
          "[trainer]") {
  const ConfigValues defaults{{"task.ways", "5"}, {"optim.lr", "0.001"}};
  const ConfigValues values{{"task.ways", "20"}, {"optim.lr", "0.001"}};
  const auto stored = run_identity(values, {}, "d");
  const auto check = [&](const ConfigValues& now, const std::string& data) {
    check_identity(stored, run_identity(now, {}, data), defaults, true);
  };
  CHECK_NOTHROW(check(values, "d"));
  CHECK_THROWS_WITH(
      check(defaults, "d"),
      contains(
          "resume: task.ways = \"5\", but the run was started with \"20\""));
  CHECK_THROWS_WITH(check(values, "e"), contains("data checksum"));
}

TEST_CASE("a key newer than the run's build has its default", "[trainer]") {
  const auto old = run_identity({{"task.ways", "20"}}, {}, "d");
  const ConfigValues defaults{{"task.ways", "5"}, {"task.colours", "1"}};
  const auto check = [&](const char* colours) {
    check_identity(
        old,
        run_identity({{"task.ways", "20"}, {"task.colours", colours}}, {}, "d"),
        defaults, true);
  };
  CHECK_NOTHROW(check("1"));
  CHECK_THROWS_WITH(check("2"),
                    contains("resume: task.colours = \"2\", but the run was "
                             "started with \"1\""));
}
