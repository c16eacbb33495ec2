#include "rl/advantages.h"

#include <cmath>

#include <ATen/ATen.h>

#include "support/catch.h"
#include "support/toy_tasks.h"

using namespace protean;

namespace {

// Of one task: rows are moments, columns rollouts.
at::Tensor table(std::vector<double> v, int64_t rollouts) {
  return at::tensor(v, at::kDouble).view({1, -1, rollouts});
}

bool close(const at::Tensor& a, const at::Tensor& b, double by = 1e-12) {
  return at::allclose(a, b, 0, by);
}

Rollouts noise_rollouts(int64_t tasks, int64_t horizon, int64_t rollouts,
                        uint64_t seed) {
  Rollouts r;
  r.observation = noise({tasks, horizon * rollouts, 2}, seed);
  r.reward = noise({tasks, horizon, rollouts}, seed + 1);
  r.alive = at::ones_like(r.reward);
  return r;
}

}  // namespace

TEST_CASE("returns are discounted sums", "[rl]") {
  const auto reward = table({1, 10, 2, 20, 4, 40}, 2);
  CHECK(close(discounted_returns(reward, 0.5),
              table({1 + 1 + 1, 10 + 10 + 10, 2 + 2, 20 + 20, 4, 40}, 2)));
  CHECK(close(discounted_returns(reward, 0), reward));
}

TEST_CASE("the advantage estimate is its closed form", "[rl]") {
  const auto reward = table({1, -2, 3, 0.5}, 1);
  const auto value = table({0.3, 0.7, -0.2, 0.4}, 1);
  const double gamma = 0.9;
  SECTION("lambda 1: return minus value") {
    CHECK(close(generalised_advantage(reward, value, gamma, 1),
                discounted_returns(reward, gamma) - value));
  }
  SECTION("lambda 0: one step") {
    const auto next = table({0.7, -0.2, 0.4, 0}, 1);
    CHECK(close(generalised_advantage(reward, value, gamma, 0),
                reward + gamma * next - value));
  }
  SECTION("between: the sum of the paper") {
    const double lambda = 0.6;
    const double delta[] = {1 + 0.9 * 0.7 - 0.3, -2 + 0.9 * -0.2 - 0.7,
                            3 + 0.9 * 0.4 + 0.2, 0.5 - 0.4};
    const auto a = generalised_advantage(reward, value, gamma, lambda);
    for (int t = 0; t < 4; ++t) {
      double sum = 0;
      for (int l = 0; t + l < 4; ++l)
        sum += std::pow(gamma * lambda, l) * delta[t + l];
      CHECK(std::abs(a[0][t][0].item<double>() - sum) < 1e-12);
    }
  }
}

TEST_CASE("the baseline finds returns that its features can tell", "[rl]") {
  auto r = noise_rollouts(3, 8, 5, 11);
  const auto o = r.observation.view({3, 8, 5, 2});
  const auto t = (at::arange(8, at::kDouble) / 100).view({1, 8, 1});
  // Other weights for every task.
  const auto w = noise({3, 8, 1, 1}, 12);
  const auto of = [&](int64_t i) { return w.select(1, i); };
  const auto returns = of(0) * o.select(-1, 0) + of(1) * o.select(-1, 1) +
                       of(2) * o.select(-1, 0).square() +
                       of(3) * o.select(-1, 1).square() + of(4) * t + of(7);
  CHECK(close(linear_baseline(r, returns), returns, 1e-3));
  SECTION("from the moments that count alone") {
    auto spoilt = returns.clone();
    r.alive.narrow(1, 6, 2).narrow(2, 0, 2).zero_();
    spoilt.narrow(1, 6, 2).narrow(2, 0, 2).fill_(1e3);
    CHECK(close(linear_baseline(r, spoilt), returns * r.alive, 1e-3));
  }
  SECTION("which is a least-squares fit where they cannot") {
    const auto y = noise({3, 8, 5}, 13);
    const auto rest = y - linear_baseline(r, y);
    CHECK(close(rest.sum({1, 2}), at::zeros({3}, at::kDouble), 1e-4));
    CHECK(close((rest * o.select(-1, 1)).sum({1, 2}),
                at::zeros({3}, at::kDouble), 1e-4));
  }
}

TEST_CASE("advantages have mean 0 and deviation 1 over living moments",
          "[rl]") {
  auto r = noise_rollouts(2, 10, 6, 21);
  r.alive[0].narrow(0, 4, 6).narrow(1, 2, 3).zero_();
  r.reward = r.reward * r.alive;
  const auto a = advantages(r, 0.95, 0.9);
  for (int64_t task = 0; task < 2; ++task) {
    const auto living = a[task].masked_select(r.alive[task] > 0);
    CHECK(std::abs(living.mean().item<double>()) < 1e-10);
    CHECK(std::abs(living.square().mean().item<double>() - 1) < 1e-6);
    CHECK(a[task]
              .masked_select(r.alive[task] == 0)
              .count_nonzero()
              .item<int64_t>() == 0);
  }
  // A task alone has the same.
  Rollouts one{r.observation.narrow(0, 1, 1),
               {},
               {},
               r.reward.narrow(0, 1, 1),
               r.alive.narrow(0, 1, 1)};
  CHECK(close(advantages(one, 0.95, 0.9)[0], a[1]));
}
