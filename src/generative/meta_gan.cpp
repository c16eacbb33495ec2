#include "generative/meta_gan.h"

#include <limits>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include "protean/core/choice.h"
#include "protean/core/error.h"
#include "protean/learners/phase.h"
#include "protean/models/params.h"
#include "protean/tasks/noise.h"

#include "generative/deform.h"
#include "generative/gan_step.h"
#include "generative/gaussian.h"
#include "generative/set_vae.h"

namespace protean {
namespace {

// Share of the running means that stays from step to step.
constexpr double kKept = 0.99;

// Slots of a scene beside those of the generator's loss and of what it makes.
constexpr uint32_t kFakeLatent = 5, kOtherLatent = 6, kMixing = 7;
constexpr uint32_t kSceneSlots = 8;
// How many images of fixed noise are followed over tasks.
constexpr int64_t kFollowed = 4;

void check(bool good, const char* key, double value, const char* expected) {
  if (!good)
    throw ConfigError(concat(key, " = ", value, "; expected ", expected));
}

std::vector<size_t> all_of(size_t count) {
  std::vector<size_t> all(count);
  for (size_t i = 0; i < count; ++i) all[i] = i;
  return all;
}

std::unique_ptr<const ConditionalGenerator> make_generator(
    const GeneratorOptions& o, const LearnerOptions& learner,
    const TaskShape& train, const TaskCounts& eval) {
  if (o.network == "deform")
    return std::make_unique<Deform>(o, learner, train, eval);
  return std::make_unique<SetVae>(o, learner, train, eval);
}

// What the options of the one or the other kind of generator rule out.
void check_generator(const GeneratorOptions& o, const LearnerOptions& learner) {
  check_choice("generator.network", o.network,
               {"convolutions", "mlp", "deform"});
  if (o.network != "deform") {
    check_choice("learner.adapt", learner.adapt,
                 {"all", "head", "film", "code"});
    if (o.code_cycle > 0 && !o.encoder)
      throw ConfigError(
          concat("generator.code_cycle = ", o.code_cycle,
                 " needs codes of images; expected generator.encoder = true"));
    return;
  }
  check_choice("learner.adapt", learner.adapt, {"all", "head"});
  check(o.code_cycle == 0, "generator.code_cycle", o.code_cycle,
        "0 with generator.network = deform, whose images have no code");
  if (o.reconstruct == "mse" || o.task_norm)
    throw ConfigError(
        "generator.reconstruct = mse and generator.task_norm do nothing with "
        "generator.network = deform; expected bound or none, and false");
}

// What the discriminator loses by its output for a real image, or a made one.
at::Tensor of_output(const std::string& loss, const at::Tensor& output,
                     bool real) {
  const auto wrong = real ? -output : output;
  if (loss == "bce") return at::softplus(wrong);
  return loss == "hinge" ? at::relu(1 + wrong) : wrong;
}

}  // namespace

MetaGan::MetaGan(const GeneratorOptions& o, const LearnerOptions& learner,
                 const TaskShape& train, const TaskCounts& eval)
    : options_(o),
      learner_(learner),
      optimizer_(learner),
      generator_(make_generator(o, learner, train, eval)),
      discriminator_(discriminator_layers_, "discriminator", train.input,
                     generator_->judged_code_size(), o) {
  for (const auto& [key, value] :
       {std::pair("generator.adversary", o.adversary),
        std::pair("generator.r1", o.r1),
        std::pair("generator.anchor", o.anchor),
        std::pair("generator.mode_seeking", o.mode_seeking),
        std::pair("generator.variance", o.variance),
        std::pair("generator.image_variance", o.image_variance),
        std::pair("generator.code_cycle", o.code_cycle),
        std::pair("generator.proximal", o.proximal)})
    check(value >= 0, key, value, "a value of 0 or above");
  check(o.r1_every >= 1, "generator.r1_every", static_cast<double>(o.r1_every),
        "at least 1");
  check(o.average >= 0 && o.average < 1, "generator.average", o.average,
        "a value in [0, 1)");
  check_choice("generator.loss", o.loss, {"hinge", "bce", "wasserstein"});
  check_choice("generator.reconstruct", o.reconstruct,
               {"bound", "mse", "none"});
  check_choice("generator.meta", o.meta, {"maml", "reptile"});
  check_generator(o, learner);
  if (o.reconstruct == "none" && o.adversary == 0)
    throw ConfigError(
        "generator.reconstruct = none and generator.adversary = 0 leave the "
        "generator nothing to learn from; expected one of them");
  if (o.task_code && !o.encoder)
    throw ConfigError(
        "generator.task_code = true tells the discriminator a code that no "
        "image has with generator.encoder = false; expected false");
  check(learner.inner_steps >= 0, "learner.inner_steps", learner.inner_steps,
        "0 or above");
  if (learner.inner_steps > 0) check_inner_steps(learner);
  const auto& generator = generator_space().parameters();
  for (const auto& p : generator) spaces_.theta.add(p.name, p.shape);
  for (const auto& p : discriminator_layers_.space().parameters())
    spaces_.theta.add(p.name, p.shape);
  for (const auto& p : generator)
    spaces_.theta.add("average." + p.name, p.shape);
  if (follows_outputs())
    spaces_.state.add("anchor", {2});  // of D on reals, on fakes
  if (o.image_variance > 0)            // sums of images, and of their weights
    spaces_.state.add(
        "images",
        {kFollowed * train.input[0] * train.input[1] * train.input[2] + 1});
  for (size_t i = 0; i < generator.size(); ++i)
    if (generator_->belongs(generator[i].name, learner.adapt))
      adapted_generator_.push_back(i);
  if (adapted_generator_.empty())
    throw ConfigError("learner.adapt = \"" + learner.adapt +
                      "\": the generator has no such part; expected all");
  adapted_discriminator_ = all_of(discriminator_layers_.space().count());
}

void MetaGan::initialise(const MetaView& meta, uint64_t seed) const {
  const int64_t g = generator_space().size();
  const int64_t d = discriminator_layers_.space().size();
  generator_->initialise({meta.theta.narrow(0, 0, g), {}}, seed);
  // Another stream of numbers than the generator's.
  discriminator_layers_.initialise(meta.theta.data_ptr<float>() + g,
                                   seed ^ 0x9E3779B97F4A7C15u);
  meta.theta.narrow(0, g + d, g).copy_(meta.theta.narrow(0, 0, g));
  meta.state.zero_();
}

std::unique_ptr<OuterStep> MetaGan::outer(const OptimOptions& options) const {
  return make_gan_step(
      options, {generator_space().size(), discriminator_layers_.space().size()},
      options_.average);
}

at::Tensor MetaGan::usual_outputs(const MetaView& meta) const {
  return follows_outputs() ? meta.state.narrow(0, 0, 2) : at::Tensor();
}

at::Tensor MetaGan::usual_images(const MetaView& meta) const {
  const int64_t before = follows_outputs() ? 2 : 0;
  return meta.state.narrow(0, before, meta.state.size(0) - before);
}

bool MetaGan::follows_outputs() const {
  return options_.anchor > 0 || options_.variance > 0;
}

MetaView MetaGan::averaged(const MetaView& meta) const {
  const int64_t g = generator_space().size();
  return {meta.theta.narrow(0, g + discriminator_layers_.space().size(), g),
          {}};
}

MetaGan::Pair MetaGan::leaves(const MetaView& meta, int64_t tasks,
                              bool averaged) const {
  const int64_t g = generator_space().size();
  const int64_t d = discriminator_layers_.space().size();
  return {stacked_leaves(generator_space(),
                         averaged ? this->averaged(meta).theta
                                  : meta.theta.narrow(0, 0, g),
                         tasks),
          stacked_leaves(discriminator_layers_.space(),
                         meta.theta.narrow(0, g, d), tasks),
          {}};
}

at::Tensor MetaGan::noise(const Scene& s, uint32_t slot) const {
  return task_noise(learner_.seed, s.ids, s.target.size(1),
                    generator_->latent_size(), Purpose::noise, s.slot + slot,
                    s.target);
}

MetaGan::Made MetaGan::fakes(const Params& generator, const Seen& seen,
                             const Scene& s) const {
  Made made;
  made.basis = generator_->basis(generator, seen, s, s.target.size(1));
  made.images =
      generator_->images(generator, made.basis, noise(s, kFakeLatent));
  return made;
}

at::Tensor MetaGan::over_target(const at::Tensor& v, const Scene& s) {
  return s.target_weight.defined()
             ? (v * s.target_weight).sum(1) / s.target_weight.sum(1)
             : v.mean(1);
}

at::Tensor MetaGan::generator_loss(const Pair& p, const Seen& seen,
                                   const Scene& s) const {
  const auto& o = options_;
  const auto made = fakes(p.generator, seen, s);
  auto value = o.reconstruct == "bound" ? generator_->loss(p.generator, seen, s)
                                        : generator_->code_cost(seen);
  if (o.reconstruct == "mse") value = value + squared_error(made.images, s);
  if (o.adversary > 0) {
    const auto score = discriminator_(p.normalised(discriminator_), made.images,
                                      made.basis.code);
    value =
        value +
        o.adversary * (o.loss == "bce" ? at::softplus(-score) : -score).mean(1);
  }
  if (o.mode_seeking > 0) {
    const auto another = noise(s, kOtherLatent);
    const auto other = generator_->images(p.generator, made.basis, another);
    const auto apart = (made.images - other).abs().mean({1, 2, 3, 4});
    const auto by = (noise(s, kFakeLatent) - another).abs().mean({1, 2});
    value = value + o.mode_seeking / (apart / by + 1e-2);
  }
  if (o.code_cycle > 0)
    value = value +
            o.code_cycle * (generator_->own_codes(p.generator, made.images) -
                            made.basis.code)
                               .square()
                               .sum(2)
                               .mean(1);
  return value;
}

at::Tensor MetaGan::followed_images(const Params& generator, const Seen& seen,
                                    const Scene& s) const {
  // The same noise for all tasks.
  const auto fixed =
      task_noise(learner_.seed, {TaskId{Stream::generator, 0, 0}}, kFollowed,
                 generator_->latent_size(), Purpose::latent, 0, s.target)
          .expand({s.target.size(0), -1, -1});
  return generator_
      ->images(generator, generator_->basis(generator, seen, s, kFollowed),
               fixed)
      .flatten(1);
}

at::Tensor MetaGan::image_variance(const Params& generator, const Seen& seen,
                                   const Scene& s,
                                   const at::Tensor& usual) const {
  const auto own = followed_images(generator, seen, s);
  const auto weight = usual[-1];
  const auto mean = usual.narrow(0, 0, own.size(1)) / weight.clamp_min(1e-9);
  const auto apart =
      (own - mean).square().sum(1) / static_cast<double>(kFollowed);
  return options_.image_variance * apart * (weight > 0);
}

at::Tensor MetaGan::discriminator_loss(const Pair& p, const Seen& seen,
                                       const Scene& s, const at::Tensor& usual,
                                       bool penalty,
                                       at::Tensor* outputs) const {
  const auto f = fakes(p.generator, seen, s);
  const auto& code = f.basis.code;
  auto x = generator_->prepared(s.target);
  if (penalty) x = x.detach().requires_grad_();
  const auto judge = p.normalised(discriminator_);
  const auto real = discriminator_(judge, x, code);
  const auto fake = discriminator_(judge, f.images, code);
  const auto over_images = [&](const at::Tensor& v) {
    return over_target(v, s);
  };
  auto value = over_images(of_output(options_.loss, real, true)) +
               of_output(options_.loss, fake, false).mean(1);
  if (usual.defined()) {
    value = value +
            options_.anchor * (over_images(at::relu(real - usual[1]).square()) +
                               at::relu(usual[0] - fake).square().mean(1)) +
            options_.variance * ((over_images(real) - usual[0]).square() +
                                 (fake.mean(1) - usual[1]).square());
    *outputs = at::stack({over_images(real), fake.mean(1)}, 1).detach();
  }
  if (penalty) {
    const double strength =
        options_.r1 * static_cast<double>(options_.r1_every);
    const auto squared_slope = [&](const at::Tensor& at,
                                   const at::Tensor& out) {
      return torch::autograd::grad({out.sum()}, {at}, {}, true, true)[0]
          .square()
          .sum({2, 3, 4});
    };
    if (options_.loss == "wasserstein") {
      const auto between = mixed(x, f.images, s).detach().requires_grad_();
      const auto slope =
          squared_slope(between, discriminator_(judge, between, code));
      value = value + strength * ((slope + 1e-12).sqrt() - 1).square().mean(1);
    } else {
      value = value + 0.5 * strength * squared_slope(x, real).mean(1);
    }
  }
  return value;
}

at::Tensor MetaGan::mixed(const at::Tensor& x, const at::Tensor& made,
                          const Scene& s) const {
  const auto normal = task_noise(learner_.seed, s.ids, x.size(1), 1,
                                 Purpose::noise, s.slot + kMixing, x);
  const auto share = share_below(normal).unsqueeze(-1).unsqueeze(-1);
  return share * x + (1 - share) * made;
}

at::Tensor MetaGan::squared_error(const at::Tensor& made,
                                  const Scene& s) const {
  const auto apart = (made - generator_->prepared(s.target)).square();
  return over_target(apart.sum({2, 3, 4}), s);
}

void MetaGan::inner_step(Params& moving, const std::vector<size_t>& which,
                         const std::function<at::Tensor(const Params&)>& loss,
                         InnerState& state, bool differentiable) const {
  // The loss is differentiated at the network that moves, with the other one
  // held still, although that one may have come from it in an earlier step.
  Params alias = moving;
  std::vector<at::Tensor> inputs;
  for (size_t i : which) {
    alias[i] = moving[i].view_as(moving[i]);
    inputs.push_back(alias[i]);
  }
  const auto value = loss(alias);
  // A loss may leave layers out.
  auto g = torch::autograd::grad({value.sum()}, inputs, {}, differentiable,
                                 differentiable, /*allow_unused=*/true);
  for (size_t i = 0; i < g.size(); ++i)
    if (!g[i].defined()) g[i] = at::zeros_like(inputs[i]);
  const at::AutoGradMode mode(differentiable);
  optimizer_.step(moving, which, g, value, state);
  if (!differentiable)
    for (size_t i : which) moving[i] = moving[i].detach().requires_grad_();
}

void MetaGan::inner_loop(Pair& p, const Params& start, Moments& moments,
                         const Scene& s, int steps, bool differentiable) const {
  const at::AutoGradMode mode(true);
  const auto held = [&](const Params& moving) {
    at::Tensor apart;
    for (size_t i : adapted_generator_) {
      const auto d = (moving[i] - start[i]).square().flatten(1).sum(1);
      apart = apart.defined() ? apart + d : d;
    }
    return 0.5 * options_.proximal * apart;
  };
  for (int k = 0; k < steps; ++k) {
    Scene at_k = s;
    at_k.slot = s.slot + kSceneSlots * static_cast<uint32_t>(k);
    inner_step(
        p.discriminator, adapted_discriminator_,
        [&](const Params& moving) {
          return discriminator_loss({p.generator, moving, p.stretches},
                                    generator_->see(p.generator, at_k), at_k,
                                    {}, false, nullptr);
        },
        moments.discriminator, differentiable);
    inner_step(
        p.generator, adapted_generator_,
        [&](const Params& moving) {
          const auto loss =
              generator_loss({moving, p.discriminator, p.stretches},
                             generator_->see(moving, at_k), at_k);
          return options_.proximal > 0 ? loss + held(moving) : loss;
        },
        moments.generator, differentiable);
  }
}

TaskLosses MetaGan::gradient(const TaskBatch& batch, const MetaView& meta,
                             const MetaView& sums) const {
  return gradient_of(kGeneratorLoss, batch, meta, sums);
}

TaskLosses MetaGan::gradient_of(int which, const TaskBatch& batch,
                                const MetaView& meta,
                                const MetaView& sums) const {
  if (which != kGeneratorLoss && which != kDiscriminatorLoss)
    throw Error(concat("metagan: loss ", which, "; expected 0 or 1"));
  const bool of_generator = which == kGeneratorLoss;
  const int steps = learner_.inner_steps;
  const bool reptile = steps > 0 && options_.meta == "reptile";
  const bool exact = learner_.second_order && !reptile;
  const auto weight = generator_->shown(batch.ids, meta.theta);
  const auto scene = [&](const at::Tensor& target, const at::Tensor& counts,
                         uint32_t slot) {
    return Scene{batch.support.x, weight, target, counts, batch.ids, slot};
  };
  const uint32_t inner_slots = kSceneSlots * static_cast<uint32_t>(steps);
  announce(Phase::inner);
  // Without inner steps all tasks share theta.
  auto theta = leaves(meta, steps > 0 ? batch.tasks() : 1, false);
  // What all tasks' discriminators start from: stretches depend on it where the
  // gradient of D's loss is exact.
  const bool through = !of_generator && (steps == 0 || exact);
  const Params origin =
      steps > 0 ? leaves(meta, 1, false).discriminator : theta.discriminator;
  {
    const at::AutoGradMode mode(through);
    theta.stretches = discriminator_.stretches(origin);
  }
  Pair phi = theta;
  Moments moments;
  inner_loop(phi, theta.generator, moments,
             scene(batch.support.x, weight, kSceneSlots), steps, exact);
  announce(Phase::outer);
  const auto query = scene(batch.query.x, {}, 0);
  at::Tensor value, outputs;
  std::vector<at::Tensor> moved;  // (T, ...) of the meta-state
  if (of_generator) {
    if (steps > 0 && !reptile) {
      // The judge of the adapted generator knows the query set.
      InnerState state;
      phi.discriminator = theta.discriminator;
      const auto seen = generator_->see(theta.generator, query);
      for (int k = 0; k < steps; ++k) {
        const auto at_k =
            scene(batch.query.x, {},
                  kSceneSlots * static_cast<uint32_t>(k + 1) + inner_slots);
        inner_step(
            phi.discriminator, adapted_discriminator_,
            [&](const Params& moving) {
              return discriminator_loss(
                  {theta.generator, moving, theta.stretches}, seen, at_k, {},
                  false, nullptr);
            },
            state, exact);
      }
    }
    const auto seen = generator_->see(phi.generator, query);
    value = generator_loss(phi, seen, query);
    if (options_.image_variance > 0)
      value = value +
              image_variance(phi.generator, seen, query, usual_images(meta));
  } else {
    const bool penalty =
        options_.r1 > 0 && batch.ids.front().step % options_.r1_every == 0;
    // Inner steps of second order alone lead back through the generator.
    if (steps == 0 || !exact)
      for (auto& p : phi.generator) p = p.detach();
    const auto seen = generator_->see(phi.generator, query);
    value = discriminator_loss(phi, seen, query, usual_outputs(meta), penalty,
                               &outputs);
    // The last loss of a step leaves its meta-state.
    if (outputs.defined()) moved.push_back(outputs);
    if (options_.image_variance > 0) {
      at::NoGradGuard no_grad;
      moved.push_back(followed_images(phi.generator, seen, query));
      moved.push_back(at::ones_like(moved.back().narrow(1, 0, 1)));
    }
  }

  const auto& own = of_generator ? phi.generator : phi.discriminator;
  const auto& start = of_generator ? theta.generator : theta.discriminator;
  const auto& space =
      of_generator ? generator_space() : discriminator_layers_.space();
  const auto to = sums.theta.narrow(
      0, of_generator ? 0 : generator_space().size(), space.size());
  Params change;
  if (reptile) {
    for (size_t i = 0; i < own.size(); ++i)
      change.push_back((start[i] - own[i]).detach());
  } else {
    Params inputs = exact ? start : own;
    if (through && steps > 0)
      inputs.insert(inputs.end(), origin.begin(), origin.end());
    change = torch::autograd::grad({value.sum()}, inputs, {}, false, false,
                                   /*allow_unused=*/true);
  }
  // What came by the common origin follows the rest.
  const auto count = static_cast<std::ptrdiff_t>(own.size());
  for (auto from = change.begin(); from != change.end(); from += count)
    add_to_flat(space, Params(from, from + count), to);
  const auto kept = meta.state * static_cast<double>(batch.tasks());
  if (moved.empty())
    sums.state.add_(kept);
  else
    sums.state.add_(kKept * kept + (1 - kKept) * at::cat(moved, 1).sum(0));
  announce(Phase::idle);
  return {value.detach(), {}};
}

at::Tensor MetaGan::realness(const MetaView& meta, const at::Tensor& code,
                             const at::Tensor& images) const {
  if (!judges()) return GenerativeLearner::realness(meta, code, images);
  at::NoGradGuard no_grad;
  const auto& space = discriminator_layers_.space();
  return discriminator_(
      discriminator_.normalised(shared_params(
          space, meta.theta.narrow(0, generator_space().size(), space.size()))),
      images, code);
}

Phi MetaGan::start(const MetaView& meta) const {
  return generator_->start(averaged(meta));
}

at::Tensor MetaGan::predict(const Phi& phi, const Part& part) const {
  if (options_.reconstruct == "bound") return generator_->predict(phi, part);
  return at::full({part.x.size(0), part.x.size(1), 1},
                  std::numeric_limits<double>::quiet_NaN(), part.x.options());
}

int MetaGan::eval_steps() const {
  if (learner_.inner_steps == 0) return generator_->eval_steps();
  return learner_.eval_steps < 0 ? learner_.inner_steps : learner_.eval_steps;
}

void MetaGan::adapt(const TaskBatch& batch, const MetaView& meta,
                    const Visit& visit) const {
  if (learner_.inner_steps == 0)
    return generator_->adapt(batch, averaged(meta), visit);
  const auto& x = batch.support.x;
  const auto weight = at::ones({x.size(0), x.size(1)}, x.options());
  Pair pair = leaves(meta, batch.tasks(), /*averaged=*/true);
  {
    at::NoGradGuard no_grad;
    pair.stretches = discriminator_.stretches(
        leaves(meta, 1, /*averaged=*/true).discriminator);
  }
  const Params start = pair.generator;
  Moments moments;
  for (int k = 0;; ++k) {
    {
      at::NoGradGuard no_grad;
      visit(k, generator_->given(pair.generator, batch));
    }
    if (k == eval_steps()) return;
    inner_loop(pair, start, moments,
               Scene{x, weight, x, weight, batch.ids,
                     kSceneSlots * static_cast<uint32_t>(k + 1)},
               1, false);
  }
}

}  // namespace protean
