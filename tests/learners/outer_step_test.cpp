#include "protean/learners/outer_step.h"

#include <cmath>

#include <ATen/ATen.h>

#include "protean/core/error.h"

#include "support/catch.h"

using namespace protean;

namespace {

struct Fixed : Objective {
  at::Tensor g;
  at::Tensor gradient(int) override { return g; }
};

std::vector<float> walk(const OptimOptions& o, std::vector<float> start,
                        const std::vector<std::vector<float>>& gradients,
                        int64_t steps = 0) {
  const auto n = static_cast<int64_t>(start.size());
  auto theta = at::tensor(start);
  auto step = make_optimiser_step(o, n);
  int64_t k = 0;
  for (const auto& g : gradients) {
    Fixed objective;
    objective.g = at::tensor(g);
    step->run(objective, theta, {k++, steps});
  }
  return {theta.data_ptr<float>(), theta.data_ptr<float>() + n};
}

}  // namespace

TEST_CASE("the outer Adam equals its formula", "[learners]") {
  OptimOptions o;
  o.lr = 0.01;
  const auto got = walk(o, {1, -2}, {{0.5f, 3}, {-1, 0.25f}, {2, 1}});
  const double g[3][2] = {{0.5, 3}, {-1, 0.25}, {2, 1}};
  for (int i = 0; i < 2; ++i) {
    double m = 0, v = 0, p = i ? -2 : 1;
    for (int t = 1; t <= 3; ++t) {
      m = 0.9 * m + 0.1 * g[t - 1][i];
      v = 0.999 * v + 0.001 * g[t - 1][i] * g[t - 1][i];
      p -= 0.01 * (m / (1 - std::pow(0.9, t))) /
           (std::sqrt(v / (1 - std::pow(0.999, t))) + 1e-8);
    }
    CHECK(got[i] == Approx(p).epsilon(1e-5));
  }
}

TEST_CASE("schedules, clipping and decay", "[learners]") {
  OptimOptions o;
  o.name = "sgd";
  o.lr = 1;
  o.schedule = "linear";
  // Rates 1, 3/4, 1/2, 1/4 of 4 steps.
  CHECK(walk(o, {0}, {{1}, {1}, {1}, {1}}, 4)[0] == Approx(-2.5));
  o.schedule = "step";
  o.decay = 0.1;
  o.decay_steps = 2;
  CHECK(walk(o, {0}, {{1}, {1}, {1}}, 3)[0] == Approx(-2.1));
  o.schedule = "cosine";
  o.lr_end = 0.5;
  CHECK(walk(o, {0}, {{0}, {0}, {1}}, 4)[0] == Approx(-0.75));
  o.schedule = "constant";
  o.clip_norm = 1;
  CHECK(walk(o, {0, 0}, {{3, 4}})[1] == Approx(-0.8));
  o.clip_norm = 0;
  o.clip_value = 2;
  CHECK(walk(o, {0, 0}, {{1, -5}})[1] == Approx(2));
  o.clip_value = 0;
  o.weight_decay = 0.1;
  CHECK(walk(o, {10}, {{0}})[0] == Approx(9));
  o.name = "momentum";
  o.weight_decay = 0;
  o.momentum = 0.5;
  CHECK(walk(o, {0}, {{1}, {1}})[0] == Approx(-2.5));
}

TEST_CASE("impossible optimiser settings name their key", "[learners]") {
  OptimOptions o;
  o.lr = 0;
  CHECK_THROWS_WITH(make_optimiser_step(o, 1), contains("optim.lr"));
  o.lr = 1;
  o.name = "lion";
  CHECK_THROWS_WITH(make_optimiser_step(o, 1),
                    contains("optim.name = lion") && contains("adam"));
  o.name = "adam";
  o.schedule = "sometimes";
  CHECK_THROWS_WITH(make_optimiser_step(o, 1), contains("optim.schedule"));
}
