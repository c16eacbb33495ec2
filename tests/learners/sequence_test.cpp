// SNAIL and MANN: learners that read a support set example by example.
#include <cmath>

#include "protean/core/error.h"
#include "protean/learners/make_learner.h"

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

LearnerOptions options(const std::string& name) {
  LearnerOptions o;
  o.name = name;
  o.width = 8;
  return o;
}

at::Tensor answers(const Learner& learner, const MetaView& meta,
                   const TaskBatch& batch) {
  at::Tensor out;
  learner.adapt(batch, meta, [&](int, const Phi& phi) {
    out = learner.predict(phi, batch.query);
  });
  return out;
}

}  // namespace

TEST_CASE("gradients of learners that read sequences equal central differences",
          "[learners]") {
  const std::string name = GENERATE("snail", "mann");
  INFO(name);
  const auto batch = image_tasks(2, 3, 2, 2, 16, 5);
  const auto learner = make_learner(options(name), conv(), batch.shape);
  check_metric(*learner, batch);
  check_inductive(*learner, batch);
}

TEST_CASE("what is read depends on labels and on all examples", "[learners]") {
  const std::string name = GENERATE("snail", "mann");
  INFO(name);
  const auto batch = image_tasks(1, 3, 2, 2, 16, 6);
  const auto learner = make_learner(options(name), conv(), batch.shape);
  auto meta = initial_meta(*learner, 3);
  meta.theta = meta.theta + 0.1 * noise(meta.theta.sizes(), 7);
  const auto before = answers(*learner, meta, batch);
  auto relabelled = batch;
  relabelled.support.y = 2 - batch.support.y;
  CHECK_FALSE(
      at::allclose(answers(*learner, meta, relabelled), before, 1e-6, 1e-9));
  for (int64_t i : {0, 5}) {
    auto other = batch;
    other.support.x = batch.support.x.clone();
    other.support.x.select(1, i) += noise({1, 1, 16, 16}, 8);
    CHECK_FALSE(
        at::allclose(answers(*learner, meta, other), before, 1e-6, 1e-9));
  }
}

TEST_CASE("sequence learners answer tasks of no more ways", "[learners]") {
  const std::string name = GENERATE("snail", "mann");
  const auto learner =
      make_learner(options(name), conv(), image_tasks(1, 3, 1, 1, 16, 1).shape);
  const auto meta = initial_meta(*learner, 3);
  CHECK(answers(*learner, meta, image_tasks(1, 2, 1, 1, 16, 2)).size(-1) == 3);
  CHECK_THROWS_WITH(answers(*learner, meta, image_tasks(1, 4, 1, 1, 16, 2)),
                    contains("expected at most 3"));
}
