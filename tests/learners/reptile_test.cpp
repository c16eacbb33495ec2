#include <algorithm>

#include "protean/learners/make_learner.h"

#include "learners/inner_loop.h"
#include "support/catch.h"
#include "support/toy_tasks.h"

using namespace protean;

TEST_CASE("mini-batches cycle a reshuffled support set", "[learners]") {
  const auto batch = value_tasks(2, 7, 1, 1);
  // 7 examples, 3 per step: each pass of 7 positions is a permutation.
  std::vector<double> seen;
  for (int step = 0; step < 7; ++step) {
    const auto part = minibatch(batch.support, batch.ids, 5, step, 3);
    REQUIRE(part.x.sizes().vec() == std::vector<int64_t>{2, 3, 1});
    for (int64_t i = 0; i < 3; ++i) {
      seen.push_back(part.x[1][i][0].item<double>());
      // x and y stay together.
      const auto place =
          (batch.support.x[1].flatten() == seen.back()).nonzero();
      REQUIRE(place.numel() == 1);
      CHECK(part.y[1][i][0].item<double>() ==
            batch.support.y[1][place.item<int64_t>()][0].item<double>());
    }
  }
  std::vector<double> all;
  for (int64_t i = 0; i < 7; ++i)
    all.push_back(batch.support.x[1][i][0].item<double>());
  std::sort(all.begin(), all.end());
  std::vector<std::vector<double>> passes;
  for (int pass = 0; pass < 3; ++pass) {
    passes.emplace_back(seen.begin() + pass * 7, seen.begin() + pass * 7 + 7);
    auto sorted = passes.back();
    std::sort(sorted.begin(), sorted.end());
    CHECK(sorted == all);
  }
  CHECK(passes[0] != passes[1]);
  CHECK(minibatch(batch.support, batch.ids, 5, 3, 0).x.size(1) == 7);
}

TEST_CASE("Reptile: one task and a step of 1 makes theta become phi",
          "[learners]") {
  const auto batch = value_tasks(1, 6, 2, 3);
  ModelOptions model;
  model.name = "mlp";
  model.hidden = "8";
  LearnerOptions o;
  o.name = "reptile";
  o.inner_steps = 4;
  o.inner_lr = 0.05;
  const auto learner = make_learner(o, model, batch.shape);
  const auto meta = initial_meta(*learner, 4);
  const auto g = run_gradient(*learner, batch, meta).sums.theta;

  // phi by the evaluation path, which shares the steps but not the sum.
  at::Tensor phi;
  learner->adapt(batch, meta, [&](int k, const Phi& p) {
    if (k < 4) return;
    std::vector<at::Tensor> flat;
    for (const auto& t : p.params) flat.push_back(t.detach().flatten());
    phi = at::cat(flat);
  });
  CHECK(at::allclose(meta.theta - g, phi, 1e-12, 1e-12));
  // The distance to phi shrinks for any step in (0, 2).
  for (double eps : {0.1, 1.0, 1.9})
    CHECK((meta.theta - eps * g - phi).norm().item<double>() <
          (meta.theta - phi).norm().item<double>());
}

TEST_CASE("Reptile on a line follows the closed form", "[learners]") {
  // One hidden unit with weight 1 and a large bias never switches off:
  // prediction = v (x + 100) + c. Its SGD steps are those of a linear model.
  const auto batch = value_tasks(1, 5, 1, 8);
  ModelOptions model;
  model.name = "mlp";
  model.hidden = "1";
  LearnerOptions o;
  o.name = "reptile";
  o.inner_steps = 3;
  o.inner_lr = 1e-5;
  const auto learner = make_learner(o, model, batch.shape);
  MetaView meta{at::tensor({1.0, 100.0, 0.02, -1.0}, at::kDouble),
                at::zeros({0}, at::kDouble)};
  const auto g = run_gradient(*learner, batch, meta).sums.theta;

  const auto x = batch.support.x[0].flatten(), y = batch.support.y[0].flatten();
  double a = 1, s = 100, v = 0.02, c = -1;
  for (int k = 0; k < 3; ++k) {
    const auto h = a * x + s;
    const auto e = 2 * (v * h + c - y);
    const double da = (e * v * x).mean().item<double>();
    const double ds = (e * v).mean().item<double>();
    const double dv = (e * h).mean().item<double>();
    const double dc = e.mean().item<double>();
    a -= 1e-5 * da, s -= 1e-5 * ds, v -= 1e-5 * dv, c -= 1e-5 * dc;
  }
  const auto want = meta.theta - at::tensor({a, s, v, c}, at::kDouble);
  CHECK(at::allclose(g, want, 1e-8, 1e-13));
}

TEST_CASE("Reptile's second moments outlive the task", "[learners]") {
  const auto batch = value_tasks(2, 6, 2, 9);
  ModelOptions model;
  model.name = "mlp";
  model.hidden = "5";
  LearnerOptions o;
  o.name = "reptile";
  o.inner_optimizer = "adam";
  o.inner_steps = 3;
  o.inner_lr = 1e-3;
  const auto learner = make_learner(o, model, batch.shape);
  auto meta = initial_meta(*learner, 4);
  CHECK(meta.state.abs().max().item<double>() == 0);
  const auto first = run_gradient(*learner, batch, meta);
  const auto state = first.sums.state / 2;
  CHECK(state[-1].item<double>() == 3);  // updates
  CHECK((state >= 0).all().item<bool>());
  // The next step starts from them, and so moves differently.
  const auto again = run_gradient(*learner, batch, meta);
  CHECK(at::equal(first.sums.theta, again.sums.theta));
  meta.state = state;
  const auto later = run_gradient(*learner, batch, meta);
  CHECK(later.sums.state[-1].item<double>() / 2 == 6);
  CHECK_FALSE(at::allclose(first.sums.theta, later.sums.theta));
}
