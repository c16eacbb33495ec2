// Drawings of one character differ by smooth deformations (Miller et al. 2000,
// "Learning from one example through shared densities on transforms"): a
// variational autoencoder whose latent z bends one image s of a class, the
// exemplar, into another one, x.
//
//   s uniform over the support set S   z ~ q(z | x, s)
//   p(z | s)   x ~ p(x | s bent by z)
//   loss: mean over x of -log p(x | z, s) + w KL(q(z | x, s) || p(z | s))
//         + stiffness |difference of neighbouring displacements|^2
//
// Displacements are a function of z and s on a grid of four pixels, between its
// places by the four around. A pixel is the likelier ink, the more of it the
// bent exemplar has there, sharp and blurred; the blurred ones attract from
// further away. What is shown as a sample is the bent exemplar itself: lines
// stay lines, where the likelier of ink and paper for each pixel alone would
// break them. w rises from 0 to 1 over generator.warm_up steps, without which z
// may stay unused and x a blurred s.
//
// The code of an image is a number that chooses its exemplar; without support
// images the exemplar is an empty page.
#pragma once

#include "generative/conditional_generator.h"
#include "generative/image_encoder.h"

namespace protean {

class Deform : public ConditionalGenerator {
 public:
  // Throws ConfigError naming the key.
  Deform(const GeneratorOptions& options, const LearnerOptions& learner,
         const TaskShape& train, const TaskCounts& eval);

  std::string name() const override { return "deform"; }
  // Visits after 0, 1, ... K support images.
  void adapt(const TaskBatch& batch, const MetaView& meta,
             const Visit& visit) const override;
  // As the set VAE's: an importance-weighted bound on log p(x | S), (T, n, 1).
  at::Tensor predict(const Phi& phi, const Part& part) const override;

  int64_t code_size() const override { return 1; }
  int64_t least_support() const override { return 1; }
  bool draws_any_code() const override { return false; }
  bool finds_codes() const override { return false; }
  at::Tensor code(const Phi& phi, const at::Tensor& noise) const override;
  at::Tensor decode(const Phi& phi, const at::Tensor& code,
                    const at::Tensor& noise) const override;
  // Throws Error: a choice among support images says nothing of a class.
  at::Tensor embed(const Phi& phi, const at::Tensor& x) const override;
  Phi start(const MetaView& meta) const override;

  // The images alone, whatever the parameters.
  Seen see(const Params& p, const Scene& s) const override;
  // The loss above. A support image is not its own exemplar where there are
  // others.
  at::Tensor loss(const Params& p, const Seen& seen,
                  const Scene& s) const override;
  // None: exemplars are given.
  at::Tensor code_cost(const Seen& seen) const override;
  // The code of an image is what the exemplar's features are.
  Basis basis(const Params& p, const Seen& seen, const Scene& s,
              int64_t n) const override;
  at::Tensor images(const Params& p, const Basis& from,
                    const at::Tensor& normal) const override;
  at::Tensor own_codes(const Params& p,
                       const at::Tensor& images) const override;
  int64_t judged_code_size() const override { return options_.features; }
  at::Tensor shown(const std::vector<TaskId>& ids,
                   const at::Tensor& like) const override;
  Phi given(const Params& p, const TaskBatch& batch) const override;

 private:
  // One of support (T, K, ...) for each standard normal number of (T, n).
  at::Tensor chosen(const at::Tensor& support, const at::Tensor& normal) const;
  // The same for images that are the support itself: another one each.
  at::Tensor another(const at::Tensor& support, const at::Tensor& normal) const;
  Gaussian prior(const Params& p, const at::Tensor& features) const;
  Gaussian posterior(const Params& p, const at::Tensor& x,
                     const at::Tensor& exemplar) const;
  // Displacements in cells of the grid, (n, T, 2, h, w).
  at::Tensor grid(const Params& p, const at::Tensor& features,
                  const at::Tensor& z) const;
  // The exemplar and blurs of it, bent, (n, T, levels, C, H, W).
  at::Tensor bent(const at::Tensor& exemplar, const at::Tensor& grid) const;
  // The exemplar bent as standard normal noise says, not rounded,
  // (T, n, C, H, W).
  at::Tensor sample(const Params& p, const at::Tensor& exemplar,
                    const at::Tensor& features, const at::Tensor& noise) const;
  // (T, n, C, H, W)
  at::Tensor logits(const Params& p, const at::Tensor& bent) const;

  int64_t grid_height_, grid_width_;
  ImageEncoder encoder_, pair_encoder_;
  Dense prior_, posterior_, bend1_, bend2_;
  size_t ink_, paper_;  // weights of the levels; logit of none
};

}  // namespace protean
