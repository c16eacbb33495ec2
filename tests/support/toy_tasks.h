// Small tasks and networks with known values, for tests of learners.
#pragma once

#include <cmath>

#include <ATen/ATen.h>

#include "protean/core/philox.h"
#include "protean/learners/learner.h"
#include "protean/models/make_network.h"
#include "protean/tasks/task_batch.h"

namespace protean {

// Standard normal values of a fixed seed.
inline at::Tensor noise(at::IntArrayRef shape, uint64_t seed,
                        at::ScalarType type = at::kDouble) {
  auto t = at::empty(shape, at::kDouble);
  Draws draws(seed, {}, Purpose::test);
  for (int64_t i = 0; i < t.numel(); ++i)
    t.data_ptr<double>()[i] = draws.normal();
  return t.to(type);
}

// T classification tasks on noise images; labels are class-major.
inline TaskBatch image_tasks(int64_t tasks, int64_t ways, int64_t shots,
                             int64_t queries, int64_t side, uint64_t seed,
                             at::ScalarType type = at::kDouble) {
  TaskBatch batch;
  batch.shape.ways = static_cast<uint32_t>(ways);
  batch.shape.support = static_cast<uint32_t>(ways * shots);
  batch.shape.query = static_cast<uint32_t>(ways * queries);
  batch.shape.input = {1, side, side};
  auto part = [&](int64_t per_class, uint64_t offset) {
    Part p;
    p.x = noise({tasks, ways * per_class, 1, side, side}, seed + offset, type);
    p.y = at::arange(ways).repeat_interleave(per_class).repeat({tasks, 1});
    return p;
  };
  batch.support = part(shots, 0);
  batch.query = part(queries, 1);
  for (uint32_t i = 0; i < tasks; ++i)
    batch.ids.push_back({Stream::train, 0, i});
  return batch;
}

// T regression tasks y = noise on one input.
inline TaskBatch value_tasks(int64_t tasks, int64_t support, int64_t query,
                             uint64_t seed, at::ScalarType type = at::kDouble) {
  TaskBatch batch;
  batch.shape.support = static_cast<uint32_t>(support);
  batch.shape.query = static_cast<uint32_t>(query);
  batch.shape.input = {1};
  batch.shape.target = TargetKind::values;
  batch.support = {noise({tasks, support, 1}, seed, type),
                   noise({tasks, support, 1}, seed + 1, type),
                   {}};
  batch.query = {noise({tasks, query, 1}, seed + 2, type),
                 noise({tasks, query, 1}, seed + 3, type),
                 {}};
  for (uint32_t i = 0; i < tasks; ++i)
    batch.ids.push_back({Stream::train, 0, i});
  return batch;
}

// Tasks [begin, begin + count) of a batch.
inline TaskBatch some_tasks(const TaskBatch& all, int64_t begin,
                            int64_t count) {
  TaskBatch b = all;
  for (Part* p : {&b.support, &b.query}) {
    p->x = p->x.narrow(0, begin, count);
    p->y = p->y.narrow(0, begin, count);
    if (p->weight.defined()) p->weight = p->weight.narrow(0, begin, count);
  }
  b.ids.assign(all.ids.begin() + begin, all.ids.begin() + begin + count);
  return b;
}

// Initial theta and meta-state of a learner.
inline MetaView initial_meta(const Learner& learner, uint64_t seed,
                             at::ScalarType type = at::kDouble) {
  MetaView m{at::zeros({learner.spaces().theta.size()}),
             at::zeros({learner.spaces().state.size()})};
  learner.initialise(m, seed);
  return {m.theta.to(type), m.state.to(type)};
}

struct Sums {
  MetaView sums;
  TaskLosses losses;
};

inline Sums run_gradient(const Learner& learner, const TaskBatch& batch,
                         const MetaView& meta) {
  Sums s;
  s.sums = {at::zeros_like(meta.theta), at::zeros_like(meta.state)};
  s.losses = learner.gradient(batch, meta, s.sums);
  return s;
}

}  // namespace protean
