#include "generative/meta_gan.h"

#include <limits>
#include <numeric>

#include <ATen/ATen.h>

#include "protean/core/error.h"
#include "protean/learners/phase.h"
#include "protean/models/initialise.h"
#include "protean/models/params.h"

#include "generative/adapted_part.h"
#include "generative/deform.h"
#include "generative/gan_settings.h"
#include "generative/gan_step.h"
#include "generative/set_vae.h"

namespace protean {
namespace {

std::unique_ptr<const ConditionalGenerator> make_generator(
    const GeneratorOptions& o, const LearnerOptions& learner,
    const TaskShape& train, const TaskCounts& eval) {
  check_gan_settings(o, learner);
  if (o.network == "deform")
    return std::make_unique<Deform>(o, learner, train, eval);
  return std::make_unique<SetVae>(o, learner, train, eval);
}

// First slot of noise of inner step k. The outer loss has those before, and
// steps on the query set those after the ones on the support set.
uint32_t slot_of(int k) {
  return GanLosses::kSlots * static_cast<uint32_t>(k + 1);
}

}  // namespace

MetaGan::MetaGan(const GeneratorOptions& o, const LearnerOptions& learner,
                 const TaskShape& train, const TaskCounts& eval)
    : options_(o),
      learner_(learner),
      optimizer_(learner),
      // Without inner steps nothing lies between theta and phi.
      through_(learner.inner_steps > 0 ? through_of(o, learner)
                                       : Through::exact),
      generator_(make_generator(o, learner, train, eval)),
      discriminator_(discriminator_layers_, "discriminator", train.input,
                     generator_->judged_code_size(), o),
      losses_(o, learner.seed, *generator_, discriminator_),
      means_(o, train.input),
      adapted_generator_(adapted_part(*generator_, learner.adapt)),
      adapted_discriminator_(discriminator_layers_.space().count()) {
  std::iota(adapted_discriminator_.begin(), adapted_discriminator_.end(), 0);
  const auto& generator = generator_space().parameters();
  for (const auto& p : generator) spaces_.theta.add(p);
  for (const auto& p : discriminator_layers_.space().parameters())
    spaces_.theta.add(p);
  for (const auto& p : generator)
    spaces_.theta.add("average." + p.name, p.shape);
  means_.add_to(spaces_.state);
  means_size_ = spaces_.state.size();
  discriminator_.add_to(spaces_.state);
}

void MetaGan::initialise(const MetaView& meta, uint64_t seed) const {
  const auto generator = generator_part(meta.theta);
  generator_->initialise({generator, {}}, seed);
  // Another stream of numbers than the generator's.
  fill_initial(discriminator_layers_.space(),
               discriminator_part(meta.theta).data_ptr<float>(),
               seed ^ 0x9E3779B97F4A7C15u);
  averaged(meta).theta.copy_(generator);
  meta.state.zero_();
  discriminator_.start(stretches_part(meta.state));
}

std::unique_ptr<OuterStep> MetaGan::outer(const OptimOptions& options) const {
  return make_gan_step(
      options, {generator_space().size(), discriminator_layers_.space().size()},
      options_.average);
}

at::Tensor MetaGan::generator_part(const at::Tensor& flat) const {
  return flat.narrow(0, 0, generator_space().size());
}

at::Tensor MetaGan::discriminator_part(const at::Tensor& flat) const {
  return flat.narrow(0, generator_space().size(),
                     discriminator_layers_.space().size());
}

at::Tensor MetaGan::means_part(const at::Tensor& flat) const {
  return flat.narrow(0, 0, means_size_);
}

at::Tensor MetaGan::stretches_part(const at::Tensor& flat) const {
  return flat.narrow(0, means_size_, spaces_.state.size() - means_size_);
}

MetaView MetaGan::averaged(const MetaView& meta) const {
  const int64_t size = generator_space().size();
  return {
      meta.theta.narrow(0, size + discriminator_layers_.space().size(), size),
      {}};
}

MetaGan::Pair MetaGan::leaves(const at::Tensor& generator,
                              const at::Tensor& discriminator,
                              int64_t tasks) const {
  return {stacked_leaves(generator_space(), generator, tasks),
          stacked_leaves(discriminator_layers_.space(), discriminator, tasks),
          {}};
}

MetaGan::Start MetaGan::start_tasks(const MetaView& meta, int64_t tasks,
                                    bool through) const {
  const bool steps = learner_.inner_steps > 0;
  const auto d = discriminator_part(meta.theta);
  // Without inner steps all tasks share theta.
  Start s{leaves(generator_part(meta.theta), d, steps ? tasks : 1), {}};
  s.origin = steps ? stacked_leaves(discriminator_layers_.space(), d, 1)
                   : s.theta.discriminator;
  const at::AutoGradMode mode(through);
  s.theta.stretches =
      discriminator_.stretches(s.origin, stretches_part(meta.state));
  return s;
}

void MetaGan::step_discriminator(Params& d, InnerState& state,
                                 const Params& generator,
                                 const Discriminator::Stretches& stretches,
                                 const ConditionalGenerator::Seen& seen,
                                 const Scene& scene, Through through) const {
  inner_step_against(
      d, state, adapted_discriminator_,
      [&](const Params& moving) {
        const auto judged = losses_.judge({generator, moving, stretches}, seen,
                                          scene, /*slopes=*/false);
        return losses_.discriminator(judged, scene);
      },
      optimizer_, through);
}

at::Tensor MetaGan::held(const Params& generator, const Params& start) const {
  at::Tensor apart;
  for (size_t i : adapted_generator_) {
    const auto d = (generator[i] - start[i]).square().flatten(1).sum(1);
    apart = apart.defined() ? apart + d : d;
  }
  return 0.5 * options_.proximal * apart;
}

void MetaGan::step_pair(Pair& p, const Params& start, Moments& moments,
                        const Scene& scene, Through through) const {
  const at::AutoGradMode mode(true);
  step_discriminator(p.discriminator, moments.discriminator, p.generator,
                     p.stretches, generator_->see(p.generator, scene), scene,
                     through);
  inner_step_against(
      p.generator, moments.generator, adapted_generator_,
      [&](const Params& moving) {
        const auto loss =
            losses_.generator({moving, p.discriminator, p.stretches},
                              generator_->see(moving, scene), scene);
        return options_.proximal > 0 ? loss + held(moving, start) : loss;
      },
      optimizer_, through);
}

MetaGan::Pair MetaGan::adapted_pair(const Pair& theta, const TaskBatch& batch,
                                    const at::Tensor& weight) const {
  const auto& x = batch.support.x;
  Pair phi = theta;
  Moments moments;
  for (int k = 0; k < learner_.inner_steps; ++k)
    step_pair(phi, theta.generator, moments,
              {x, weight, x, weight, batch.ids, slot_of(k)}, through_);
  return phi;
}

Params MetaGan::judge_of_query(const Pair& theta, const TaskBatch& batch,
                               const at::Tensor& weight) const {
  const int steps = learner_.inner_steps;
  const auto& x = batch.query.x;
  auto judge = theta.discriminator;
  InnerState state;
  const auto seen = generator_->see(
      theta.generator, {batch.support.x, weight, x, {}, batch.ids, 0});
  for (int k = 0; k < steps; ++k)
    step_discriminator(
        judge, state, theta.generator, theta.stretches, seen,
        {batch.support.x, weight, x, {}, batch.ids, slot_of(steps + k)},
        through_);
  return judge;
}

TaskLosses MetaGan::gradient(const TaskBatch& batch, const MetaView& meta,
                             const MetaView& sums) const {
  return generator_gradient(batch, meta, sums);
}

TaskLosses MetaGan::gradient_of(int which, const TaskBatch& batch,
                                const MetaView& meta,
                                const MetaView& sums) const {
  if (which == kGeneratorLoss) return generator_gradient(batch, meta, sums);
  if (which == kDiscriminatorLoss)
    return discriminator_gradient(batch, meta, sums);
  throw Error(concat("metagan: loss ", which, "; expected 0 or 1"));
}

TaskLosses MetaGan::generator_gradient(const TaskBatch& batch,
                                       const MetaView& meta,
                                       const MetaView& sums) const {
  announce(Phase::inner);
  const auto weight = generator_->shown(batch.ids, meta.theta);
  const auto [theta, origin] =
      start_tasks(meta, batch.tasks(), /*through=*/false);
  auto phi = adapted_pair(theta, batch, weight);
  announce(Phase::outer);
  const Scene query{batch.support.x, weight, batch.query.x, {}, batch.ids, 0};
  if (learner_.inner_steps > 0 && through_ != Through::nothing)
    phi.discriminator = judge_of_query(theta, batch, weight);
  const auto seen = generator_->see(phi.generator, query);
  auto value = losses_.generator(phi, seen, query);
  if (means_.follow_images())
    value =
        value + means_.image_loss(
                    meta.state, losses_.fixed_images(phi.generator, seen, query,
                                                     GanMeans::kFollowed));
  add_to_flat(generator_space(),
              meta_gradient(theta.generator, phi.generator, value, through_),
              generator_part(sums.theta));
  GanMeans::keep(meta.state, batch.tasks(), sums.state);
  announce(Phase::idle);
  return {value.detach(), {}};
}

TaskLosses MetaGan::discriminator_gradient(const TaskBatch& batch,
                                           const MetaView& meta,
                                           const MetaView& sums) const {
  announce(Phase::inner);
  const bool steps = learner_.inner_steps > 0;
  const bool exact = through_ == Through::exact;
  const auto weight = generator_->shown(batch.ids, meta.theta);
  auto [theta, origin] = start_tasks(meta, batch.tasks(), exact);
  auto phi = adapted_pair(theta, batch, weight);
  announce(Phase::outer);
  const Scene query{batch.support.x, weight, batch.query.x, {}, batch.ids, 0};
  // Inner steps of second order alone lead back through the generator.
  if (!steps || !exact)
    for (auto& p : phi.generator) p = p.detach();
  const bool slopes =
      options_.r1 > 0 && batch.ids.front().step % options_.r1_every == 0;
  const auto seen = generator_->see(phi.generator, query);
  const auto judged = losses_.judge(phi, seen, query, slopes);
  auto value = losses_.discriminator(judged, query);
  at::Tensor outputs, images;
  if (means_.follow_outputs()) {
    const auto& shown = query.target_weight;
    value = value +
            means_.anchor_loss(meta.state, judged.real, shown, judged.fake) +
            means_.variance_loss(meta.state, judged.real, shown, judged.fake);
    outputs = GanMeans::outputs(judged.real, shown, judged.fake);
  }
  if (slopes) value = value + losses_.penalty(judged, query);
  if (means_.follow_images()) {
    at::NoGradGuard no_grad;
    images =
        losses_.fixed_images(phi.generator, seen, query, GanMeans::kFollowed);
  }

  const auto& space = discriminator_layers_.space();
  const auto to = discriminator_part(sums.theta);
  auto leaves = theta.discriminator;
  // The stretches are of the common origin.
  if (exact && steps) leaves.insert(leaves.end(), origin.begin(), origin.end());
  const auto change = meta_gradient(leaves, phi.discriminator, value, through_);
  const auto count = static_cast<std::ptrdiff_t>(space.count());
  for (auto from = change.begin(); from != change.end(); from += count)
    add_to_flat(space, Params(from, from + count), to);
  // The last loss of a step moves the means.
  means_.move(means_part(meta.state), batch.tasks(), outputs, images,
              means_part(sums.state));
  discriminator_.keep(theta.stretches, batch.tasks(),
                      stretches_part(sums.state));
  announce(Phase::idle);
  return {value.detach(), {}};
}

at::Tensor MetaGan::realness(const MetaView& meta, const at::Tensor& code,
                             const at::Tensor& images) const {
  if (!judges()) return GenerativeLearner::realness(meta, code, images);
  at::NoGradGuard no_grad;
  const auto d = shared_params(discriminator_layers_.space(),
                               discriminator_part(meta.theta));
  const auto between = discriminator_.stretches(d, stretches_part(meta.state));
  return discriminator_(discriminator_.normalised(d, between), images, code);
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
  return learner_.inner_steps > 0 ? steps_of_evaluation(learner_)
                                  : generator_->eval_steps();
}

void MetaGan::adapt(const TaskBatch& batch, const MetaView& meta,
                    const Visit& visit) const {
  if (learner_.inner_steps == 0)
    return generator_->adapt(batch, averaged(meta), visit);
  const auto& x = batch.support.x;
  const auto weight = at::ones({x.size(0), x.size(1)}, x.options());
  const auto d = discriminator_part(meta.theta);
  auto pair = leaves(averaged(meta).theta, d, batch.tasks());
  {
    at::NoGradGuard no_grad;
    pair.stretches = discriminator_.stretches(
        shared_params(discriminator_layers_.space(), d),
        stretches_part(meta.state));
  }
  const Params start = pair.generator;
  Moments moments;
  visit_steps(
      eval_steps(),
      [&](int k) { visit(k, generator_->given(pair.generator, batch)); },
      [&](int k) {
        step_pair(pair, start, moments,
                  {x, weight, x, weight, batch.ids, slot_of(k)},
                  Through::nothing);
      });
}

}  // namespace protean
