// Baselines: a plain classifier read out in several ways, and no training.
#include <cmath>

#include <ATen/ATen.h>

#include "protean/core/error.h"
#include "protean/learners/make_learner.h"

#include "learners/central_differences.h"
#include "learners/metric_checks.h"
#include "support/catch.h"
#include "support/toy_tasks.h"

using namespace protean;

namespace {

ModelOptions conv() {
  ModelOptions m;
  m.filters = 4;
  return m;
}

ModelOptions perceptron() {
  ModelOptions m;
  m.name = "mlp";
  m.hidden = "12,9";
  m.init = "torch";
  return m;
}

LearnerOptions options(const std::string& readout) {
  LearnerOptions o;
  o.name = "baseline";
  o.readout = readout;
  o.inner_steps = 4;
  o.inner_lr = 0.1;
  return o;
}

// A flat batch of 7 classes.
TaskBatch flat(int64_t tasks, int64_t n, uint64_t seed) {
  auto batch = image_tasks(tasks, 7, 1, (n + 6) / 7, 16, seed);
  batch.shape.support = 0;
  batch.support.x = batch.support.x.narrow(1, 0, 0);
  batch.support.y = batch.support.y.narrow(1, 0, 0);
  return batch;
}

// Predictions after the last step for queries of a batch.
at::Tensor answers(const Learner& learner, const MetaView& meta,
                   const TaskBatch& batch, int* visits = nullptr) {
  at::Tensor out;
  learner.adapt(batch, meta, [&](int, const Phi& phi) {
    out = learner.predict(phi, batch.query);
    if (visits) ++*visits;
  });
  return out;
}

}  // namespace

TEST_CASE("the baseline's gradient is a classifier's", "[learners]") {
  const auto batch = flat(2, 14, 5);
  const auto learner = make_learner(options("head"), conv(), batch.shape);
  check_metric(*learner, batch);
}

TEST_CASE("every readout answers tasks of any number of ways", "[learners]") {
  const std::string readout = GENERATE("head", "all", "neighbour", "pixels");
  INFO(readout);
  const auto learner =
      make_learner(options(readout), conv(), flat(1, 7, 5).shape);
  const auto meta = initial_meta(*learner, 3);
  // Queries that are the support examples themselves.
  auto batch = image_tasks(3, 4, 2, 2, 16, 6);
  batch.query = batch.support;
  int visits = 0;
  const auto out = answers(*learner, meta, batch, &visits);
  REQUIRE(out.sizes().vec() == std::vector<int64_t>{3, 8, 4});
  const bool steps = readout == "head" || readout == "all";
  CHECK(visits == (steps ? 5 : 1));
  CHECK(learner->eval_steps() == visits - 1);
  CHECK(learner->transductive() == (readout == "all"));
  if (!steps) CHECK(out.argmax(-1).eq(batch.support.y).all().item<bool>());
  // A stack answers as each of its tasks alone.
  for (int64_t t = 0; t < 3; ++t)
    CHECK(at::allclose(answers(*learner, meta, some_tasks(batch, t, 1)),
                       out.narrow(0, t, 1), 1e-9, 1e-10));
}

TEST_CASE("a new head starts level and learns from frozen features",
          "[learners]") {
  const auto learner =
      make_learner(options("head"), conv(), flat(1, 7, 5).shape);
  const auto meta = initial_meta(*learner, 3);
  const auto batch = image_tasks(1, 3, 2, 2, 16, 7);
  std::vector<double> losses;
  learner->adapt(batch, meta, [&](int k, const Phi& phi) {
    const auto logits = learner->predict(phi, batch.support);
    if (k == 0) CHECK(logits.abs().max().item<double>() == 0);
    CHECK(phi.params[0].size(0) == 1);  // the body is nobody's own
    losses.push_back(-logits.log_softmax(-1)
                          .gather(-1, batch.support.y.unsqueeze(-1))
                          .mean()
                          .item<double>());
  });
  CHECK(losses[0] == Approx(std::log(3.0)));
  for (size_t k = 1; k < losses.size(); ++k) CHECK(losses[k] < losses[k - 1]);
}

TEST_CASE("values: one network for all tasks, then its own steps",
          "[learners]") {
  const auto batch = value_tasks(3, 6, 5, 13);
  const auto learner = make_learner(options("all"), perceptron(), batch.shape);
  check_directions(*learner, batch);
  // Before any step every task is answered by the same network.
  const auto meta = initial_meta(*learner, 3);
  auto same = batch;
  same.query.x = batch.query.x.narrow(0, 0, 1).expand({3, 5, 1});
  learner->adapt(same, meta, [&](int k, const Phi& phi) {
    const auto y = learner->predict(phi, same.query);
    const bool alike = at::allclose(y[0], y[1], 1e-12, 1e-12);
    CHECK(alike == (k == 0));
  });
  // The nearest input's value.
  const auto pixels =
      make_learner(options("pixels"), perceptron(), batch.shape);
  const auto y = answers(*pixels, meta, batch);
  const auto nearest =
      (batch.query.x - batch.support.x.transpose(1, 2)).abs().argmin(-1, true);
  CHECK(at::equal(y, batch.support.y.gather(1, nearest)));
}

TEST_CASE("training from scratch leaves theta alone", "[learners]") {
  const auto batch = value_tasks(3, 6, 5, 14);
  LearnerOptions o;
  o.name = "scratch";
  o.inner_steps = 5;
  o.inner_lr = 0.05;
  const auto learner = make_learner(o, perceptron(), batch.shape);
  const auto meta = initial_meta(*learner, 3);
  const auto run = run_gradient(*learner, batch, meta);
  CHECK(run.sums.theta.abs().max().item<double>() == 0);
  const auto y = answers(*learner, meta, batch);
  CHECK(at::allclose((y - batch.query.y).square().mean({1, 2}), run.losses.loss,
                     1e-12, 1e-12));
}

TEST_CASE("flat batches and tasks are not mixed up", "[learners]") {
  const auto tasks = image_tasks(1, 3, 1, 1, 16, 1).shape;
  CHECK_THROWS_WITH(make_learner(options("head"), conv(), tasks),
                    contains("task.flat_batch = 0; expected the size"));
  LearnerOptions o;
  CHECK_THROWS_WITH(make_learner(o, conv(), flat(1, 7, 1).shape),
                    contains("task.flat_batch = 7; expected 0"));
  CHECK_THROWS_WITH(make_learner(options("tail"), conv(), flat(1, 7, 1).shape),
                    contains("learner.readout = \"tail\""));
  o.readout = "all";
  CHECK_THROWS_WITH(make_learner(o, conv(), tasks),
                    contains("learner.readout = \"all\""));
}
