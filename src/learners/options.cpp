#include "protean/core/settings.h"
#include "protean/learners/keys.h"

namespace protean {
namespace {

// baseline makes inner steps in evaluation alone, and only for some readouts.
bool reads_steps(const Settings& s) {
  return !s.is("learner.name", {"baseline"}) ||
         s.is("learner.readout", {"head", "all"});
}

bool fits_all(const Settings& s) {
  return !s.is("learner.name", {"baseline"}) ||
         s.is("learner.readout", {"all"});
}

// metagan may do without. Optimiser, rate and parts may be set all the same:
// for `protean eval --learner.inner_steps N`.
bool gan_makes_steps(const Settings& s) {
  return !s.is("learner.name", {"metagan"}) ||
         s.value("learner.inner_steps") != "0";
}

bool has_norms(const Settings& s) {
  return s.is("model.name", {"transformer"}) ||
         (s.is("model.name", {"conv4", "resnet12", "resnet18"}) &&
          s.is("model.norm", {"batch", "layer", "instance", "task"}));
}

// Norms that look at the other examples.
bool has_batch_norms(const Settings& s) {
  return s.is("model.name", {"conv4", "resnet12", "resnet18"}) &&
         s.is("model.norm", {"batch", "task"});
}

constexpr const char* kReadout = "learner.readout = head or all, for baseline";

void inner_optimizer_fields(Settings& s, LearnerOptions& o) {
  s.add("learner.inner_optimizer", &o.inner_optimizer)
      .says(
          "how an inner step uses the gradient; all three are differentiated "
          "through")
      .when(
          "sgd is what most papers have; adam with inner_beta1 = 0 for "
          "reptile; adam for many steps of fine-tuning")
      .one_of({"sgd", "momentum", "adam"})
      .only_if("learner.readout", kReadout, reads_steps)
      .also_called({"inner_optimiser"});
  s.add("learner.inner_momentum", &o.inner_momentum)
      .says("share of the last inner step's velocity that the next one keeps")
      .when("closer to 1 for more, smaller steps")
      .within(0, 1)
      .below(1)
      .only_with("learner.inner_optimizer", {"momentum"});
  s.add("learner.inner_beta1", &o.inner_beta1)
      .says("decay of Adam's mean of gradients in the inner loop")
      .when("0 for the few steps of Reptile, 0.9 for long fine-tuning")
      .within(0, 1)
      .below(1)
      .only_with("learner.inner_optimizer", {"adam"});
  s.add("learner.inner_beta2", &o.inner_beta2)
      .says("decay of Adam's mean of squared gradients in the inner loop")
      .when("rarely")
      .within(0, 1)
      .below(1)
      .only_with("learner.inner_optimizer", {"adam"});
  s.add("learner.inner_eps", &o.inner_eps)
      .says("added to the root of Adam's second moment in the inner loop")
      .when("raise it when steps blow up where gradients vanish")
      .above(0)
      .only_with("learner.inner_optimizer", {"adam"});
}

void inner_loop_fields(Settings& s, LearnerOptions& o) {
  s.add("learner.inner_steps", &o.inner_steps)
      .says("gradient steps on the support set, per task, while training")
      .when(
          "more steps adapt further; time and memory of an exact "
          "meta-gradient grow in proportion. 1 to 5 is usual")
      .at_least(0)
      .only_if("learner.readout", kReadout, reads_steps)
      .also_called({"adaptation_steps", "num_inner_steps", "inner_updates",
                    "num_updates"});
  s.add("learner.inner_lr", &o.inner_lr)
      .says(
          "step size of the inner loop (alpha), for a loss averaged over the "
          "support set")
      .when(
          "the first thing to tune. Papers that sum the loss over classes "
          "(Finn et al.): multiply their rate by the number of ways")
      .above(0)
      .only_if("learner.readout", kReadout, reads_steps)
      .also_called(
          {"alpha", "fast_lr", "adapt_lr", "update_lr", "inner_learning_rate"});
  s.add("learner.second_order", &o.second_order)
      .says(
          "whether the meta-gradient is differentiated through the inner "
          "steps; false takes their gradients as constants")
      .when("false halves time and memory, for a little accuracy")
      .only_if("generator.meta",
               "generator.meta = maml, for generative learners",
               [](const Settings& all) {
                 return !all.is("learner.name", {"metavae", "metagan"}) ||
                        all.is("generator.meta", {"maml"});
               })
      .only_if("learner.inner_steps",
               "learner.inner_steps above 0, for metagan", gan_makes_steps);
  inner_optimizer_fields(s, o);
  s.add("learner.adapt", &o.adapt)
      .says(
          "which parameters the inner loop moves: all, head (the last layer) "
          "or body; in a generative model all, head, film (scales and shifts, "
          "last layers and code) or code")
      .when(
          "head is ANIL and fast, body is BOIL; fewer parameters over-fit "
          "less on one shot")
      .one_of({"all", "head", "body", "film", "code"})
      .only_if("learner.readout", "learner.readout = all, for baseline",
               fits_all);
  s.add("learner.adapt_norm", &o.adapt_norm)
      .says(
          "whether scale and shift of the norms are adapted too; false leaves "
          "them to the outer step")
      .when("false reproduces the MAML paper's code")
      .only_if("learner.readout", "learner.readout = all, for baseline",
               fits_all)
      .only_if("learner.adapt", "learner.adapt = all or body",
               [](const Settings& all) {
                 return all.is("learner.adapt", {"all", "body"});
               })
      .only_if("model.name", "a network with norms (model.norm)", has_norms);
  s.add("learner.eval_steps", &o.eval_steps)
      .says("inner steps in evaluation; -1: learner.inner_steps")
      .when("a few more than in training often help and cost little")
      .at_least(-1)
      .only_if("learner.readout", kReadout, reads_steps)
      .only_if("learner.inner_steps",
               "learner.inner_steps above 0, for metagan", gan_makes_steps);
  s.add("learner.inner_batch", &o.inner_batch)
      .says(
          "support examples per inner step, cycling through the reshuffled "
          "set; 0: the whole support set")
      .when("for reptile with many shots, whose steps use a batch each")
      .at_least(0)
      .only_if("learner.readout", kReadout, reads_steps)
      .also_called({"inner_batch_size"});
  s.add("learner.eval_inner_batch", &o.eval_inner_batch)
      .says("the same in evaluation; -1: learner.inner_batch")
      .when("where evaluation has fewer shots than training")
      .at_least(-1)
      .only_if("learner.readout", kReadout, reads_steps);
}

void meta_gradient_fields(Settings& s, LearnerOptions& o) {
  s.add("learner.truncate", &o.truncate)
      .says(
          "how many of the inner steps, the last ones, are differentiated "
          "exactly, those before to first order; 0: all")
      .when("saves memory with many inner steps, at a small bias")
      .at_least(0)
      .only_with("learner.second_order", {"true"});
  s.add("learner.checkpoint", &o.checkpoint)
      .says(
          "keep only the parameters between inner steps and compute each step "
          "once more for its derivative: the same result")
      .when("when memory is short; costs about a third more time")
      .only_if("learner.second_order",
               "learner.second_order = true, or learner.name = metalstm",
               [](const Settings& all) {
                 return all.is("learner.second_order", {"true"}) ||
                        all.is("learner.name", {"metalstm"});
               });
  s.add("learner.first_order_steps", &o.first_order_steps)
      .says(
          "meta-steps at the beginning that are made to first order, before "
          "the exact ones")
      .when("saves time early on, as MAML++ does: a tenth of run.steps")
      .at_least(0)
      .only_with("learner.second_order", {"true"});
  s.add("learner.multi_loss_steps", &o.multi_loss_steps)
      .says(
          "meta-steps over which the query losses after earlier inner steps "
          "fade out of the meta-loss; 0: only the last step counts")
      .when(
          "steadies the beginning with several inner steps, as MAML++ does: a "
          "tenth of run.steps")
      .at_least(0);
  s.add("learner.cg_steps", &o.cg_steps)
      .says(
          "conjugate-gradient steps that solve for the implicit "
          "meta-gradient")
      .when("5 is the paper's; more only when the inner loop converges well")
      .at_least(1);
  s.add("learner.proximal", &o.proximal)
      .says(
          "strength lambda of the pull lambda/2 ||phi - theta||^2 towards the "
          "start in the inner loss; 0: none")
      .when(
          "imaml needs it (2 in the paper); elsewhere it keeps long inner "
          "loops near the start")
      .at_least(0);
}

void metric_fields(Settings& s, LearnerOptions& o) {
  s.add("learner.query_norm", &o.query_norm)
      .says(
          "whose moments normalise the query set: batch (transductive: its "
          "own; metric learners: support and query together in training, "
          "running ones in evaluation) or support (inductive)")
      .when("support when a prediction must not depend on the other queries")
      .one_of({"batch", "support"})
      .only_if("model.norm",
               "model.norm = batch or task of a convolutional "
               "network",
               has_batch_norms);
  s.add("learner.norm_momentum", &o.norm_momentum)
      .says(
          "weight of one task's moments in the running moments that evaluation "
          "normalises by")
      .when("lower for small or varied tasks")
      .above(0)
      .within(0, 1)
      .only_with("learner.query_norm", {"batch"})
      .only_if("model.norm",
               "model.norm = batch or task of a convolutional "
               "network",
               has_batch_norms);
  s.add("learner.temperature", &o.temperature)
      .says("what cosine similarities are divided by before the softmax")
      .when("below 1 makes attention sharper; regression needs about 0.02")
      .above(0)
      .also_called({"tau"});
  s.add("learner.full_context", &o.full_context)
      .says(
          "whether embeddings depend on the whole support set (full context "
          "embeddings, two LSTMs)")
      .when("helps on hard tasks; slower, and more parameters");
  s.add("learner.context_reads", &o.context_reads)
      .says("attention reads of a query's embedding")
      .when("rarely")
      .at_least(1)
      .only_with("learner.full_context", {"true"});
  s.add("learner.width", &o.width)
      .says(
          "units of the learner's own hidden layer; 0: as in its paper "
          "(siamese 4096, relation 8, metalstm 20, snail 64, mann 200)")
      .when("smaller for small data or less memory")
      .at_least(0);
  s.add("learner.readout", &o.readout)
      .says(
          "how evaluation uses a support set: head (a linear layer is fitted), "
          "all (fine-tuning), neighbour (nearest features) or pixels (nearest "
          "raw images)")
      .when("neighbour and pixels need no fitting; all for regression")
      .one_of({"head", "all", "neighbour", "pixels"});
}

}  // namespace

void fields(Settings& s, LearnerOptions& o) {
  s.add("learner.name", &o.name)
      .says(
          "the algorithm; `protean config --learners` lists them with their "
          "papers")
      .when(
          "protonet is fast and hard to beat on classes; maml also does "
          "regression, text and acting's cousin promp; setvae and metagan "
          "make images")
      .also_called({"algorithm", "method"});
  inner_loop_fields(s, o);
  meta_gradient_fields(s, o);
  metric_fields(s, o);
}

void fields(Settings& s, OptimOptions& o) {
  s.add("optim.name", &o.name)
      .says("outer optimiser: what a meta-step does with the meta-gradient")
      .when("adam almost always; sgd with optim.lr = 1 for reptile")
      .also_called({"optimizer", "optimiser", "meta_optimizer"});
  s.add("optim.lr", &o.lr)
      .says("outer step size (beta in papers) at step 0")
      .when(
          "lower it when the loss jumps or becomes NaN, raise it when nothing "
          "moves")
      .above(0)
      .also_called({"lr", "eta", "learning_rate", "meta_lr", "outer_lr"});
  s.add("optim.schedule", &o.schedule)
      .says(
          "how the step size falls: constant, cosine or linear (to "
          "optim.lr_end at run.steps), or step (times optim.decay every "
          "optim.decay_steps)")
      .when(
          "cosine usually gains a point of accuracy at the end of a run of "
          "known length")
      .one_of({"constant", "cosine", "linear", "step"})
      .also_called({"lr_schedule", "scheduler"});
  s.add("optim.lr_end", &o.lr_end)
      .says("step size at run.steps")
      .when("a fortieth of optim.lr is usual; 0 for reptile")
      .at_least(0)
      .only_with("optim.schedule", {"cosine", "linear"})
      .also_called({"min_lr"});
  s.add("optim.decay", &o.decay)
      .says("factor of the step size at each decay")
      .when("0.5 in the prototypical networks' paper")
      .above(0)
      .only_with("optim.schedule", {"step"})
      .also_called({"lr_decay"});
  s.add("optim.decay_steps", &o.decay_steps)
      .says("meta-steps between decays")
      .when("a fifth of run.steps or so")
      .at_least(1)
      .only_with("optim.schedule", {"step"});
  s.add("optim.beta1", &o.beta1)
      .says("decay of Adam's mean of gradients")
      .when("0.5 for adversarial training")
      .within(0, 1)
      .below(1);
  s.add("optim.beta2", &o.beta2)
      .says("decay of Adam's mean of squared gradients")
      .when("rarely")
      .within(0, 1)
      .below(1);
  s.add("optim.eps", &o.eps)
      .says("added to the root of Adam's second moment")
      .when("raise it (0.001) when meta-gradients are tiny and noisy")
      .at_least(0);
  s.add("optim.momentum", &o.momentum)
      .says("share of the last step's velocity that the next one keeps")
      .when("closer to 1 for noisier meta-gradients")
      .within(0, 1)
      .below(1);
  s.add("optim.weight_decay", &o.weight_decay)
      .says("L2 regularisation: this times theta is added to the meta-gradient")
      .when("1e-5 to 5e-4 against over-fitting to the training classes")
      .at_least(0)
      .also_called({"l2"});
  s.add("optim.clip_norm", &o.clip_norm)
      .says(
          "largest norm of the mean meta-gradient, which is scaled down to "
          "it; 0: off")
      .when("10 or so where the loss spikes: many inner steps, text, imaml")
      .at_least(0)
      .also_called({"grad_clip", "max_grad_norm", "gradient_clip"});
  s.add("optim.clip_value", &o.clip_value)
      .says("largest value of each element of the mean meta-gradient; 0: off")
      .when("10 in the released code of MAML")
      .at_least(0);
  s.add("optim.retries", &o.retries)
      .says(
          "how often a run whose loss, gradient or parameters are not finite "
          "goes back to its newest checkpoint, each time at half the rate")
      .when("a few for long runs that nobody watches")
      .at_least(0);
}

}  // namespace protean
