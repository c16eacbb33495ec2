// Meta-gradients of learners that act.
#include <cmath>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include "protean/models/params.h"

#include "rl/acting.h"
#include "rl/maml_pg.h"
#include "rl/promp.h"
#include "support/catch.h"

using namespace protean;

namespace {

at::Tensor start(const PolicyGradient& learner) {
  const auto theta = initial_meta(learner, 3).theta;
  return theta + 0.05 * noise(theta.sizes(), 77);
}

double loss_at(const PolicyGradient& learner, const TaskBatch& batch,
               const at::Tensor& theta, std::vector<Trial> trials) {
  return learner.loss(learner.leaves(theta, batch.tasks()), batch, trials)
      .sum()
      .item<double>();
}

at::Tensor gradient_at(const PolicyGradient& learner, const TaskBatch& batch,
                       const at::Tensor& theta, std::vector<Trial> trials) {
  const auto leaves = learner.leaves(theta, batch.tasks());
  const auto value = learner.loss(leaves, batch, trials).sum();
  std::vector<at::Tensor> flat;
  for (const auto& g : torch::autograd::grad({value}, leaves))
    flat.push_back(g.sum(0).flatten());
  return at::cat(flat);
}

// Of a loss at fixed rollouts, along five directions.
void check_directions(const PolicyGradient& learner, const TaskBatch& batch) {
  const auto before = start(learner);
  const int64_t size = gradient_at(learner, batch, before, {}).numel();
  std::vector<Trial> trials;
  learner.loss(learner.leaves(before, batch.tasks()), batch, trials);
  // Where the policies have moved on from those that collected.
  const auto theta = before.narrow(0, 0, size) + 0.03 * noise({size}, 78);
  const auto g = gradient_at(learner, batch, theta, trials);
  for (uint64_t direction = 0; direction < 5; ++direction) {
    auto d = noise({size}, 100 + direction);
    d = d / d.norm();
    const double analytic = g.dot(d).item<double>();
    double best = 1;
    for (double h : {1e-4, 1e-5, 1e-6}) {
      const double numeric = (loss_at(learner, batch, theta + h * d, trials) -
                              loss_at(learner, batch, theta - h * d, trials)) /
                             (2 * h);
      best = std::min(best, std::abs(numeric - analytic) /
                                std::max(std::abs(analytic), 1e-3));
    }
    CHECK(best < 1e-6);
  }
}

}  // namespace

TEST_CASE("the meta-gradient equals central differences at fixed rollouts",
          "[rl]") {
  const std::string source = GENERATE("point", "bandit");
  const int steps = GENERATE(1, 2);
  INFO(source << ", inner steps " << steps);
  const auto world = small_world(source);
  const auto batch = worlds(world, 3);
  check_directions(*acting<MamlPg>(world, steps), batch);
  PolicyOptions o;
  o.divergence = 0.3;
  o.clip = 0.05;  // some ratios are outside
  check_directions(*acting<Promp>(world, steps, o), batch);
}

TEST_CASE(
    "the inner step's surrogate has the derivatives of the expected "
    "return",
    "[rl]") {
  // Three arms that pay r, a policy of logits alone. With every arm weighted by
  // its chance, means over moments are expectations: J = sum of pi_i r_i,
  // dJ/dl_i = pi_i (r_i - J), and one step of ascent gives phi = l + alpha dJ.
  const auto l = at::tensor({0.4, -0.3, 0.1}, at::kDouble).requires_grad_();
  const auto r = at::tensor({1.0, 0.2, -0.5}, at::kDouble);
  const double alpha = 0.7;
  const auto law_of = [](const at::Tensor& logits) {
    return ActionLaw{logits.log_softmax(-1).view({1, 1, 3}).expand({1, 3, 3}),
                     {}};
  };
  const auto trial_of = [&](const at::Tensor& logits) {
    const at::NoGradGuard no_grad;
    Trial t;
    t.rollouts.law = law_of(logits.detach());
    t.rollouts.action = at::arange(3, at::kDouble).view({1, 3, 1});
    t.rollouts.alive = logits.detach().softmax(-1).view({1, 1, 3});
    t.rollouts.reward = r.view({1, 1, 3});
    t.advantage = t.rollouts.reward;
    return t;
  };
  const auto step = torch::autograd::grad(
      {likelihood_ratio_loss(law_of(l), trial_of(l)).sum()}, {l}, {}, true,
      true)[0];
  const auto phi = l - alpha * step;
  const auto outer = likelihood_ratio_loss(law_of(phi), trial_of(phi)).sum();
  const auto meta = torch::autograd::grad({-outer}, {l})[0];

  const at::NoGradGuard no_grad;
  const auto slope = [&](const at::Tensor& logits) {
    const auto pi = logits.softmax(-1);
    return pi * (r - pi.dot(r));
  };
  CHECK(at::allclose(-step, slope(l), 1e-12, 1e-14));
  // d2J/dl_i dl_j = dJ_i (1[i = j] - pi_j) - pi_i dJ_j
  const auto pi = l.softmax(-1), d = slope(l);
  const auto hessian = at::diag(d) - at::outer(d, pi) - at::outer(pi, d);
  const auto expected =
      (at::eye(3, at::kDouble) + alpha * hessian).matmul(slope(l + alpha * d));
  CHECK(at::allclose(meta, expected, 1e-12, 1e-14));
  // log pi in place of the ratio has the same slope, and no such Hessian.
  CHECK(!at::allclose(meta, slope(l + alpha * d), 1e-2));
}

TEST_CASE("ProMP's first outer gradient is the policy gradient", "[rl]") {
  const std::string source = GENERATE("point", "bandit");
  const auto world = small_world(source);
  const auto batch = worlds(world, 3);
  const auto pg = acting<MamlPg>(world, 2);
  const auto promp = acting<Promp>(world, 2);
  const auto meta = initial_meta(*pg, 3);
  const int64_t size = meta.theta.numel();
  const auto twice = meta.theta.repeat({2});
  const auto a = run_gradient(*pg, batch, meta);
  const auto b = run_gradient(*promp, batch, {twice, meta.state});
  CHECK(
      at::allclose(b.sums.theta.narrow(0, 0, size), a.sums.theta, 1e-8, 1e-12));
  CHECK(b.sums.theta.narrow(0, size, size).count_nonzero().item<int64_t>() ==
        0);
  CHECK(at::allclose(a.losses.loss, b.losses.loss));
  CHECK(at::allclose(a.losses.accuracy, b.losses.accuracy));

  SECTION("and later ones are on the same rollouts") {
    std::vector<Trial> trials;
    pg->loss(pg->leaves(meta.theta, 3), batch, trials);
    const auto moved = meta.theta + 0.05 * noise({size}, 5);
    const auto later =
        run_gradient(*promp, batch, {at::cat({moved, meta.theta}), meta.state});
    CHECK(at::allclose(later.sums.theta.narrow(0, 0, size),
                       gradient_at(*promp, batch, moved, trials), 1e-8, 1e-12));
    CHECK(at::equal(later.losses.loss, b.losses.loss));
    // Whether they are remembered or collected once more.
    const auto anew = run_gradient(*acting<Promp>(world, 2), batch,
                                   {at::cat({moved, meta.theta}), meta.state});
    CHECK(at::equal(later.sums.theta, anew.sums.theta));
    // From another theta they are others, and so they are in other worlds.
    // (Few pulls of arms may well pay the same.)
    if (source == "bandit") return;
    const MetaView other{moved.repeat({2}), meta.state};
    const auto there = run_gradient(*promp, batch, other);
    CHECK(!at::equal(there.losses.loss, b.losses.loss));
    TaskBatch elsewhere = batch;
    elsewhere.query.x = batch.query.x.flip({0});
    CHECK(!at::equal(run_gradient(*promp, elsewhere, other).losses.loss,
                     there.losses.loss));
  }
}

TEST_CASE("a stack of acting tasks equals single ones", "[rl]") {
  const std::string source = GENERATE("point", "bandit");
  const bool proximal = GENERATE(false, true);
  const auto world = small_world(source);
  const auto batch = worlds(world, 3);
  LearnerPtr learner;
  if (proximal)
    learner = acting<Promp>(world, 1);
  else
    learner = acting<MamlPg>(world, 1);
  const auto meta = initial_meta(*learner, 3);
  const auto together = run_gradient(*learner, batch, meta);
  auto theta = at::zeros_like(meta.theta);
  for (int64_t t = 0; t < 3; ++t) {
    TaskBatch one = batch;
    one.ids = {batch.ids[static_cast<size_t>(t)]};
    one.support.x = batch.support.x.narrow(0, t, 1);
    one.query.x = batch.query.x.narrow(0, t, 1);
    const auto alone = run_gradient(*learner, one, meta);
    theta += alone.sums.theta;
    CHECK(std::abs(
              (alone.losses.loss[0] - together.losses.loss[t]).item<double>()) <
          1e-10);
  }
  CHECK(at::allclose(theta, together.sums.theta, 1e-8, 1e-10));
}

TEST_CASE("evaluation judges by rollouts of its own", "[rl]") {
  const auto world = small_world("point");
  const auto batch = worlds(world, 2);
  LearnerOptions o;
  o.inner_steps = 1;
  o.inner_lr = 0.1;
  o.eval_steps = 2;
  const MamlPg learner(world, small_policy(*world), o, {});
  const auto meta = initial_meta(learner, 3);
  std::vector<at::Tensor> returns;
  learner.adapt(batch, meta, [&](int k, const Phi& phi) {
    CHECK(k == static_cast<int>(returns.size()));
    returns.push_back(learner.predict(phi, batch.query));
  });
  REQUIRE(returns.size() == 3);
  CHECK(returns[0].sizes() == at::IntArrayRef{2, 5, 1});
  CHECK(!at::equal(returns[0], returns[1]));
  CHECK(!at::equal(returns[1], returns[2]));
  // Steps beyond those of training are shorter, by the share that is asked for.
  PolicyOptions p;
  for (const double share : {0.5, 1.0, 1e-9}) {
    p.later_rate = share;
    const MamlPg other(world, small_policy(*world), o, p);
    other.adapt(batch, meta, [&](int k, const Phi& phi) {
      const auto now = other.predict(phi, batch.query);
      if (k < 2) CHECK(at::equal(now, returns[static_cast<size_t>(k)]));
      if (k == 2 && share == 0.5) CHECK(at::equal(now, returns[2]));
      if (k == 2 && share == 1) CHECK(!at::equal(now, returns[2]));
      if (k == 2 && share < 0.1) CHECK(at::allclose(now, returns[1]));
    });
  }
  // Not those that a training step adapts by.
  const auto before = run_gradient(learner, batch, meta).losses.accuracy;
  CHECK(!at::allclose(before, returns[0].mean({1, 2})));
}

TEST_CASE("ProMP's outer step keeps what its rollouts come from", "[rl]") {
  struct Counted : Objective {
    at::Tensor& theta;
    at::Tensor old;
    int calls = 0;
    explicit Counted(at::Tensor& t) : theta(t) {}
    at::Tensor gradient(int which) override {
      CHECK(which == 0);
      const auto half = theta.view({2, -1})[1];
      if (calls++ == 0) old = half.clone();
      CHECK(at::equal(half, old));
      return at::ones_like(theta);
    }
  };
  PolicyOptions o;
  o.epochs = 3;
  const auto promp = acting<Promp>(small_world("point"), 1, o);
  OptimOptions optim;
  optim.weight_decay = 0.1;
  const auto step = promp->outer(optim);
  auto theta = noise({promp->spaces().theta.size()}, 4, at::kFloat);
  const auto first = theta.view({2, -1})[0].clone();
  Counted objective(theta);
  step->run(objective, theta, {});
  CHECK(objective.calls == 3);
  CHECK(step->state().updates == 3);
  CHECK(at::equal(objective.old, first));
  // Three steps of Adam against a constant gradient.
  CHECK(at::allclose(theta.view({2, -1})[0], first - 3e-3, 0, 1e-4));
  CHECK(at::equal(theta.view({2, -1})[1], first));
}

TEST_CASE("ProMP's outer loss is the paper's, moment by moment", "[rl]") {
  const auto world = small_world("point");
  const auto batch = worlds(world, 2);
  PolicyOptions o;
  o.clip = 0.05;
  o.divergence = 0.3;
  const double rate = 0.1;
  const auto learner = acting<Promp>(world, 1, o, rate);
  const auto policy = small_policy(*world);
  const auto before = start(*learner);
  std::vector<Trial> trials;
  learner->loss(learner->leaves(before, 2), batch, trials);
  const auto theta = before + 0.03 * noise(before.sizes(), 78);
  const auto value = learner->loss(learner->leaves(theta, 2), batch, trials);

  const auto phi = learner->leaves(theta, 2);
  const auto& first = trials[0].rollouts;
  const auto law = policy.at(phi, first.observation);
  const auto g = torch::autograd::grad(
      {likelihood_ratio_loss(law, trials[0]).sum()}, phi, {}, true);
  Params adapted;
  for (size_t i = 0; i < phi.size(); ++i)
    adapted.push_back((phi[i] - rate * g[i]).detach());
  const auto& last = trials[1].rollouts;
  const auto now =
      policy.at(adapted, last.observation).log_likelihood(last.action);
  const auto then = last.law.log_likelihood(last.action);
  int clipped = 0, kept = 0;
  for (int64_t t = 0; t < 2; ++t) {
    double gain = 0, gains = 0, apart = 0, parts = 0;
    const auto of = [&](const at::Tensor& x, int64_t i) {
      return x[t].flatten()[i].item<double>();
    };
    for (int64_t i = 0; i < now.size(1); ++i) {
      const double a = of(trials[1].advantage, i);
      const double r = std::exp(of(now, i) - of(then, i));
      const double inside = std::min(std::max(r, 0.95), 1.05);
      ++(r == inside ? kept : clipped);
      gain += of(last.alive, i) * std::min(r * a, inside * a);
      gains += of(last.alive, i);
    }
    for (int64_t i = 0; i < first.observation.size(1); ++i) {
      double kl = 0;
      for (int64_t d = 0; d < 2; ++d) {
        const double p = std::exp(of(first.law.log_deviation, d));
        const double q = std::exp(of(law.log_deviation, d));
        const double far =
            of(first.law.value, 2 * i + d) - of(law.value, 2 * i + d);
        kl += std::log(q / p) + (p * p + far * far) / (2 * q * q) - 0.5;
      }
      apart += of(first.alive, i) * kl;
      parts += of(first.alive, i);
    }
    CHECK(std::abs(value[t].item<double>() -
                   (-gain / gains + 0.3 * apart / parts)) < 1e-10);
  }
  CHECK(clipped > 5);
  CHECK(kept > 5);
}
