#include "cli/config_keys.h"

#include <charconv>
#include <stdexcept>

namespace protean {
namespace {

template <typename T>
T parse_number(const std::string& text, const char* expected) {
  T value{};
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    throw std::invalid_argument(expected);
  return value;
}

std::string to_text(const std::string& v) { return v; }
std::string to_text(bool v) { return v ? "true" : "false"; }
template <typename T>
std::string to_text(T v) {
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, v).ptr;
  return {buffer, end};
}

void from_text(const std::string& text, std::string& v) { v = text; }
void from_text(const std::string& text, bool& v) {
  if (text == "true" || text == "on" || text == "yes" || text == "1")
    v = true;
  else if (text == "false" || text == "off" || text == "no" || text == "0")
    v = false;
  else
    throw std::invalid_argument("true or false");
}
template <typename T>
void from_text(const std::string& text, T& v) {
  if constexpr (std::is_floating_point_v<T>)
    v = parse_number<T>(text, "a number");
  else if constexpr (std::is_unsigned_v<T>)
    v = parse_number<T>(text, "a whole number, 0 or above");
  else
    v = parse_number<T>(text, "a whole number");
}

class Bindings {
 public:
  template <typename T>
  void add(const char* key, T& field, const char* help) {
    all.push_back({key, help, [&field] { return to_text(field); },
                   [&field](const std::string& s) { from_text(s, field); }});
  }
  std::vector<Binding> all;
};

}  // namespace

std::vector<Binding> bind_config(Config& c, BenchOptions& bench) {
  Bindings b;
  b.add("run.dir", c.run.dir, "folder of the run");
  b.add("run.seed", c.run.seed, "seed of tasks and initial values");
  b.add("run.steps", c.run.steps, "meta-steps");
  b.add("run.threads", c.run.threads, "threads of one rank");
  b.add("run.max_time", c.run.max_time,
        "seconds after which training ends; 0 = none");
  b.add("run.log_every", c.run.log_every, "steps between metrics lines");
  b.add("run.quiet", c.run.quiet, "no progress lines");
  b.add("run.logs", c.run.logs, "a log file per rank, in logs/");
  b.add("run.trace", c.run.trace,
        "trace.json: what each rank did when, for Perfetto");
  b.add("run.prometheus", c.run.prometheus,
        "file that holds the newest metrics for Prometheus");
  b.add("run.device", c.run.device, "cpu or cuda");

  b.add("data.source", c.data.source,
        "auto, omniglot, pack, folder, sinusoid, table, text, point or bandit");
  b.add("data.path", c.data.path,
        "file or folder; empty = the shipped Omniglot background set");
  b.add("data.side", c.data.side, "height and width of images, pixels");
  b.add("data.filter", c.data.filter,
        "how folders are resized: nearest or bilinear");
  b.add("data.channels", c.data.channels,
        "of a folder's images: 1, 3 or 0 (as they are)");
  b.add("data.split", c.data.split,
        "background, stored, random, test, or a list file or folder");
  b.add("data.also", c.data.also,
        "more image data sets whose classes join, comma-separated");
  b.add("data.also_split", c.data.also_split,
        "how each of data.also is split, as data.split");
  b.add("data.weights", c.data.weights,
        "how often a training task is of each data set, such as 1,1");
  b.add("data.split_seed", c.data.split_seed, "seed of the random split");
  b.add("data.split_validation", c.data.split_validation,
        "share of classes, random split");
  b.add("data.split_test", c.data.split_test, "share of classes, random split");
  b.add("data.group_by", c.data.group_by,
        "what makes a class: class, alphabet or drawer; the task column of a "
        "table");
  b.add("data.target", c.data.target, "target columns of a table");
  b.add("data.features", c.data.features,
        "feature columns of a table; empty = all others");
  b.add("data.length", c.data.length, "characters of one piece of text");
  b.add("data.vocabulary", c.data.vocabulary,
        "most different characters of texts");
  b.add("data.horizon", c.data.horizon, "steps of a rollout (point, bandit)");
  b.add("data.family", c.data.family, "of point: goal or velocity");
  b.add("data.arms", c.data.arms, "of a bandit");
  b.add("data.rewards", c.data.rewards, "of a bandit: bernoulli or gaussian");
  b.add("data.train_classes", c.data.train_classes,
        "training classes that are used; 0 = all");
  b.add("data.train_groups", c.data.train_groups,
        "alphabets of training classes that are used; 0 = all");
  b.add("data.rotations", c.data.rotations,
        "quarter turns: none, classes (extra classes) or task (at random)");
  b.add("data.rotate_eval", c.data.rotate_eval,
        "turn validation and test classes too");
  b.add("data.invert", c.data.invert, "image values v become 1 - v");
  b.add("data.augment", c.data.augment,
        "distortions of training tasks, made-up ones too: none or affine");
  b.add("data.prefetch", c.data.prefetch, "steps materialised ahead");

  b.add("task.ways", c.task.ways, "classes per task");
  b.add("task.shots", c.task.shots, "support examples per class");
  b.add("task.queries", c.task.queries, "query examples per class");
  b.add("task.train_ways", c.task.train_ways,
        "classes of training tasks; 0 = task.ways");
  b.add("task.train_shots", c.task.train_shots,
        "shots of training tasks; 0 = task.shots");
  b.add("task.train_queries", c.task.train_queries,
        "queries of training tasks; 0 = task.queries");
  b.add("task.train_ways_max", c.task.train_ways_max,
        "training tasks have task.train_ways to so many classes; 0 = equal");
  b.add("task.train_shots_max", c.task.train_shots_max,
        "training tasks have task.train_shots to so many shots; 0 = equal");
  b.add("task.curriculum_steps", c.task.curriculum_steps,
        "steps after which they may have a class and a shot more; 0 = at once");
  b.add("task.curriculum_accuracy", c.task.curriculum_accuracy,
        "validation accuracy after which they may; 0 = at once");
  b.add("task.domain", c.task.domain,
        "queries of a domain that the support lacks: none, rotation, "
        "inversion or alphabet");
  b.add("task.flat_batch", c.task.flat_batch,
        "train on mini-batches of all classes (baseline); 0 = on tasks");
  b.add("task.meta_batch", c.task.meta_batch, "tasks per meta-step, all ranks");
  b.add("task.mix", c.task.mix,
        "training tasks: real, augmented, generated, clustered, with weights");
  b.add("task.mix_to", c.task.mix_to, "what task.mix turns into");
  b.add("task.mix_steps", c.task.mix_steps, "over so many steps");
  b.add("task.interpolate", c.task.interpolation.share,
        "share of training tasks that are mixed with another");
  b.add("task.interpolate_low", c.task.interpolation.low,
        "least factor of the other task, from -0.25");
  b.add("task.interpolate_high", c.task.interpolation.high,
        "greatest factor, to 1.25");
  b.add("task.interpolate_draw", c.task.interpolation.draw,
        "of the factor: uniform or beta");
  b.add("task.generated_shots", c.task.generated_shots,
        "generated support images per class, by generator.from");
  b.add("task.generated_as", c.task.generated_as,
        "shots of their classes, or a class of their own in training tasks");
  b.add("task.generated_queries", c.task.generated_queries,
        "generated queries of that class, per real one");
  b.add("task.generated_weight", c.task.generated_weight,
        "of a generated support image beside a real one, above 0, up to 1");
  b.add("task.stack", c.task.stack,
        "tasks computed on together; 0 = by model size");
  b.add("task.stack_overhead", c.task.stack_overhead,
        "unequal tasks are padded where it costs fewer examples; 0 = never");

  b.add("model.name", c.model.name,
        "conv4, resnet12, resnet18, mlp or transformer");
  b.add("model.filters", c.model.filters,
        "channels of conv4, first ones of a resnet");
  b.add("model.pool", c.model.pool, "of conv4: max or stride");
  b.add("model.pool_blocks", c.model.pool_blocks,
        "blocks of conv4 that halve the image");
  b.add("model.norm", c.model.norm, "batch, layer, instance, task or none");
  b.add("model.norm_scale", c.model.norm_scale, "norms learn a scale");
  b.add("model.norm_eps", c.model.norm_eps, "added to variances");
  b.add("model.hidden", c.model.hidden, "hidden widths of mlp");
  b.add("model.context", c.model.context,
        "values of a task that adapt (cavia)");
  b.add("model.leak", c.model.leak, "slope of encoder's ReLU below 0");
  b.add("model.init_from", c.model.init_from,
        "run whose values of like parameters training starts from");
  b.add("model.init_part", c.model.init_part,
        "of a generative run: encoder or discriminator");
  b.add("model.width", c.model.width, "of the transformer");
  b.add("model.layers", c.model.layers, "of the transformer");
  b.add("model.heads", c.model.heads, "of the transformer's attention");
  b.add("model.init", c.model.init, "xavier, torch or truncated");
  b.add("model.head_init", c.model.head_init,
        "of the last layer: as model.init, or normal; empty = model.init");

  b.add("learner.name", c.learner.name,
        "maml, fomaml, anil, boil, metasgd, mamlpp, protomaml, imaml, "
        "metalstm, cavia, reptile, protonet, matching, relation, siamese, "
        "snail, mann, baseline, scratch, setvae, metavae, metagan, deform, "
        "promp or mamlpg");
  b.add("learner.inner_steps", c.learner.inner_steps,
        "adaptation steps in training");
  b.add("learner.inner_lr", c.learner.inner_lr,
        "step size of adaptation, for a mean loss");
  b.add("learner.second_order", c.learner.second_order,
        "differentiate through adaptation");
  b.add("learner.inner_optimizer", c.learner.inner_optimizer,
        "sgd, momentum or adam");
  b.add("learner.inner_momentum", c.learner.inner_momentum, "of momentum");
  b.add("learner.inner_beta1", c.learner.inner_beta1, "of adam");
  b.add("learner.inner_beta2", c.learner.inner_beta2, "of adam");
  b.add("learner.inner_eps", c.learner.inner_eps, "of adam");
  b.add(
      "learner.adapt", c.learner.adapt,
      "what the inner loop moves: all, head or body; of generators all, head, "
      "film (scales, last layers and code) or code");
  b.add("learner.adapt_norm", c.learner.adapt_norm,
        "adapt scale and shift of norms too");
  b.add("learner.truncate", c.learner.truncate,
        "last adaptation steps differentiated exactly; 0 = all");
  b.add("learner.checkpoint", c.learner.checkpoint,
        "recompute adaptation steps instead of keeping them in memory");
  b.add("learner.first_order_steps", c.learner.first_order_steps,
        "first-order meta-steps before the exact ones");
  b.add("learner.multi_loss_steps", c.learner.multi_loss_steps,
        "meta-steps with losses of earlier adaptation steps; 0 = none");
  b.add("learner.cg_steps", c.learner.cg_steps,
        "conjugate-gradient steps (imaml)");
  b.add("learner.proximal", c.learner.proximal,
        "strength of the pull towards theta in the inner loss");
  b.add("learner.query_norm", c.learner.query_norm,
        "queries by moments of: batch (transductive) or support");
  b.add("learner.eval_steps", c.learner.eval_steps,
        "adaptation steps in evaluation; -1 = inner_steps");
  b.add("learner.inner_batch", c.learner.inner_batch,
        "examples per adaptation step; 0 = all");
  b.add("learner.eval_inner_batch", c.learner.eval_inner_batch,
        "the same in evaluation; -1 = inner_batch");
  b.add("learner.norm_momentum", c.learner.norm_momentum,
        "of running moments (metric learners)");
  b.add("learner.temperature", c.learner.temperature,
        "what cosines are divided by (matching)");
  b.add("learner.full_context", c.learner.full_context,
        "embeddings see the whole support set (matching)");
  b.add("learner.context_reads", c.learner.context_reads,
        "steps of a query's embedding with full_context");
  b.add("learner.width", c.learner.width,
        "units of the learner's own hidden layer; 0 = as its paper");
  b.add("learner.readout", c.learner.readout,
        "support sets are read by: head, all, neighbour or pixels (baseline)");

  b.add("generator.filters", c.generator.filters,
        "channels of the widest image of a generative model");
  b.add("generator.features", c.generator.features, "values of an image");
  b.add("generator.hidden", c.generator.hidden, "width of dense layers");
  b.add("generator.code", c.generator.code, "values of a class");
  b.add("generator.latent", c.generator.latent,
        "values that tell images of a class apart");
  b.add("generator.encoder", c.generator.encoder,
        "support images make the class's code; false: its prior does");
  b.add("generator.pooling", c.generator.pooling,
        "from images to a class: moments or attention");
  b.add("generator.random_shots", c.generator.random_shots,
        "training shows 1 to task.shots images, at random");
  b.add("generator.code_weight", c.generator.code_weight,
        "of the code's divergence, per image");
  b.add("generator.bound_samples", c.generator.bound_samples,
        "importance samples of the bound in evaluation");
  b.add("generator.binary", c.generator.binary,
        "pixels are 0 or 1; false: anything between");

  b.add("generator.warm_up", c.generator.warm_up,
        "steps until the latent's divergence counts fully (deform)");
  b.add("generator.meta", c.generator.meta,
        "of metavae and metagan: maml or reptile");
  b.add("generator.network", c.generator.network,
        "what makes images: convolutions, mlp, deform (metagan)");
  b.add("generator.noise", c.generator.noise,
        "within a class: normal or uniform");
  b.add("generator.image_variance", c.generator.image_variance,
        "of the variance of images over tasks (metagan)");
  b.add("generator.code_cycle", c.generator.code_cycle,
        "of finding an image's code in it again (metagan)");
  b.add("generator.proximal", c.generator.proximal,
        "of the generator's distance from its start, in inner steps (metagan)");
  b.add("generator.adversary", c.generator.adversary,
        "weight of the discriminator (metagan)");
  b.add("generator.loss", c.generator.loss,
        "of the discriminator: hinge, bce or wasserstein (metagan)");
  b.add("generator.reconstruct", c.generator.reconstruct,
        "what holds to real images: bound or mse (metagan)");
  b.add("generator.variance", c.generator.variance,
        "weight of its variance over tasks (metagan)");
  b.add("generator.task_code", c.generator.task_code,
        "the discriminator is told the class's code (metagan)");
  b.add("generator.spectral_norm", c.generator.spectral_norm,
        "of the discriminator's layers (metagan)");
  b.add("generator.r1", c.generator.r1, "gradient penalty (metagan)");
  b.add("generator.r1_every", c.generator.r1_every,
        "steps between gradient penalties (metagan)");
  b.add("generator.anchor", c.generator.anchor,
        "pull of the discriminator to its running means (metagan)");
  b.add("generator.mode_seeking", c.generator.mode_seeking,
        "keeps images of different noise apart (metagan)");
  b.add("generator.task_norm", c.generator.task_norm,
        "decoder layers normalised as the class's code says");
  b.add("generator.average", c.generator.average,
        "of the averaged generator (metagan); 0 = none");
  b.add("generator.from", c.generated.from,
        "run whose generator makes tasks (task.mix)");
  b.add("generator.rule", c.generated.rule,
        "codes of a generated class: class, n, ro or oc, or image");
  b.add("generator.spread", c.generated.spread,
        "how far they are from the class's own");
  b.add("generator.separation", c.generated.separation,
        "quantile of distances that classes must exceed");
  b.add("generator.separability", c.generated.separability,
        "share of queries that must be nearest to their class");
  b.add("generator.tries", c.generated.tries,
        "images for each one of a task, by choice of the discriminator");
  b.add("generator.clusters", c.generated.clusters,
        "of clustered tasks, per partition");
  b.add("generator.partitions", c.generated.partitions, "of clustered tasks");
  b.add("generator.refresh", c.generated.refresh,
        "steps between versions of the generator; 0 = frozen");
  b.add("generator.refresh_steps", c.generated.refresh_steps,
        "of the generator's training before each version");

  b.add("policy.deviation", c.policy.deviation,
        "of continuous actions, before training");
  b.add("policy.discount", c.policy.discount, "of rewards, per step");
  b.add("policy.trace", c.policy.trace,
        "lambda of the generalised advantage estimate");
  b.add("policy.later_rate", c.policy.later_rate,
        "of the inner rate, for evaluation's steps beyond inner_steps");
  b.add("policy.clip", c.policy.clip,
        "how far likelihood ratios count from 1 (promp)");
  b.add("policy.divergence", c.policy.divergence,
        "weight of the divergence before adaptation (promp)");
  b.add("policy.epochs", c.policy.epochs,
        "outer steps per batch of rollouts (promp)");

  b.add("optim.name", c.optim.name, "outer optimiser: adam, sgd or momentum");
  b.add("optim.lr", c.optim.lr, "outer step size");
  b.add("optim.beta1", c.optim.beta1, "of adam");
  b.add("optim.beta2", c.optim.beta2, "of adam");
  b.add("optim.eps", c.optim.eps, "of adam");
  b.add("optim.momentum", c.optim.momentum, "of momentum");
  b.add("optim.weight_decay", c.optim.weight_decay, "L2 term");
  b.add("optim.schedule", c.optim.schedule, "constant, cosine, linear or step");
  b.add("optim.lr_end", c.optim.lr_end, "of cosine and linear");
  b.add("optim.decay", c.optim.decay, "factor of step");
  b.add("optim.decay_steps", c.optim.decay_steps, "steps between decays");
  b.add("optim.clip_norm", c.optim.clip_norm,
        "largest norm of the meta-gradient; 0 = off");
  b.add("optim.clip_value", c.optim.clip_value,
        "largest element of the meta-gradient; 0 = off");
  b.add("optim.retries", c.optim.retries,
        "returns of a diverged run to its checkpoint, each at half the rate");

  b.add("comm.backend", c.comm.backend, "inproc, mpi, nccl or auto");
  b.add("comm.ranks", c.comm.ranks, "threads as ranks, inproc only");
  b.add("comm.reduction", c.reduction, "fast, fixed or exact");
  b.add("comm.wire", c.wire, "gradients travel as fp32, bf16 or fp16");
  b.add("comm.overlap", c.overlap,
        "sums travel while a rank's last stack computes");
  b.add("comm.shard_optim", c.shard_optim,
        "optimiser state cut over the ranks");
  b.add("comm.timeout_s", c.comm.timeout_s,
        "seconds that a collective may take");
  b.add("comm.init_timeout_s", c.comm.init_timeout_s,
        "seconds that start and end may take");
  b.add("comm.grace_s", c.comm.grace_s,
        "seconds for ranks to learn why another failed");
  b.add("comm.chunk_bytes", c.comm.chunk_bytes, "largest piece on the wire");

  b.add("coordinator.heartbeat_s", c.coordinator.heartbeat_s,
        "seconds between signs of life");
  b.add("coordinator.warn_s", c.coordinator.warn_s,
        "a rank silent for so many seconds is named");
  b.add("coordinator.silence_s", c.coordinator.silence_s,
        "... and after so many ends the job");
  b.add("coordinator.progress_s", c.coordinator.progress_s,
        "seconds that a live rank may hold up the others");
  b.add("coordinator.dedicated", c.coordinator.dedicated,
        "rank 0 computes no tasks");
  b.add("coordinator.balance", c.coordinator.balance,
        "deal stacks by measured cost");
  b.add("checkpoint.every", c.checkpoint.every,
        "steps between checkpoints; 0 = only the last");
  b.add("checkpoint.every_s", c.checkpoint.every_s,
        "seconds between checkpoints; 0 = off");
  b.add("checkpoint.keep", c.checkpoint.keep, "how many are kept");
  b.add("checkpoint.keep_best", c.checkpoint.keep_best,
        "and of those with the best validations");
  b.add("checkpoint.keep_every", c.checkpoint.keep_every,
        "and those of steps that this divides; 0 = off");
  b.add("checkpoint.wait_s", c.checkpoint.wait_s,
        "seconds that training waits for an earlier write");
  b.add("checkpoint.grace_s", c.checkpoint.grace_s,
        "seconds that the last checkpoint is retried");
  b.add("checkpoint.fallback_dir", c.checkpoint.fallback_dir,
        "where the last checkpoint goes when its disk fails");

  b.add("eval.every", c.eval.every, "steps between validations; 0 = none");
  b.add("eval.tasks", c.eval.tasks, "tasks per evaluation");
  b.add("eval.ways", c.eval.ways, "0 = task.ways");
  b.add("eval.shots", c.eval.shots, "0 = task.shots");
  b.add("eval.queries", c.eval.queries, "0 = task.queries");
  b.add("eval.target_accuracy", c.eval.target_accuracy,
        "validation accuracy that ends training; 0 = off");
  b.add("eval.patience", c.eval.patience,
        "validations without gain that end training; 0 = off");
  b.add("eval.features", c.eval.features,
        "runs, or TorchScript files (.pt), in whose features made images are "
        "judged");
  b.add("eval.stream", c.eval.stream, "of `protean eval`: test or validation");

  b.add("bench.workload", bench.workload, "see protean bench --help");
  b.add("bench.ranks", bench.ranks, "threads as ranks");
  b.add("bench.threads", bench.threads, "threads per rank");
  b.add("bench.seconds", bench.seconds, "of measured steps");
  return b.all;
}

}  // namespace protean
