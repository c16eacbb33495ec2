#include "generative/meta_gan.h"

#include <cmath>
#include <initializer_list>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include "protean/core/error.h"
#include "protean/learners/phase.h"
#include "protean/models/params.h"

#include "generative/gan_step.h"
#include "generative/pixels.h"

namespace protean {
namespace {

// Share of the running means that stays from step to step.
constexpr double kAnchorMomentum = 0.99;

// Slots of a scene beside the four of the bound's loss.
constexpr uint32_t kFakeCode = 4, kFakeLatent = 5, kOtherLatent = 6,
                   kMixing = 7;
constexpr uint32_t kSceneSlots = 8;

void check(bool good, const char* key, double value, const char* expected) {
  if (!good)
    throw ConfigError(concat(key, " = ", value, "; expected ", expected));
}

void check_name(const char* key, const std::string& value,
                std::initializer_list<const char*> known) {
  std::string expected;
  for (const char* name : known) {
    if (value == name) return;
    expected += concat(expected.empty() ? "" : ", ", name);
  }
  throw ConfigError(
      concat(key, " = \"", value, "\"; expected one of: ", expected));
}

std::vector<size_t> all_of(size_t count) {
  std::vector<size_t> all(count);
  for (size_t i = 0; i < count; ++i) all[i] = i;
  return all;
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
    : SetVae(o, learner, train, eval),
      learner_(learner),
      optimizer_(learner),
      discriminator_(discriminator_layers_, "discriminator", shape_, o) {
  check(o.adversary >= 0, "generator.adversary", o.adversary,
        "a value of 0 or above");
  check(o.r1 >= 0, "generator.r1", o.r1, "a value of 0 or above");
  check(o.r1_every >= 1, "generator.r1_every", static_cast<double>(o.r1_every),
        "at least 1");
  check(o.anchor >= 0, "generator.anchor", o.anchor, "a value of 0 or above");
  check(o.mode_seeking >= 0, "generator.mode_seeking", o.mode_seeking,
        "a value of 0 or above");
  check(o.average >= 0 && o.average < 1, "generator.average", o.average,
        "a value in [0, 1)");
  check(o.variance >= 0, "generator.variance", o.variance,
        "a value of 0 or above");
  check_name("generator.loss", o.loss, {"hinge", "bce", "wasserstein"});
  check_name("generator.reconstruct", o.reconstruct, {"bound", "mse"});
  if (o.task_code && !o.encoder)
    throw ConfigError(
        "generator.task_code = true tells the discriminator a code that no "
        "image has with generator.encoder = false; expected false");
  check(learner.inner_steps >= 0, "learner.inner_steps", learner.inner_steps,
        "0 or above");
  const auto generator = layers_.space().parameters();
  for (const auto& p : discriminator_layers_.space().parameters())
    spaces_.theta.add(p.name, p.shape);
  for (const auto& p : generator)
    spaces_.theta.add("average." + p.name, p.shape);
  if (follows_outputs())
    spaces_.state.add("anchor", {2});  // of D on reals, on fakes
  for (size_t i = 0; i < generator.size(); ++i)
    if (learner.adapt == "all" || generator[i].name.starts_with("decoder."))
      adapted_generator_.push_back(i);
  adapted_discriminator_ = all_of(discriminator_layers_.space().count());
}

void MetaGan::initialise(const MetaView& meta, uint64_t seed) const {
  const int64_t g = layers_.space().size();
  const int64_t d = discriminator_layers_.space().size();
  layers_.initialise(meta.theta.data_ptr<float>(), seed);
  // Another stream of numbers than the generator's.
  discriminator_layers_.initialise(meta.theta.data_ptr<float>() + g,
                                   seed ^ 0x9E3779B97F4A7C15u);
  meta.theta.narrow(0, g + d, g).copy_(meta.theta.narrow(0, 0, g));
  meta.state.zero_();
}

std::unique_ptr<OuterStep> MetaGan::outer(const OptimOptions& options) const {
  return make_gan_step(
      options, {layers_.space().size(), discriminator_layers_.space().size()},
      options_.average);
}

bool MetaGan::follows_outputs() const {
  return options_.anchor > 0 || options_.variance > 0;
}

MetaGan::Pair MetaGan::leaves(const MetaView& meta, int64_t tasks,
                              bool averaged) const {
  const int64_t g = layers_.space().size();
  const int64_t d = discriminator_layers_.space().size();
  return {stacked_leaves(layers_.space(),
                         meta.theta.narrow(0, averaged ? g + d : 0, g), tasks),
          stacked_leaves(discriminator_layers_.space(),
                         meta.theta.narrow(0, g, d), tasks)};
}

MetaGan::Fakes MetaGan::fakes(const Params& p, const Gaussian& q_code,
                              const Scene& s, uint32_t slot) const {
  Fakes f;
  f.code =
      q_code.sample(noise(s.ids, s.target, options_.code, s.slot + kFakeCode));
  f.noise = noise(s.ids, s.target, options_.latent, s.slot + slot);
  const auto z = prior(p, f.code).sample(f.noise);
  const auto logits = decoder_(p, f.code, z);
  const auto probability = at::sigmoid(logits);
  // D sees what samples will look like; the gradient passes the rounding.
  f.images = options_.binary
                 ? probability + (pixels(logits, true) - probability).detach()
                 : probability;
  return f;
}

at::Tensor MetaGan::over_target(const at::Tensor& v, const Scene& s) {
  return s.target_weight.defined()
             ? (v * s.target_weight).sum(1) / s.target_weight.sum(1)
             : v.mean(1);
}

at::Tensor MetaGan::generator_loss(const Pair& p, const Scene& s) const {
  const auto q_code = seen(p.generator, s.support, s.weight);
  const auto f = fakes(p.generator, q_code, s, kFakeLatent);
  auto value =
      options_.reconstruct == "bound"
          ? loss(p.generator, q_code, s.target, s.target_weight, s.ids, s.slot)
          : squared_error(q_code, f, s);
  if (options_.adversary > 0) {
    const auto score = discriminator_(p.discriminator, f.images, f.code);
    value =
        value +
        options_.adversary *
            (options_.loss == "bce" ? at::softplus(-score) : -score).mean(1);
  }
  if (options_.mode_seeking > 0) {
    const auto other = fakes(p.generator, q_code, s, kOtherLatent);
    const auto apart = (f.images - other.images).abs().mean({1, 2, 3, 4});
    const auto by = (f.noise - other.noise).abs().mean({1, 2});
    value = value + options_.mode_seeking / (apart / by + 1e-2);
  }
  return value;
}

at::Tensor MetaGan::discriminator_loss(const Pair& p, const Scene& s,
                                       const at::Tensor& anchors, bool penalty,
                                       at::Tensor* moved) const {
  const auto f = fakes(p.generator, seen(p.generator, s.support, s.weight), s,
                       kFakeLatent);
  auto x = prepared(s.target);
  if (penalty) x = x.detach().requires_grad_();
  const auto real = discriminator_(p.discriminator, x, f.code);
  const auto fake = discriminator_(p.discriminator, f.images, f.code);
  const auto over_images = [&](const at::Tensor& v) {
    return over_target(v, s);
  };
  auto value = over_images(of_output(options_.loss, real, true)) +
               of_output(options_.loss, fake, false).mean(1);
  if (anchors.defined()) {
    value =
        value +
        options_.anchor * (over_images(at::relu(real - anchors[1]).square()) +
                           at::relu(anchors[0] - fake).square().mean(1)) +
        options_.variance * ((over_images(real) - anchors[0]).square() +
                             (fake.mean(1) - anchors[1]).square());
    *moved = kAnchorMomentum * anchors +
             (1 - kAnchorMomentum) *
                 at::stack({over_images(real), fake.mean(1)}, 1).detach();
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
      const auto slope = squared_slope(
          between, discriminator_(p.discriminator, between, f.code));
      value = value + strength * ((slope + 1e-12).sqrt() - 1).square().mean(1);
    } else {
      value = value + 0.5 * strength * squared_slope(x, real).mean(1);
    }
  }
  return value;
}

at::Tensor MetaGan::mixed(const at::Tensor& x, const at::Tensor& made,
                          const Scene& s) const {
  const auto share = share_below(noise(s.ids, s.target, 1, s.slot + kMixing))
                         .unsqueeze(-1)
                         .unsqueeze(-1);
  return share * x + (1 - share) * made;
}

at::Tensor MetaGan::squared_error(const Gaussian& q_code, const Fakes& f,
                                  const Scene& s) const {
  const auto apart = (f.images - prepared(s.target)).square().sum({2, 3, 4});
  return options_.code_weight * divergence_from_standard(q_code).squeeze(1) +
         over_target(apart, s);
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

void MetaGan::inner_loop(Pair& p, Moments& moments, const Scene& s, int steps,
                         bool differentiable) const {
  const at::AutoGradMode mode(true);
  for (int k = 0; k < steps; ++k) {
    Scene at_k = s;
    at_k.slot = s.slot + kSceneSlots * static_cast<uint32_t>(k);
    inner_step(
        p.discriminator, adapted_discriminator_,
        [&](const Params& moving) {
          return discriminator_loss({p.generator, moving}, at_k, {}, false,
                                    nullptr);
        },
        moments.discriminator, differentiable);
    inner_step(
        p.generator, adapted_generator_,
        [&](const Params& moving) {
          return generator_loss({moving, p.discriminator}, at_k);
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
  const auto weight = shown(batch.ids, meta.theta);
  const auto scene = [&](const at::Tensor& target, const at::Tensor& counts,
                         uint32_t slot) {
    return Scene{batch.support.x, weight, target, counts, batch.ids, slot};
  };
  const uint32_t inner_slots = kSceneSlots * static_cast<uint32_t>(steps);
  announce(Phase::inner);
  // Without inner steps all tasks share theta.
  const auto theta = leaves(meta, steps > 0 ? batch.tasks() : 1, false);
  Pair phi = theta;
  Moments moments;
  inner_loop(phi, moments, scene(batch.support.x, weight, kSceneSlots), steps,
             exact);
  announce(Phase::outer);
  const auto query = scene(batch.query.x, {}, 0);
  at::Tensor value, moved;
  if (of_generator) {
    if (steps > 0 && !reptile) {
      // The judge of the adapted generator knows the query set.
      InnerState state;
      phi.discriminator = theta.discriminator;
      for (int k = 0; k < steps; ++k) {
        const auto at_k =
            scene(batch.query.x, {},
                  kSceneSlots * static_cast<uint32_t>(k + 1) + inner_slots);
        inner_step(
            phi.discriminator, adapted_discriminator_,
            [&](const Params& moving) {
              return discriminator_loss({theta.generator, moving}, at_k, {},
                                        false, nullptr);
            },
            state, exact);
      }
    }
    value = generator_loss(phi, query);
  } else {
    const auto anchors =
        follows_outputs() ? meta.state.narrow(0, 0, 2) : at::Tensor();
    const bool penalty =
        options_.r1 > 0 && batch.ids.front().step % options_.r1_every == 0;
    value = discriminator_loss(phi, query, anchors, penalty, &moved);
  }

  const auto& own = of_generator ? phi.generator : phi.discriminator;
  const auto& start = of_generator ? theta.generator : theta.discriminator;
  const auto& space =
      of_generator ? layers_.space() : discriminator_layers_.space();
  const auto to = sums.theta.narrow(
      0, of_generator ? 0 : layers_.space().size(), space.size());
  Params change;
  if (reptile)
    for (size_t i = 0; i < own.size(); ++i)
      change.push_back((start[i] - own[i]).detach());
  else
    change = torch::autograd::grad({value.sum()}, exact ? start : own, {},
                                   false, false, /*allow_unused=*/true);
  add_to_flat(space, change, to);
  if (meta.state.numel())
    sums.state.add_(moved.defined()
                        ? moved.sum(0)
                        : meta.state * static_cast<double>(batch.tasks()));
  announce(Phase::idle);
  return {value.detach(), {}};
}

Phi MetaGan::start(const MetaView& meta) const {
  Phi phi;
  const int64_t g = layers_.space().size();
  phi.params = shared_params(
      layers_.space(),
      meta.theta.narrow(0, g + discriminator_layers_.space().size(), g));
  return phi;
}

int MetaGan::eval_steps() const {
  if (learner_.inner_steps == 0) return SetVae::eval_steps();
  return learner_.eval_steps < 0 ? learner_.inner_steps : learner_.eval_steps;
}

void MetaGan::adapt(const TaskBatch& batch, const MetaView& meta,
                    const Visit& visit) const {
  if (learner_.inner_steps == 0) return SetVae::adapt(batch, meta, visit);
  const auto& x = batch.support.x;
  const auto weight = at::ones({x.size(0), x.size(1)}, x.options());
  Pair pair = leaves(meta, batch.tasks(), /*averaged=*/true);
  Moments moments;
  for (int k = 0;; ++k) {
    {
      at::NoGradGuard no_grad;
      Phi phi;
      phi.params = pair.generator;
      remember(phi, batch.ids, seen(phi.params, x, weight));
      visit(k, phi);
    }
    if (k == eval_steps()) return;
    inner_loop(pair, moments,
               Scene{x, weight, x, weight, batch.ids,
                     kSceneSlots * static_cast<uint32_t>(k + 1)},
               1, false);
  }
}

}  // namespace protean
