// Tasks of one class of binary noise images, for tests of generative learners.
#pragma once

#include "protean/generative/generative_learner.h"

#include "support/toy_tasks.h"

namespace protean {

// A class is a random pattern; its images are noisy copies.
inline TaskBatch image_sets(int64_t tasks, int64_t support, int64_t query,
                            int64_t side, uint64_t seed,
                            at::ScalarType type = at::kDouble) {
  TaskBatch batch;
  batch.shape.ways = 1;
  batch.shape.support = static_cast<uint32_t>(support);
  batch.shape.query = static_cast<uint32_t>(query);
  batch.shape.input = {1, side, side};
  batch.shape.target = TargetKind::none;
  const auto pattern = noise({tasks, 1, 1, side, side}, seed);
  const auto all =
      (pattern +
           0.5 * noise({tasks, support + query, 1, side, side}, seed + 1) >
       0)
          .to(type);
  batch.support.x = all.narrow(1, 0, support);
  batch.query.x = all.narrow(1, support, query);
  for (uint32_t i = 0; i < tasks; ++i)
    batch.ids.push_back({Stream::train, 0, i});
  return batch;
}

// Small enough for central differences.
inline GeneratorOptions small_generator() {
  GeneratorOptions o;
  o.filters = 3;
  o.features = 7;
  o.hidden = 9;
  o.code = 4;
  o.latent = 2;
  return o;
}

// A deformation model has no code of a class, whatever o says.
inline GenerativeLearnerPtr generative(const std::string& name,
                                       GeneratorOptions o,
                                       const TaskBatch& batch,
                                       LearnerOptions learner = {}) {
  learner.name = name;
  if (name == "deform" || o.network == "deform")
    o.code = GeneratorOptions().code;
  learner.seed = 5;
  return make_generative_learner(learner, o, batch.shape,
                                 {1, batch.shape.support, batch.shape.query});
}

// Tasks [begin, begin + count) of a batch without labels.
inline TaskBatch some_sets(const TaskBatch& all, int64_t begin, int64_t count) {
  TaskBatch b = all;
  for (Part* p : {&b.support, &b.query}) p->x = p->x.narrow(0, begin, count);
  b.ids.assign(all.ids.begin() + begin, all.ids.begin() + begin + count);
  return b;
}

}  // namespace protean
