// A meta-learnt GAN: a set-conditional generator G(z, c) and a discriminator
// D(x, c) that is told the class, over a VAE that anchors both (VAE/GAN, Larsen
// et al. 2016, arXiv:1512.09300):
//
//   L_D = E relu(1 - D(x, c)) + E relu(1 + D(G(z, c), c))
//   L_G = -bound of the set VAE - adversary E D(G(z, c), c)
//         + mode_seeking / (|G(z, c) - G(z', c)| / |z - z'|)
//
// (hinge: Lim and Ye 2017, arXiv:1705.02894, or non-saturating cross-entropy,
// or Wasserstein with a gradient penalty, Gulrajani et al. 2017,
// arXiv:1704.00028; mode seeking: Mao et al. 2019, arXiv:1903.05628; in place
// of the bound a squared error.) L_D has two more terms: lazy R1 (Mescheder et
// al. 2018, arXiv:1801.04406, every r1_every steps), and LeCam (Tseng et al.
// 2021, arXiv:2104.03310), which holds D's outputs to running means over the
// tasks; these are meta-state.
//
// With learner.inner_steps = K > 0 both adapt to a task as in DAWSON (Liang et
// al. 2020, arXiv:2001.00576): K times a step of D, then one of G, on the
// support set. D's outer loss is that of the adapted pair on the query set; G's
// is judged there by a D of its own, adapted on the query set, since one that
// knows the support set alone is a poor judge. Exact, first order, or Reptile.
#pragma once

#include <functional>

#include "generative/discriminator.h"
#include "generative/set_vae.h"
#include "learners/inner_optimizer.h"

namespace protean {

class MetaGan : public SetVae {
 public:
  // Throws ConfigError naming the key.
  MetaGan(const GeneratorOptions& options, const LearnerOptions& learner,
          const TaskShape& train, const TaskCounts& eval);

  std::string name() const override { return "metagan"; }
  void initialise(const MetaView& meta, uint64_t seed) const override;
  // The generator's loss.
  TaskLosses gradient(const TaskBatch& batch, const MetaView& meta,
                      const MetaView& sums) const override;
  int losses() const override { return 2; }
  TaskLosses gradient_of(int which, const TaskBatch& batch,
                         const MetaView& meta,
                         const MetaView& sums) const override;
  std::unique_ptr<OuterStep> outer(const OptimOptions& options) const override;
  // Of the averaged generator.
  Phi start(const MetaView& meta) const override;
  void adapt(const TaskBatch& batch, const MetaView& meta,
             const Visit& visit) const override;
  int eval_steps() const override;

 private:
  struct Pair {
    Params generator, discriminator;
  };
  struct Fakes {
    at::Tensor images, code, noise;
  };
  // One task's images and the noise slots of what is done with them.
  struct Scene {
    const at::Tensor& support;
    const at::Tensor& weight;  // of the support images
    const at::Tensor& target;
    at::Tensor target_weight;  // undefined: all
    const std::vector<TaskId>& ids;
    uint32_t slot;
  };
  // Whether running means of D's outputs are kept.
  bool follows_outputs() const;
  // Mean over the target images of weight 1, (T).
  static at::Tensor over_target(const at::Tensor& v, const Scene& scene);
  // Instead of the bound.
  at::Tensor squared_error(const Gaussian& q_code, const Fakes& fakes,
                           const Scene& scene) const;
  // Images somewhere between x and made ones.
  at::Tensor mixed(const at::Tensor& x, const at::Tensor& made,
                   const Scene& scene) const;
  Pair leaves(const MetaView& meta, int64_t tasks, bool averaged) const;
  Fakes fakes(const Params& generator, const Gaussian& q_code,
              const Scene& scene, uint32_t slot) const;
  at::Tensor generator_loss(const Pair& p, const Scene& scene) const;
  // anchors: running means of D on reals and fakes; undefined: no such term.
  // moved gets this task's own, (T, 2).
  at::Tensor discriminator_loss(const Pair& p, const Scene& scene,
                                const at::Tensor& anchors, bool penalty,
                                at::Tensor* moved) const;
  struct Moments {
    InnerState generator, discriminator;
  };
  void inner_loop(Pair& p, Moments& moments, const Scene& support, int steps,
                  bool differentiable) const;
  void inner_step(Params& moving, const std::vector<size_t>& which,
                  const std::function<at::Tensor(const Params&)>& loss,
                  InnerState& state, bool differentiable) const;

  LearnerOptions learner_;
  InnerOptimizer optimizer_;
  LayerSpace discriminator_layers_;
  Discriminator discriminator_;
  std::vector<size_t> adapted_generator_, adapted_discriminator_;
};

}  // namespace protean
