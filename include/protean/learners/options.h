// Which learner, and its inner loop: section `learner` of the configuration.
// What each field is, its unit and its range: src/learners/options.cpp, or
// `protean config --explain learner.NAME`.
#pragma once

#include <cstdint>
#include <string>

namespace protean {

struct LearnerOptions {
  std::string name = "maml";  // of a row of a table of learners

  // The inner loop of training, and of evaluation (-1: as in training).
  int inner_steps = 5;
  double inner_lr = 0.4;
  int inner_batch = 0;
  int eval_steps = -1;
  int eval_inner_batch = -1;
  std::string inner_optimizer = "sgd";
  double inner_momentum = 0.9;
  double inner_beta1 = 0;
  double inner_beta2 = 0.999;
  double inner_eps = 1e-8;
  std::string adapt = "all";
  bool adapt_norm = true;

  // The meta-gradient.
  bool second_order = true;
  int truncate = 0;
  bool checkpoint = false;
  int64_t first_order_steps = 0;
  int64_t multi_loss_steps = 0;
  int cg_steps = 5;
  double proximal = 0;

  // Comparisons of features.
  std::string query_norm = "batch";
  double norm_momentum = 0.1;
  double temperature = 1;
  bool full_context = false;
  int context_reads = 5;
  int64_t width = 0;
  std::string readout = "head";

  // No key: run.seed. Mini-batches depend on it and on the task alone.
  uint64_t seed = 0;
};

}  // namespace protean
