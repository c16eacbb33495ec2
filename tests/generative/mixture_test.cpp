#include "protean/generative/analysis/mixture.h"

#include "protean/core/error.h"
#include "protean/generative/analysis/clustering.h"

#include "support/catch.h"
#include "support/toy_tasks.h"

using namespace protean;

namespace {

// 300 points close about 0, and 300 far and wide.
struct Uneven {
  at::Tensor scale = at::tensor({0.3, 2.0}), centre = at::tensor({0.0, 3.0});
  at::Tensor labels = at::arange(2).repeat_interleave(300);
  at::Tensor x =
      noise({600, 3}, 1) * scale.index_select(0, labels).unsqueeze(1) +
      centre.index_select(0, labels).unsqueeze(1);
};

}  // namespace

TEST_CASE("a mixture tells groups of unequal width apart", "[generative]") {
  const Uneven u;
  const auto start = k_means(u.x, 2, 50, 0);
  const auto m = fit_mixture(u.x, start, 200);
  const double before = agreement(start, u.labels).rand_index;
  const double after = agreement(m.groups, u.labels).rand_index;
  CAPTURE(before, after);
  CHECK(after > 0.9);
  CHECK(after > before + 0.1);
  const int64_t narrow = m.groups[0].item<int64_t>();
  CHECK(m.variances[narrow].sqrt().mean().item<double>() ==
        Approx(0.3).epsilon(0.1));
  CHECK(m.variances[1 - narrow].sqrt().mean().item<double>() ==
        Approx(2).epsilon(0.1));
  CHECK(m.means[1 - narrow].mean().item<double>() == Approx(3).epsilon(0.1));
  CHECK(m.weights[narrow].item<double>() == Approx(0.5).epsilon(0.1));
}

TEST_CASE("the likelihood of a mixture never falls", "[generative]") {
  const auto x = noise({500, 4}, 2);
  const auto m = fit_mixture(x, k_means(x, 8, 3, 1), 100);
  REQUIRE(m.likelihoods.size() > 5);
  for (size_t i = 1; i < m.likelihoods.size(); ++i)
    CHECK(m.likelihoods[i] >= m.likelihoods[i - 1] - 1e-9);
  CHECK(m.weights.sum().item<double>() == Approx(1));
}

TEST_CASE("the density of one component is that of its points",
          "[generative]") {
  // Of a normal distribution fitted to x: -(1 + log(2 pi v)) / 2 a dimension.
  const auto x = noise({400, 3}, 3) * at::tensor({1.0, 5.0, 0.1}) + 1000;
  const auto m = fit_mixture(x, at::zeros({400}, at::kLong), 10);
  const auto v = x.var(0, /*unbiased=*/false);
  CHECK(m.likelihoods.back() ==
        Approx(-0.5 * (1 + (2 * M_PI * v).log()).sum().item<double>()));
  CHECK(at::allclose(m.means[0], x.mean(0)));
}

TEST_CASE("a mixture of groups that are empty or of one point is finite",
          "[generative]") {
  const auto x = noise({20, 2}, 4);
  auto start = at::zeros({20}, at::kLong);
  start[3] = 4;  // 1, 2 and 3 are empty
  const auto m = fit_mixture(x, start, 50);
  CHECK(m.groups.sizes() == at::IntArrayRef({20}));
  CHECK(at::isfinite(m.variances).all().item<bool>());
  CHECK((m.variances >= 0.0099 * x.var(0, false)).all().item<bool>());
  CHECK(m.weights.narrow(0, 1, 3).eq(0).all().item<bool>());
  CHECK(std::isfinite(m.likelihoods.back()));
  CHECK_THROWS_AS(fit_mixture(x, at::zeros({19}, at::kLong), 5), Error);
}
