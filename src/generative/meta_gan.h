// A meta-learnt GAN: a set-conditional generator G(z, c) and a discriminator
// D(x, c) that is told the class, over what anchors the generator to real
// images, most often its own bound (VAE/GAN, Larsen et al. 2016,
// arXiv:1512.09300):
//
//   L_D = E relu(1 - D(x, c)) + E relu(1 + D(G(z, c), c))
//   L_G = -bound of the generator - adversary E D(G(z, c), c)
//         + mode_seeking / (|G(z, c) - G(z', c)| / |z - z'|)
//
// (hinge: Lim and Ye 2017, arXiv:1705.02894, or non-saturating cross-entropy,
// or Wasserstein with a gradient penalty, Gulrajani et al. 2017,
// arXiv:1704.00028; mode seeking: Mao et al. 2019, arXiv:1903.05628; in place
// of the bound a squared error, or nothing.) L_D has two more terms: lazy R1
// (Mescheder et al. 2018, arXiv:1801.04406, every r1_every steps), and LeCam
// (Tseng et al. 2021, arXiv:2104.03310), which holds D's outputs to running
// means over the tasks. L_G may have more: squared differences between c and
// the code of G(z, c), and the variance over tasks of what fixed z make, about
// running means. Running means are meta-state, and so are the directions of the
// discriminator's spectral norms.
//
// The generator is a set VAE, or with generator.network = deform the
// deformation model, whose c is what the bent support image's features are.
//
// With learner.inner_steps = K > 0 both adapt to a task as in DAWSON (Liang et
// al. 2020, arXiv:2001.00576): K times a step of D, then one of G, on the
// support set. D's outer loss is that of the adapted pair on the query set; G's
// is judged there by a D of its own, adapted on the query set, since one that
// knows the support set alone is a poor judge. Exact, first order, or Reptile.
#pragma once

#include "protean/learners/unroll.h"

#include "generative/conditional_generator.h"
#include "generative/discriminator.h"
#include "generative/gan_losses.h"
#include "generative/gan_means.h"

namespace protean {

class MetaGan : public GenerativeLearner {
 public:
  // Throws ConfigError naming the key.
  MetaGan(const GeneratorOptions& options, const LearnerOptions& learner,
          const TaskShape& train, const TaskCounts& eval);
  MetaGan(const MetaGan&) = delete;  // losses_ refers to its networks

  std::string name() const override { return "metagan"; }
  const MetaSpaces& spaces() const override { return spaces_; }
  void initialise(const MetaView& meta, uint64_t seed) const override;
  // The generator's loss.
  TaskLosses gradient(const TaskBatch& batch, const MetaView& meta,
                      const MetaView& sums) const override;
  int losses() const override { return 2; }
  TaskLosses gradient_of(int which, const TaskBatch& batch,
                         const MetaView& meta,
                         const MetaView& sums) const override;
  std::unique_ptr<OuterStep> outer(const OptimOptions& options) const override;
  void adapt(const TaskBatch& batch, const MetaView& meta,
             const Visit& visit) const override;
  bool visits_support() const override { return learner_.inner_steps == 0; }
  int eval_steps() const override;

  // All that follows is the averaged generator's.
  Phi start(const MetaView& meta) const override;
  // The generator's bound, where it was trained by it, else NaN.
  at::Tensor predict(const Phi& phi, const Part& part) const override;
  int64_t code_size() const override { return generator_->code_size(); }
  int64_t latent_size() const override { return generator_->latent_size(); }
  const std::vector<int64_t>& image_shape() const override {
    return generator_->image_shape();
  }
  int64_t least_support() const override { return generator_->least_support(); }
  bool draws_any_code() const override { return generator_->draws_any_code(); }
  bool finds_codes() const override { return generator_->finds_codes(); }
  at::Tensor code(const Phi& phi, const at::Tensor& noise) const override {
    return generator_->code(phi, noise);
  }
  at::Tensor decode(const Phi& phi, const at::Tensor& code,
                    const at::Tensor& noise) const override {
    return generator_->decode(phi, code, noise);
  }
  at::Tensor embed(const Phi& phi, const at::Tensor& x) const override {
    return generator_->embed(phi, x);
  }
  // The discriminator, where it is told a class's code or nothing.
  bool judges() const override { return draws_any_code(); }
  at::Tensor realness(const MetaView& meta, const at::Tensor& code,
                      const at::Tensor& images) const override;

 private:
  using Pair = GanPair;
  struct Moments {
    InnerState generator, discriminator;
  };
  // Where T tasks start, and what all their discriminators came from: stretches
  // depend on it where `through` says so.
  struct Start {
    Pair theta;
    Params origin;
  };

  const ParameterSpace& generator_space() const {
    return generator_->spaces().theta;
  }
  // Their slices of something flat like theta.
  at::Tensor generator_part(const at::Tensor& flat) const;
  at::Tensor discriminator_part(const at::Tensor& flat) const;
  // Their slices of something flat like the meta-state.
  at::Tensor means_part(const at::Tensor& flat) const;
  at::Tensor stretches_part(const at::Tensor& flat) const;
  // The generator's average.
  MetaView averaged(const MetaView& meta) const;
  Pair leaves(const at::Tensor& generator, const at::Tensor& discriminator,
              int64_t tasks) const;
  Start start_tasks(const MetaView& meta, int64_t tasks, bool through) const;

  // Each adds to its own part of sums.
  TaskLosses generator_gradient(const TaskBatch& batch, const MetaView& meta,
                                const MetaView& sums) const;
  TaskLosses discriminator_gradient(const TaskBatch& batch,
                                    const MetaView& meta,
                                    const MetaView& sums) const;
  // The pair after all inner steps of training on the support set, its images
  // of weight 1.
  Pair adapted_pair(const Pair& theta, const TaskBatch& batch,
                    const at::Tensor& weight) const;
  // A discriminator that knows the query set, by inner steps against the
  // generator that all start from.
  Params judge_of_query(const Pair& theta, const TaskBatch& batch,
                        const at::Tensor& weight) const;
  // One inner step of each; start: the generator before the first of all.
  void step_pair(Pair& p, const Params& start, Moments& moments,
                 const Scene& scene, Through through) const;
  void step_discriminator(Params& d, InnerState& state, const Params& generator,
                          const Discriminator::Stretches& stretches,
                          const ConditionalGenerator::Seen& seen,
                          const Scene& scene, Through through) const;
  // generator.proximal, (T).
  at::Tensor held(const Params& generator, const Params& start) const;

  GeneratorOptions options_;
  LearnerOptions learner_;
  InnerOptimizer optimizer_;
  Through through_;
  std::unique_ptr<const ConditionalGenerator> generator_;
  LayerSpace discriminator_layers_;
  Discriminator discriminator_;
  GanLosses losses_;
  GanMeans means_;
  int64_t means_size_ = 0;
  MetaSpaces spaces_;
  std::vector<size_t> adapted_generator_, adapted_discriminator_;
};

}  // namespace protean
