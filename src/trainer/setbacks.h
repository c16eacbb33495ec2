// Where a run goes on after a step that left numbers that are not finite: back
// at a checkpoint, with a lower rate, optim.retries times.
#pragma once

#include <cmath>
#include <functional>

#include "protean/comm/preflight.h"
#include "protean/trainer/trainer.h"

namespace protean {

struct Setbacks {
  int64_t count = 0;  // since the run was started
  // The furthest step that it has diverged at; the checkpoint that led there
  // again, or to no step at all. -1: none.
  int64_t diverged_at = -1;
  int64_t dead_end = -1;

  // What optim.lr is times.
  static double rate(int64_t count) {
    return std::exp2(-static_cast<double>(count));
  }
};

// Thrown on every rank, by a step that leaves nothing to go on from.
struct Diverged {
  AgreedError error;
  Setbacks now;  // with this one
};

// Of a step, after `count` setbacks, in a run that went on from step `first`
// (of a checkpoint, or its start).
Diverged diverged(const AgreedError& error, int64_t step, int64_t count,
                  const Setbacks& before, int64_t first, bool of_checkpoint);

// What `attempt` returns, once it does not diverge. Throws the divergence's
// error after `retries` of them. tells: whether this rank warns.
TrainOutcome with_retries(
    int64_t retries, bool tells,
    const std::function<TrainOutcome(const Setbacks&)>& attempt);

}  // namespace protean
