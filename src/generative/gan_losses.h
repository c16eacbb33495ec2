// What generator and discriminator of a GAN lose by the images of T tasks; the
// formulas are those of meta_gan.h.
//
// Losses are one value per task, (T), differentiable in both networks'
// parameters to any order.
#pragma once

#include "protean/generative/options.h"

#include "generative/conditional_generator.h"
#include "generative/discriminator.h"

namespace protean {

// Stacked parameters of both networks, (T or 1, ...).
struct GanPair {
  Params generator, discriminator;
  // Of the discriminator that inner steps start from.
  Discriminator::Stretches stretches;
};

class GanLosses {
 public:
  // Slots of noise that the losses of a scene take, from its first on.
  static constexpr uint32_t kSlots = 8;

  using Seen = ConditionalGenerator::Seen;
  // A scene's images, and as made from its support set, before the
  // discriminator.
  struct Judged {
    at::Tensor x, made;     // (T, n, C, H, W)
    at::Tensor code;        // that made ones are of, (T, n, c)
    Params judge;           // the discriminator, normalised
    at::Tensor real, fake;  // its outputs, (T, n)
  };

  // seed: of the noise. The networks must outlive it.
  GanLosses(const GeneratorOptions& options, uint64_t seed,
            const ConditionalGenerator& generator,
            const Discriminator& discriminator);

  at::Tensor generator(const GanPair& p, const Seen& seen,
                       const Scene& s) const;

  // slopes: x is made a leaf, so that penalty() can be taken.
  Judged judge(const GanPair& p, const Seen& seen, const Scene& s,
               bool slopes) const;
  // The discriminator's loss by its outputs alone.
  at::Tensor discriminator(const Judged& j, const Scene& s) const;
  // Its gradient penalty, times generator.r1 and r1_every.
  at::Tensor penalty(const Judged& j, const Scene& s) const;

  // Images of noise that is the same for all tasks, (T, n C H W).
  at::Tensor fixed_images(const Params& generator, const Seen& seen,
                          const Scene& s, int64_t n) const;

 private:
  using Basis = ConditionalGenerator::Basis;
  // One image for each of the target's.
  at::Tensor noise(const Scene& s, uint32_t slot) const;
  // -E log of what the discriminator says of made images, or its output.
  at::Tensor adversary(const GanPair& p, const Basis& basis,
                       const at::Tensor& made) const;
  at::Tensor squared_error(const at::Tensor& made, const Scene& s) const;
  at::Tensor code_cycle(const Params& generator, const Basis& basis,
                        const at::Tensor& made) const;
  // Images somewhere between x and the made ones.
  at::Tensor between(const Judged& j, const Scene& s) const;

  GeneratorOptions options_;
  uint64_t seed_;
  const ConditionalGenerator& generator_;
  const Discriminator& discriminator_;
};

}  // namespace protean
