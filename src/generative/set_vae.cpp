#include "generative/set_vae.h"

#include <ATen/ATen.h>

#include "protean/core/error.h"
#include "protean/core/philox.h"
#include "protean/models/params.h"
#include "protean/tasks/noise.h"
#include "protean/tasks/upload.h"

#include "generative/pixels.h"

namespace protean {
namespace {

// Slots of Purpose::noise, within the four of one loss and after them.
constexpr uint32_t kCodeNoise = 0, kLatentNoise = 1, kShown = 2;
constexpr uint32_t kMadeCode = ConditionalGenerator::kLossSlots;

}  // namespace

SetVae::SetVae(const GeneratorOptions& o, const LearnerOptions& learner,
               const TaskShape& train, const TaskCounts& eval)
    : ConditionalGenerator(o, learner, train, eval),
      encoder_(layers_, "encoder", shape_, o),
      pool_(layers_.as(kCode | kModulation), "pool", o),
      prior1_(layers_.as(0), "prior.dense", o.code, o.hidden),
      prior2_(layers_, "prior.latent", o.hidden, 2 * o.latent, 0.1),
      posterior1_(layers_, "posterior.dense", o.features + o.code, o.hidden),
      posterior2_(layers_, "posterior.latent", o.hidden, 2 * o.latent),
      decoder_(make_decoder(layers_.as(kDecoder), "decoder", shape_, o)) {
  spaces_.theta = layers_.space();
}

at::Tensor SetVae::shown(const std::vector<TaskId>& ids,
                         const at::Tensor& like) const {
  auto weight =
      at::ones({static_cast<int64_t>(ids.size()), train_shots_}, at::kFloat);
  if (options_.random_shots)
    for (size_t t = 0; t < ids.size(); ++t) {
      Draws draws(seed_, ids[t], Purpose::noise, kShown);
      const auto count = 1 + static_cast<int64_t>(draws.below(
                                 static_cast<uint64_t>(train_shots_)));
      weight[static_cast<int64_t>(t)]
          .narrow(0, count, train_shots_ - count)
          .zero_();
    }
  return upload(weight.to(like.scalar_type()), like.device());
}

Gaussian SetVae::prior(const Params& p, const at::Tensor& code) const {
  return Gaussian::of(prior2_(p, at::relu(prior1_(p, code))));
}

Gaussian SetVae::posterior(const Params& p, const at::Tensor& features,
                           const at::Tensor& code) const {
  const auto h = posterior1_(p, at::cat({features, code}, -1));
  return Gaussian::of(posterior2_(p, at::relu(h)));
}

Gaussian SetVae::code_of(const Params& p, const at::Tensor& support,
                         const at::Tensor& weight) const {
  return pool_(p, encoder_(p, prepared(support)), weight);
}

SetVae::Seen SetVae::see(const Params& p, const Scene& s) const {
  return {{}, code_of(p, s.support, s.weight)};
}

at::Tensor SetVae::loss(const Params& p, const Seen& seen,
                        const Scene& s) const {
  const auto x = prepared(s.target);
  const auto own = [&](int64_t d, uint32_t slot) {
    return noise(s.ids, x.size(1), d, Purpose::noise, s.slot + slot, x);
  };
  // A code of its own for every image: less noise in the gradient.
  const auto code = seen.code.sample(own(options_.code, kCodeNoise));
  const auto q = posterior(p, encoder_(p, x), code);
  const auto z = q.sample(own(options_.latent, kLatentNoise));
  const auto logits = (*decoder_)(p, code, z);
  const auto bound = pixel_log_likelihood(logits, x, options_.binary) -
                     divergence(q, prior(p, code));
  return code_cost(seen) - mean_of_images(bound, s.target_weight);
}

at::Tensor SetVae::code_cost(const Seen& seen) const {
  return options_.code_weight * divergence_from_standard(seen.code).squeeze(1);
}

SetVae::Basis SetVae::basis(const Params&, const Seen& seen, const Scene& s,
                            int64_t n) const {
  return {seen.code.sample(noise(s.ids, n, options_.code, Purpose::noise,
                                 s.slot + kMadeCode, seen.code.mean)),
          {}};
}

at::Tensor SetVae::images(const Params& p, const Basis& from,
                          const at::Tensor& normal) const {
  const auto logits = (*decoder_)(p, from.code, latent(p, from.code, normal));
  const auto ink = at::sigmoid(logits);
  return options_.binary ? ink + (pixels(logits, true) - ink).detach() : ink;
}

at::Tensor SetVae::own_codes(const Params& p, const at::Tensor& images) const {
  if (!options_.encoder)
    throw ConfigError("generator.encoder = false: an image has no code");
  return own_code(p, encoder_(p, images)).mean;
}

at::Tensor SetVae::latent(const Params& p, const at::Tensor& code,
                          const at::Tensor& noise) const {
  if (options_.noise == "uniform") return 2 * share_below(noise) - 1;
  return prior(p, code).sample(noise);
}

Phi SetVae::start(const MetaView& meta) const {
  Phi phi;
  phi.params = shared_params(spaces_.theta, meta.theta);
  return phi;
}

void SetVae::adapt(const TaskBatch& batch, const MetaView& meta,
                   const Visit& visit) const {
  at::NoGradGuard no_grad;
  Phi phi = start(meta);
  phi.memory = {to_tensor(batch.ids)};
  visit(0, phi);
  const auto features = encoder_(phi.params, prepared(batch.support.x));
  for (int64_t k = 1; k <= features.size(1); ++k) {
    const auto some = features.narrow(1, 0, k);
    remember(phi, batch.ids,
             pool_(phi.params, some, at::ones_like(some.select(2, 0))));
    visit(static_cast<int>(k), phi);
  }
}

Phi SetVae::given(const Params& p, const TaskBatch& batch) const {
  at::NoGradGuard no_grad;
  const auto& x = batch.support.x;
  Phi phi;
  phi.params = p;
  remember(phi, batch.ids,
           code_of(p, x, at::ones({x.size(0), x.size(1)}, x.options())));
  return phi;
}

void SetVae::remember(Phi& phi, const std::vector<TaskId>& ids,
                      const Gaussian& q_code) {
  phi.memory = {to_tensor(ids), q_code.mean, q_code.log_variance};
}

at::Tensor SetVae::code(const Phi& phi, const at::Tensor& noise) const {
  if (phi.memory.size() < 3) return noise;
  return Gaussian{phi.memory[1], phi.memory[2]}.sample(noise);
}

at::Tensor SetVae::decode(const Phi& phi, const at::Tensor& code,
                          const at::Tensor& noise) const {
  at::NoGradGuard no_grad;
  const auto z = latent(phi.params, code, noise);
  return pixels((*decoder_)(phi.params, code, z), options_.binary);
}

Gaussian SetVae::own_code(const Params& p, const at::Tensor& features) const {
  // Every image is a set of its own, with its task's parameters.
  const auto single = features.flatten(0, 1).unsqueeze(1);
  Params own = p;
  for (size_t i = 0; i < own.size(); ++i)
    if (own[i].size(0) > 1 && spaces_.theta.parameters()[i].is(kCode))
      own[i] = own[i].repeat_interleave(features.size(1), 0);
  const auto q = pool_(own, single, at::ones_like(single.select(2, 0)));
  const auto each = [&](const at::Tensor& t) {
    return t.view({features.size(0), features.size(1), options_.code});
  };
  return {each(q.mean), each(q.log_variance)};
}

at::Tensor SetVae::embed(const Phi& phi, const at::Tensor& x) const {
  at::NoGradGuard no_grad;
  return own_codes(phi.params, prepared(x));
}

at::Tensor SetVae::predict(const Phi& phi, const Part& part) const {
  at::NoGradGuard no_grad;
  const auto ids = to_ids(phi.memory.at(0));
  const auto& p = phi.params;
  const auto x = prepared(part.x);
  const int64_t n = x.size(1);
  const auto features = encoder_(p, x);
  // Without support images c comes from its prior, and an image's own code is
  // the proposal.
  Gaussian proposal;
  if (phi.memory.size() < 3) proposal = own_code(p, features);
  std::vector<at::Tensor> log_weights;
  for (int64_t s = 0; s < options_.bound_samples; ++s) {
    const auto own = [&](int64_t d, int64_t slot) {
      return noise(ids, n, d, Purpose::latent, slot, x);
    };
    const auto code_noise = own(options_.code, 2 * s);
    const auto code = phi.memory.size() == 3 ? this->code(phi, code_noise)
                                             : proposal.sample(code_noise);
    const auto q = posterior(p, features, code);
    const auto z = q.sample(own(options_.latent, 2 * s + 1));
    auto log_w =
        pixel_log_likelihood((*decoder_)(p, code, z), x, options_.binary) +
        prior(p, code).log_density(z) - q.log_density(z);
    if (phi.memory.size() < 3)
      log_w = log_w + standard_log_density(code) - proposal.log_density(code);
    log_weights.push_back(log_w);
  }
  return weighted_bound(log_weights);
}

}  // namespace protean
