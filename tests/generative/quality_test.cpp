#include "protean/generative/analysis/quality.h"

#include <cmath>

#include "protean/core/error.h"

#include "support/catch.h"
#include "support/toy_tasks.h"

using namespace protean;

TEST_CASE("two samples of one normal distribution in 1000 dimensions",
          "[generative]") {
  // Naeem et al. 2020 print 0.48, 0.47, 1.06 and 0.97 for one draw of 10000
  // against 10000 with k = 5. The density's expectation is 1; a few points that
  // are near to many move it by a tenth from draw to draw.
  const auto real = noise({10000, 1000}, 1, at::kFloat);
  const auto fake = noise({10000, 1000}, 2, at::kFloat);
  const auto m = manifold(real, fake, 5);
  CHECK(m.precision == Approx(0.48).margin(0.03));
  CHECK(m.recall == Approx(0.48).margin(0.03));
  CHECK(m.density == Approx(1).margin(0.15));
  CHECK(m.coverage == Approx(0.97).margin(0.01));
}

TEST_CASE("precision, recall, density and coverage by hand", "[generative]") {
  // On a line: reals 0, 1, 3 with k = 1 have balls of radius 1, 1, 2.
  const auto real = at::tensor({0.0, 1.0, 3.0}).view({3, 1});
  const auto fake = at::tensor({1.5, 1.9, 9.0, 9.5}).view({4, 1});
  const auto m = manifold(real, fake, 1);
  CHECK(m.precision == Approx(0.5));  // 1.5 and 1.9
  CHECK(m.density == Approx(1.0));    // each in the balls of 1 and of 3
  CHECK(m.coverage == Approx(2.0 / 3));
  // Balls of the fakes have radius 0.4, 0.4, 0.5, 0.5.
  CHECK(m.recall == Approx(0));
  CHECK_THROWS_AS(manifold(real, fake, 3), Error);
}

TEST_CASE("the Frechet distance of known normal distributions",
          "[generative]") {
  // Independent dimensions: |m - n|^2 + sum (s - t)^2.
  const int64_t n = 20000;
  const auto x = noise({n, 3}, 1), y = noise({n, 3}, 2);
  const auto scale = at::tensor({1.0, 2.0, 0.5});
  CHECK(frechet_distance(x, y * scale + 1) ==
        Approx(3 + 0 + 1 + 0.25).epsilon(0.03));
  CHECK(frechet_distance(x, x) == Approx(0).margin(1e-6));
  // A rotation of both changes nothing.
  const auto turn = std::get<0>(at::linalg_qr(noise({3, 3}, 4)));
  CHECK(frechet_distance(at::mm(x, turn), at::mm(y * scale + 1, turn)) ==
        Approx(frechet_distance(x, y * scale + 1)));
}

TEST_CASE("the kernel distance is zero for one distribution, not for two",
          "[generative]") {
  const auto x = noise({2000, 8}, 1), y = noise({2000, 8}, 2);
  const auto same = kernel_distance(x, y, 20, 500, 3);
  CHECK(std::abs(same.mean) < 4 * same.deviation / std::sqrt(20.0) + 1e-3);
  const auto far = kernel_distance(x, y + 0.5, 20, 500, 3);
  CHECK(far.mean > 10 * same.deviation);
  // Unbiased: small subsets agree.
  CHECK(kernel_distance(x, y + 0.5, 200, 50, 3).mean ==
        Approx(far.mean).epsilon(0.1));
}

TEST_CASE("one nearest neighbour tells sets apart, and finds copies",
          "[generative]") {
  const auto x = noise({600, 10}, 1), y = noise({600, 10}, 2);
  CHECK(one_nearest_neighbour(x, y) == Approx(0.5).margin(0.05));
  CHECK(one_nearest_neighbour(x, y + 5) == Approx(1));
  CHECK(one_nearest_neighbour(x, x + 1e-3) == Approx(0));
}

TEST_CASE("the inception score counts the classes that images are sure of",
          "[generative]") {
  const auto sure = 1000 * at::eye(5, at::kDouble);
  CHECK(inception_score(sure) == Approx(5));
  CHECK(inception_score(sure.narrow(0, 0, 2)) == Approx(2));
  // Nothing is sure, or all are the same.
  CHECK(inception_score(at::zeros({7, 5})) == Approx(1));
  CHECK(inception_score(sure[0].expand({7, 5})) == Approx(1));
  // p = (3/4, 1/4) and the other way round: log 2 less the entropy of each.
  CHECK(inception_score(std::log(3.0) * at::eye(2, at::kDouble)) ==
        Approx(2 * std::pow(0.75, 0.75) * std::pow(0.25, 0.25)));
}

TEST_CASE("the nearest of several", "[generative]") {
  const auto to = at::tensor({0.0, 0.0, 3.0, 4.0}).view({2, 2});
  const auto x = at::tensor({3.0, 0.0, 3.0, 5.0}).view({2, 2});
  CHECK(at::allclose(nearest_distance(x, to), at::tensor({3.0, 1.0})));
}
