#include "protean/tasks/episode_counts.h"

#include <numeric>

#include "protean/core/error.h"

#include "support/catch.h"

using namespace protean;

namespace {

using Counts = std::vector<uint32_t>;

uint32_t sum(const Counts& counts) {
  return std::accumulate(counts.begin(), counts.end(), 0u);
}

}  // namespace

// Worked by hand from the published rule; sums and shares in between:
// q = 3, r = 3 22 57 117 439, S = 1 + 7 + 18 + 31 + 31 = 88,
// p (S - W) = 0.466 3.203 9.872 25.351 44.108.
TEST_CASE("unequal classes share the support", "[meta-dataset]") {
  const auto counts = episode_counts({6, 25, 60, 120, 442}, 0.3,
                                     {-0.5, 0, 0.25, 0.5, -0.25}, {});
  CHECK(counts.queries == 3);
  CHECK(counts.support == Counts{1, 4, 10, 26, 45});
}

TEST_CASE("one large class takes what small ones cannot", "[meta-dataset]") {
  const auto counts =
      episode_counts({6, 6, 6, 6, 442}, 0.5, {0, 0, 0, 0, 0}, {});
  CHECK(counts.queries == 3);
  CHECK(counts.support == Counts{1, 1, 1, 1, 52});
}

TEST_CASE("no class has more shots than images left", "[meta-dataset]") {
  const Counts n(7, 20);
  const auto counts =
      episode_counts(n, 0.999, {0.6931, -0.6931, 0, 0.1, -0.2, 0.3, -0.4}, {});
  CHECK(counts.queries == 10);
  CHECK(counts.support == Counts{10, 5, 9, 10, 7, 10, 6});
  const auto least =
      episode_counts(n, 0, {0.6931, -0.6931, 0, 0.1, -0.2, 0.3, -0.4}, {});
  CHECK(least.support == Counts(7, 1));
}

TEST_CASE("the support set is bounded", "[meta-dataset]") {
  // The sum of 50 floor(0.5 * 100 + 1) = 2550 is cut to 500: 9 for each beside
  // the first one. 0.02 * 450 lies on the boundary of two whole numbers.
  const auto even =
      episode_counts(Counts(50, 1300), 0.5, std::vector<double>(50, 0.0), {});
  for (uint32_t k : even.support) CHECK((k == 9 || k == 10));
  // A class four times as likely as the others, 4 / 53 of 450 = 33.96.
  std::vector<double> alpha(50, -0.6931471805599453);
  alpha[7] = 0.6931471805599453;
  const auto one = episode_counts(Counts(50, 1300), 0.5, alpha, {});
  CHECK(one.support[7] == 34);
  CHECK(one.support[8] == 9);  // 450 / 53 = 8.49
  CHECK(sum(one.support) == 34 + 49 * 9);
}

TEST_CASE("fixed shots leave the rest to queries", "[meta-dataset]") {
  EpisodeOptions options;
  options.fixed_shots = 5;
  const auto some = episode_counts({9, 30, 40}, 0, {}, options);
  CHECK(some.support == Counts{5, 5, 5});
  CHECK(some.queries == 4);
  CHECK(episode_counts({20, 30}, 0, {}, options).queries == 10);
}

TEST_CASE("a class without room for a query is refused", "[meta-dataset]") {
  CHECK_THROWS_WITH(episode_counts({20, 1}, 0.5, {0, 0}, {}),
                    "episode_counts: a class of 1 images; expected at least 2");
  EpisodeOptions options;
  options.fixed_shots = 5;
  CHECK_THROWS_AS(episode_counts({20, 5}, 0, {}, options), Error);
}
