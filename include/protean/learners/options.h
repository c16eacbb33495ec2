// Which learner, and its inner loop.
#pragma once

#include <cstdint>
#include <string>

namespace protean {

struct LearnerOptions {
  // learner.name: maml, fomaml, anil, boil, metasgd, mamlpp, protomaml, imaml,
  // metalstm, cavia, reptile, protonet, matching, relation, siamese, snail,
  // mann, baseline or scratch.
  std::string name = "maml";
  // learner.inner_steps: adaptation steps per task while meta-training.
  int inner_steps = 5;
  // learner.inner_lr: step size of the inner loop, for a mean loss. (Finn et
  // al. sum the loss over ways: multiply their rate by the number of ways.)
  double inner_lr = 0.4;
  // learner.second_order: differentiate through the inner steps (maml);
  // false = first-order MAML.
  bool second_order = true;
  // learner.inner_optimizer: sgd, momentum or adam; all differentiable.
  std::string inner_optimizer = "sgd";
  double inner_momentum = 0.9;  // learner.inner_momentum: momentum only
  double inner_beta1 = 0;       // learner.inner_beta1: adam only
  double inner_beta2 = 0.999;   // learner.inner_beta2: adam only
  double inner_eps = 1e-8;      // learner.inner_eps: adam only
  // learner.adapt: what the inner loop moves: all, head (anil) or body (boil).
  std::string adapt = "all";
  // learner.adapt_norm: whether scale and shift of the norms are adapted too;
  // false leaves them to the outer step, as the MAML paper does.
  bool adapt_norm = true;
  // learner.truncate: how many inner steps, the last ones, are differentiated
  // exactly; those before them to first order. 0 = all.
  int truncate = 0;
  // learner.checkpoint: keep only the parameters between inner steps, and
  // compute each step once more for its derivative: same result, less memory.
  bool checkpoint = false;
  // learner.first_order_steps: meta-steps made to first order before the exact
  // ones.
  int64_t first_order_steps = 0;
  // learner.multi_loss_steps: meta-steps over which the query losses after the
  // earlier inner steps fade out of the outer loss; 0 = only the last counts.
  int64_t multi_loss_steps = 0;
  // learner.cg_steps: conjugate-gradient steps; imaml only.
  int cg_steps = 5;
  // learner.proximal: strength lambda of lambda/2 ||phi - theta||^2 in the
  // inner loss.
  double proximal = 0;
  // learner.query_norm: moments that normalise the query set: batch (its own,
  // transductive; for metric learners those of support and query in training,
  // running ones in evaluation) or support (inductive).
  std::string query_norm = "batch";
  // learner.eval_steps: adaptation steps at evaluation; -1 = inner_steps.
  int eval_steps = -1;
  // learner.inner_batch: examples per inner step; 0 = the whole support set.
  // Reptile cycles through reshuffled mini-batches.
  int inner_batch = 0;
  // learner.eval_inner_batch: the same at evaluation; -1 = inner_batch.
  int eval_inner_batch = -1;
  // learner.norm_momentum: weight of a task's moments in the running moments of
  // metric learners.
  double norm_momentum = 0.1;
  // learner.temperature: what cosines are divided by; matching only.
  double temperature = 1;
  // learner.full_context: embeddings depend on the whole support set; matching
  // only.
  bool full_context = false;
  int context_reads = 5;  // learner.context_reads: with full_context only
  // learner.width: units of the learner's own hidden layer, 0 = as its paper
  // has it: siamese (4096), relation (8), metalstm (20),
  // snail (64), mann (200).
  int64_t width = 0;
  // learner.readout: what evaluation makes of a support set: head, all,
  // neighbour or pixels; baseline only.
  std::string readout = "head";
  // run.seed; mini-batches depend on it and on the task alone.
  uint64_t seed = 0;
};

}  // namespace protean
