// Where a run goes on after a step that left numbers that are not finite: back
// at a checkpoint, with a lower rate, optim.retries times.
#pragma once

#include <functional>

#include "protean/comm/preflight.h"
#include "protean/trainer/trainer.h"

namespace protean {

struct Setbacks {
  // Since the run was first started; checkpoints keep it.
  int64_t count = 0;
  // The furthest step that this call of train() has diverged at; the checkpoint
  // that led there again, or to no step at all. -1: none.
  int64_t diverged_at = -1;
  int64_t dead_end = -1;

  double rate() const;  // factor of optim.lr: 2^-count
  // After another one, at `step` of an attempt that began at step `first`, of a
  // checkpoint or the run's start.
  Setbacks with_another(int64_t step, int64_t first, bool of_checkpoint) const;
};

// Thrown on every rank, by a step that leaves nothing to go on from.
struct Diverged {
  AgreedError error;
  Setbacks now;  // with this one
};

// What `attempt` returns, once it does not diverge. Throws the divergence's
// error after `retries` of them. tells: whether this rank warns.
TrainOutcome with_retries(
    int64_t retries, bool tells,
    const std::function<TrainOutcome(const Setbacks&)>& attempt);

}  // namespace protean
