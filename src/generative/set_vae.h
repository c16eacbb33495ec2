// A set-conditional variational autoencoder: the Neural Statistician (Edwards
// and Storkey 2017, arXiv:1606.02185) trained as the Variational Homoencoder
// (Hewitt et al. 2018, arXiv:1807.08919): the code c of a class comes from one
// subset S of its images, and other images x of the class are decoded from it,
// so c carries the class and no pixels.
//
//   c ~ q(c | S)   z ~ q(z | x, c)   p(c) = N(0, I)   p(z | c)   p(x | z, c)
//   loss: mean over x of  -log p(x | z, c) + KL(q(z | x, c) || p(z | c))
//         + code_weight KL(q(c | S) || p(c))
//
// S is the support set (a random part of it while training), x the query set.
// Nothing is adapted by gradients: what takes k = 0, 1, ... K steps at
// evaluation is showing k support images.
#pragma once

#include "generative/conditional_generator.h"
#include "generative/image_decoder.h"
#include "generative/image_encoder.h"
#include "generative/set_pool.h"

namespace protean {

class SetVae : public ConditionalGenerator {
 public:
  SetVae(const GeneratorOptions& options, const LearnerOptions& learner,
         const TaskShape& train, const TaskCounts& eval);

  std::string name() const override { return "setvae"; }
  void adapt(const TaskBatch& batch, const MetaView& meta,
             const Visit& visit) const override;
  // A lower bound on log p(x | S) in nats, (T, n, 1): importance-weighted
  // over generator.bound_samples.
  at::Tensor predict(const Phi& phi, const Part& part) const override;

  int64_t code_size() const override { return options_.code; }
  bool finds_codes() const override { return options_.encoder; }
  int64_t least_support() const override {
    return options_.random_shots ? 1 : train_shots_;
  }
  at::Tensor embed(const Phi& phi, const at::Tensor& x) const override;
  Phi start(const MetaView& meta) const override;
  at::Tensor code(const Phi& phi, const at::Tensor& noise) const override;
  at::Tensor decode(const Phi& phi, const at::Tensor& code,
                    const at::Tensor& noise) const override;

  // q(c | S) for the support images of weight 1.
  Seen see(const Params& p, const Scene& s) const override;
  // The loss above.
  at::Tensor loss(const Params& p, const Seen& seen,
                  const Scene& s) const override;
  at::Tensor code_cost(const Seen& seen) const override;
  Basis basis(const Params& p, const Seen& seen, const Scene& s,
              int64_t n) const override;
  at::Tensor images(const Params& p, const Basis& from,
                    const at::Tensor& normal) const override;
  at::Tensor own_codes(const Params& p,
                       const at::Tensor& images) const override;
  int64_t judged_code_size() const override { return options_.code; }
  at::Tensor shown(const std::vector<TaskId>& ids,
                   const at::Tensor& like) const override;
  Phi given(const Params& p, const TaskBatch& batch) const override;

 private:
  // q(c | S) for the support images of weight 1, (T, 1, c).
  Gaussian code_of(const Params& p, const at::Tensor& support,
                   const at::Tensor& weight) const;
  // Keeps q(c | S) and the tasks for code() and predict().
  static void remember(Phi& phi, const std::vector<TaskId>& ids,
                       const Gaussian& q_code);
  Gaussian prior(const Params& p, const at::Tensor& code) const;
  // What tells the images of a class apart, of standard normal noise.
  at::Tensor latent(const Params& p, const at::Tensor& code,
                    const at::Tensor& noise) const;
  // q(c | {x}) of each image, (T, n, c).
  Gaussian own_code(const Params& p, const at::Tensor& features) const;
  Gaussian posterior(const Params& p, const at::Tensor& features,
                     const at::Tensor& code) const;

  ImageEncoder encoder_;
  SetPool pool_;
  Dense prior1_, prior2_, posterior1_, posterior2_;
  std::unique_ptr<const Decoder> decoder_;
};

}  // namespace protean
