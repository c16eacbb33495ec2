// A result of four tasks before and after one step of adaptation, by hand.
#pragma once

#include "protean/evaluation/across.h"

namespace protean {

inline EvalResult four_tasks() {
  EvalStep before, after;
  before.task_accuracy = {0.25, 0.5, 0.25, 0};
  before.task_loss = {2, 1, 3, 2};
  before.accuracy = 0.25;
  before.loss = 2;
  after.task_accuracy = {0.5, 1, 0.75, 0.75};
  after.task_loss = {1, 0.25, 0.5, 0.75};
  after.accuracy = 0.75;
  after.loss = 0.625;
  after.loss_median = 0.75;
  EvalResult r;
  r.per_step = {before, after};
  r.tasks = 4;
  r.ci95 = 0.125;
  r.ece = 0.0625;
  r.ways = 5;
  r.shots = 1;
  r.queries = 15;
  return r;
}

}  // namespace protean
