#include "generative/gan_losses.h"

#include <ATen/ATen.h>

#include "protean/core/philox.h"
#include "protean/tasks/noise.h"

#include "generative/gan_penalties.h"
#include "generative/gaussian.h"

namespace protean {
namespace {

// Slots of a scene beside those of the generator's loss and of what it makes.
constexpr uint32_t kFakeLatent = 5, kOtherLatent = 6, kMixing = 7;

// What the discriminator loses by its output for a real image, or a made one.
at::Tensor of_output(const std::string& loss, const at::Tensor& output,
                     bool real) {
  const auto wrong = real ? -output : output;
  if (loss == "bce") return at::softplus(wrong);
  return loss == "hinge" ? at::relu(1 + wrong) : wrong;
}

}  // namespace

GanLosses::GanLosses(const GeneratorOptions& options, uint64_t seed,
                     const ConditionalGenerator& generator,
                     const Discriminator& discriminator)
    : options_(options),
      seed_(seed),
      generator_(generator),
      discriminator_(discriminator) {}

at::Tensor GanLosses::noise(const Scene& s, uint32_t slot) const {
  return task_noise(seed_, s.ids, s.target.size(1), generator_.latent_size(),
                    Purpose::noise, s.slot + slot, s.target);
}

at::Tensor GanLosses::generator(const GanPair& p, const Seen& seen,
                                const Scene& s) const {
  const auto& o = options_;
  const auto& g = p.generator;
  const auto basis = generator_.basis(g, seen, s, s.target.size(1));
  const auto z = noise(s, kFakeLatent);
  const auto made = generator_.images(g, basis, z);
  auto value = o.reconstruct == "bound" ? generator_.loss(g, seen, s)
                                        : generator_.code_cost(seen);
  if (o.reconstruct == "mse") value = value + squared_error(made, s);
  if (o.adversary > 0) value = value + o.adversary * adversary(p, basis, made);
  if (o.mode_seeking > 0) {
    const auto other = noise(s, kOtherLatent);
    value = value + o.mode_seeking *
                        mode_seeking(made, z,
                                     generator_.images(g, basis, other), other);
  }
  if (o.code_cycle > 0)
    value = value + o.code_cycle * code_cycle(g, basis, made);
  return value;
}

at::Tensor GanLosses::adversary(const GanPair& p, const Basis& basis,
                                const at::Tensor& made) const {
  const auto judge = discriminator_.normalised(p.discriminator, p.stretches);
  const auto score = discriminator_(judge, made, basis.code);
  return (options_.loss == "bce" ? at::softplus(-score) : -score).mean(1);
}

at::Tensor GanLosses::squared_error(const at::Tensor& made,
                                    const Scene& s) const {
  const auto apart = (made - generator_.prepared(s.target)).square();
  return mean_of_images(apart.sum({2, 3, 4}), s.target_weight);
}

at::Tensor GanLosses::code_cycle(const Params& generator, const Basis& basis,
                                 const at::Tensor& made) const {
  const auto found = generator_.own_codes(generator, made);
  return (found - basis.code).square().sum(2).mean(1);
}

GanLosses::Judged GanLosses::judge(const GanPair& p, const Seen& seen,
                                   const Scene& s, bool slopes) const {
  const auto basis = generator_.basis(p.generator, seen, s, s.target.size(1));
  Judged j;
  j.code = basis.code;
  j.made = generator_.images(p.generator, basis, noise(s, kFakeLatent));
  j.x = generator_.prepared(s.target);
  if (slopes) j.x = j.x.detach().requires_grad_();
  j.judge = discriminator_.normalised(p.discriminator, p.stretches);
  j.real = discriminator_(j.judge, j.x, j.code);
  j.fake = discriminator_(j.judge, j.made, j.code);
  return j;
}

at::Tensor GanLosses::discriminator(const Judged& j, const Scene& s) const {
  return mean_of_images(of_output(options_.loss, j.real, true),
                        s.target_weight) +
         of_output(options_.loss, j.fake, false).mean(1);
}

at::Tensor GanLosses::penalty(const Judged& j, const Scene& s) const {
  const double strength = options_.r1 * static_cast<double>(options_.r1_every);
  if (options_.loss != "wasserstein") return strength * r1_penalty(j.x, j.real);
  const auto at = between(j, s).detach().requires_grad_();
  return strength * unit_slope_penalty(at, discriminator_(j.judge, at, j.code));
}

at::Tensor GanLosses::between(const Judged& j, const Scene& s) const {
  const auto normal = task_noise(seed_, s.ids, j.x.size(1), 1, Purpose::noise,
                                 s.slot + kMixing, j.x);
  const auto share = share_below(normal).unsqueeze(-1).unsqueeze(-1);
  return share * j.x + (1 - share) * j.made;
}

at::Tensor GanLosses::fixed_images(const Params& generator, const Seen& seen,
                                   const Scene& s, int64_t n) const {
  const auto fixed =
      task_noise(seed_, {TaskId{Stream::generator, 0, 0}}, n,
                 generator_.latent_size(), Purpose::latent, 0, s.target)
          .expand({s.target.size(0), -1, -1});
  return generator_
      .images(generator, generator_.basis(generator, seen, s, n), fixed)
      .flatten(1);
}

}  // namespace protean
