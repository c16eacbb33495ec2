#include "rl/policy.h"

#include <cmath>
#include <numbers>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include "protean/models/make_network.h"

#include "support/catch.h"
#include "support/toy_tasks.h"

using namespace protean;

namespace {

ActionLaw normal_law(int64_t n, uint64_t seed) {
  return {noise({1, n, 2}, seed), 0.3 * noise({1, 1, 2}, seed + 1)};
}

ActionLaw choice_law(int64_t n, uint64_t seed) {
  return {noise({1, n, 4}, seed).log_softmax(-1), {}};
}

double share(const at::Tensor& condition) {
  return condition.to(at::kDouble).mean().item<double>();
}

}  // namespace

TEST_CASE("the likelihood of a continuous action is the normal density",
          "[rl]") {
  const ActionLaw law{
      at::tensor({1.0, -2.0}).to(at::kDouble).view({1, 1, 2}),
      at::tensor({0.0, std::log(2.0)}, at::kDouble).view({1, 1, 2})};
  const auto action = at::tensor({1.5, 0.0}, at::kDouble).view({1, 1, 2});
  const double expected =
      -0.5 * 0.25 - 0.5 * 1 - std::log(2.0) - std::log(2 * std::numbers::pi);
  CHECK(std::abs(law.log_likelihood(action).item<double>() - expected) < 1e-12);
  CHECK(at::allclose(
      law.sample(at::tensor({0.5, 1.0}, at::kDouble).view({1, 1, 2})), action));
}

TEST_CASE("the score is the derivative of the log-likelihood", "[rl]") {
  // d/d mean = (a - mean) / s^2, d/d log s = (a - mean)^2 / s^2 - 1.
  auto law = normal_law(5, 1);
  law.value.requires_grad_();
  law.log_deviation.requires_grad_();
  const auto a = noise({1, 5, 2}, 9);
  const auto g = torch::autograd::grad({law.log_likelihood(a).sum()},
                                       {law.value, law.log_deviation});
  const auto z = (a - law.value) / law.log_deviation.exp();
  CHECK(at::allclose(g[0], z / law.log_deviation.exp(), 1e-10, 1e-12));
  CHECK(at::allclose(g[1], (z.square() - 1).sum(1, true), 1e-10, 1e-12));

  // d log p(a) / d logits = onehot - p.
  auto logits = noise({1, 3, 4}, 2).requires_grad_();
  const ActionLaw choice{logits.log_softmax(-1), {}};
  const auto which = at::tensor({2.0, 0.0, 3.0}, at::kDouble).view({1, 3, 1});
  const auto s =
      torch::autograd::grad({choice.log_likelihood(which).sum()}, {logits})[0];
  const auto onehot =
      at::zeros_like(logits).scatter(2, which.to(at::kLong), 1.0);
  CHECK(at::allclose(s, onehot - logits.softmax(-1), 1e-10, 1e-12));
}

TEST_CASE("samples follow the law", "[rl]") {
  const int64_t n = 20000;
  const auto choice = ActionLaw{choice_law(1, 5).value.expand({1, n, 4}), {}};
  const auto picked = choice.sample(noise({1, n, 1}, 6));
  for (int i = 0; i < 4; ++i) {
    const double p = std::exp(choice.value[0][0][i].item<double>());
    // Four deviations of a share of 20000.
    CHECK(std::abs(share(picked == i) - p) < 4 * std::sqrt(p * (1 - p) / n));
  }
  // Numbers at either end still pick a choice.
  const auto ends = at::tensor({-40.0, 40.0}, at::kDouble).view({1, 2, 1});
  const auto extreme = choice_law(2, 7).sample(ends);
  CHECK(extreme[0][0].item<double>() == 0);
  CHECK(extreme[0][1].item<double>() == 3);
}

TEST_CASE("divergence is the expected log ratio", "[rl]") {
  const auto p = normal_law(3, 11), q = normal_law(3, 15);
  CHECK(divergence(p, p).abs().max().item<double>() < 1e-12);
  // Mean over antithetic samples: even powers alone are left to chance.
  const auto z = noise({20000, 1, 2}, 19);
  const auto ratio = [&](const at::Tensor& noise) {
    const auto a = p.sample(noise);
    return p.log_likelihood(a) - q.log_likelihood(a);
  };
  const auto estimate = ((ratio(z) + ratio(-z)) / 2).mean(0, true);
  CHECK(at::allclose(divergence(p, q), estimate, 0.03, 0.03));

  const auto a = choice_law(3, 21), b = choice_law(3, 22);
  auto expected = at::zeros({1, 3}, at::kDouble);
  for (int i = 0; i < 4; ++i) {
    const auto action = at::full({1, 3, 1}, i, at::kDouble);
    expected += a.log_likelihood(action).exp() *
                (a.log_likelihood(action) - b.log_likelihood(action));
  }
  CHECK(at::allclose(divergence(a, b), expected));
}

TEST_CASE("a policy starts with the deviation that is asked for", "[rl]") {
  ModelOptions m;
  m.name = "mlp";
  m.hidden = "6";
  const Policy policy(make_network(m, {2}, 3), {3, false}, 0.5);
  auto theta = at::zeros({policy.params().size()});
  policy.initialise(theta.data_ptr<float>(), 3);
  CHECK(at::allclose(theta.narrow(0, theta.numel() - 3, 3),
                     at::full({3}, std::log(0.5f))));
  const Policy choosing(make_network(m, {2}, 3), {3, true}, 1);
  CHECK(choosing.params().size() == policy.params().size() - 3);
}
