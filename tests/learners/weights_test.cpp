// Support examples that weigh less than others.
#include <cmath>

#include "protean/core/error.h"
#include "protean/learners/make_learner.h"

#include "learners/central_differences.h"
#include "learners/inner_steps.h"
#include "learners/protonet.h"
#include "support/catch.h"
#include "support/toy_tasks.h"

using namespace protean;

namespace {

LearnerPtr learner_of(const std::string& name, const TaskBatch& batch,
                      const std::string& norm = "batch") {
  LearnerOptions o;
  o.name = name;
  set_inner_steps(o, 2, 0.1);
  if (name == "imaml") o.proximal = 2;
  if (name == "metalstm" || name == "siamese") o.width = 5;
  if (norm == "task") o.query_norm = "support";
  ModelOptions model;
  model.filters = 4;
  model.pool = "max";
  model.norm = norm;
  if (name == "relation") model.pool_blocks = 2;
  if (name == "cavia") model.context = 3;
  return make_learner(o, model, batch.shape);
}

// The first shot of every class twice as light, and there twice.
TaskBatch halved(const TaskBatch& batch, int64_t ways, int64_t shots) {
  TaskBatch out = batch;
  std::vector<int64_t> order;
  std::vector<double> weights;
  for (int64_t i = 0; i < ways * shots; ++i)
    for (int64_t k = 0; k < (i % shots == 0 ? 2 : 1); ++k) {
      order.push_back(i);
      weights.push_back(i % shots == 0 ? 0.5 : 1);
    }
  const auto index = at::tensor(order);
  out.support.x = batch.support.x.index_select(1, index);
  out.support.y = batch.support.y.index_select(1, index);
  out.support.weight =
      at::tensor(weights, at::kDouble).repeat({batch.tasks(), 1});
  out.shape.support = static_cast<uint32_t>(order.size());
  return out;
}

// Some support examples count less.
TaskBatch weighted_tasks(int64_t ways, int64_t shots) {
  auto batch = image_tasks(2, ways, shots, 2, 16, 5);
  batch.support.weight = at::ones({2, ways * shots}, at::kDouble);
  batch.support.weight.select(1, shots - 1).fill_(0.3);
  batch.support.weight.select(1, shots).fill_(0.75);
  return batch;
}

}  // namespace

TEST_CASE("prototypes are weighted means", "[learners]") {
  const auto x = noise({1, 5, 4}, 1);
  Part support;
  support.y = at::tensor({0, 1, 0, 2, 2}, at::kLong).unsqueeze(0);
  support.weight =
      at::tensor({1.0, 1.0, 0.5, 0.1, 0.3}, at::kDouble).unsqueeze(0);
  const auto c = prototypes(x, support, 4)[0];
  CHECK(at::allclose(c[0], (x[0][0] + 0.5 * x[0][2]) / 1.5));
  CHECK(at::allclose(c[1], x[0][1]));
  // Light as all of a class may be, it is their mean.
  CHECK(at::allclose(c[2], (x[0][3] + 3 * x[0][4]) / 4));
  CHECK(c[3].abs().max().item<double>() == 0);
}

TEST_CASE("an example of weight 1 is two of weight 1/2", "[learners]") {
  const std::string name =
      GENERATE("maml", "fomaml", "anil", "boil", "metasgd", "mamlpp",
               "protomaml", "imaml", "metalstm", "cavia", "reptile", "protonet",
               "matching", "relation");
  const std::string norm = name == "maml" || name == "protonet"
                               ? GENERATE("batch", "layer", "task")
                               : "batch";
  INFO(name << ", " << norm);
  const auto whole = image_tasks(2, 3, 2, 2, 16, 5);
  const auto half = halved(whole, 3, 2);
  const auto learner = learner_of(name, whole, norm);
  REQUIRE(learner->takes_weights());
  const auto meta = initial_meta(*learner, 9);
  const auto want = run_gradient(*learner, whole, meta),
             got = run_gradient(*learner, half, meta);
  CHECK(at::allclose(got.losses.loss, want.losses.loss, 1e-9, 1e-10));
  CHECK(want.sums.theta.abs().max().item<double>() > 1e-4);
  CHECK((got.sums.theta - want.sums.theta).abs().max().item<double>() < 1e-9);
  if (want.sums.state.numel())
    CHECK((got.sums.state - want.sums.state).abs().max().item<double>() < 1e-9);
  // And so it is at test time.
  std::vector<at::Tensor> expected;
  learner->adapt(whole, meta, [&](int, const Phi& phi) {
    expected.push_back(learner->predict(phi, whole.query));
  });
  learner->adapt(half, meta, [&](int k, const Phi& phi) {
    CHECK(at::allclose(learner->predict(phi, half.query),
                       expected.at(static_cast<size_t>(k)), 1e-8, 1e-9));
  });
  // A weight is no ornament: without it the copies count.
  TaskBatch heavy = half;
  heavy.support.weight = at::Tensor();
  CHECK_FALSE(at::allclose(run_gradient(*learner, heavy, meta).losses.loss,
                           want.losses.loss, 1e-6, 1e-7));
}

TEST_CASE("meta-gradients with weights equal central differences",
          "[learners]") {
  const std::string name = GENERATE("maml", "protomaml");
  INFO(name);
  const auto batch = weighted_tasks(3, 2);
  check_directions(*learner_of(name, batch), batch);
}

TEST_CASE("ProtoNet's gradient with weights equals central differences",
          "[learners]") {
  const auto batch = weighted_tasks(3, 2);
  const auto learner = learner_of("protonet", batch);
  auto meta = initial_meta(*learner, 3);
  meta.theta = meta.theta + 0.05 * noise(meta.theta.sizes(), 7);
  const auto g = run_gradient(*learner, batch, meta).sums.theta;
  for (uint64_t direction = 0; direction < 3; ++direction) {
    auto d = noise(meta.theta.sizes(), 20 + direction);
    d = d / d.norm();
    const auto loss = [&](double step) {
      return run_gradient(*learner, batch, {meta.theta + step * d, meta.state})
          .losses.loss.sum()
          .item<double>();
    };
    const double analytic = g.dot(d).item<double>();
    double best = 1;
    for (double h : {1e-4, 1e-5, 1e-6})
      best =
          std::min(best, std::abs((loss(h) - loss(-h)) / (2 * h) - analytic) /
                             std::max(std::abs(analytic), 1e-3));
    CHECK(best < 1e-6);
  }
}

TEST_CASE("learners that read examples whole say so", "[learners]") {
  const auto batch = image_tasks(1, 3, 2, 2, 16, 5);
  for (const char* name : {"siamese", "snail", "mann"})
    CHECK_FALSE(learner_of(name, batch)->takes_weights());
  LearnerOptions o;
  o.name = "matching";
  o.full_context = true;
  CHECK_FALSE(make_learner(o, {}, batch.shape)->takes_weights());
}
