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

#include "protean/generative/generative_learner.h"

#include "generative/image_decoder.h"
#include "generative/image_encoder.h"
#include "generative/set_pool.h"

namespace protean {

class SetVae : public GenerativeLearner {
 public:
  SetVae(const GeneratorOptions& options, const LearnerOptions& learner,
         const TaskShape& train, const TaskCounts& eval);

  std::string name() const override { return "setvae"; }
  const MetaSpaces& spaces() const override { return spaces_; }
  void initialise(const MetaView& meta, uint64_t seed) const override;
  TaskLosses gradient(const TaskBatch& batch, const MetaView& meta,
                      const MetaView& sums) const override;
  void adapt(const TaskBatch& batch, const MetaView& meta,
             const Visit& visit) const override;
  int eval_steps() const override { return eval_shots_; }
  // A lower bound on log p(x | S) in nats, (T, n, 1): importance-weighted
  // (Burda et al. 2016, arXiv:1509.00519) over generator.bound_samples.
  at::Tensor predict(const Phi& phi, const Part& part) const override;

  int64_t code_size() const override { return options_.code; }
  int64_t latent_size() const override { return options_.latent; }
  const std::vector<int64_t>& image_shape() const override { return shape_; }
  int64_t least_support() const override {
    return options_.random_shots ? 1 : train_shots_;
  }
  at::Tensor embed(const Phi& phi, const at::Tensor& x) const override;
  Phi start(const MetaView& meta) const override;
  at::Tensor code(const Phi& phi, const at::Tensor& noise) const override;
  at::Tensor decode(const Phi& phi, const at::Tensor& code,
                    const at::Tensor& noise) const override;

 protected:
  // q(c | S) for the support images of weight 1, (T, 1, c).
  Gaussian seen(const Params& p, const at::Tensor& support,
                const at::Tensor& weight) const;
  // Which support images a training task shows, (T, K) of 0 and 1.
  at::Tensor shown(const std::vector<TaskId>& ids,
                   const at::Tensor& like) const;
  // Keeps q(c | S) and the tasks for code() and predict().
  static void remember(Phi& phi, const std::vector<TaskId>& ids,
                       const Gaussian& q_code);
  // The loss above, (T), of images x of weight 1 (undefined: all). Takes four
  // slots of the tasks' noise.
  at::Tensor loss(const Params& p, const Gaussian& q_code, const at::Tensor& x,
                  const at::Tensor& weight, const std::vector<TaskId>& ids,
                  uint32_t slot) const;
  // For every image of x, (T, n, d).
  at::Tensor noise(const std::vector<TaskId>& ids, const at::Tensor& x,
                   int64_t d, uint32_t slot) const;

  GeneratorOptions options_;
  uint64_t seed_;
  std::vector<int64_t> shape_;
  int64_t train_shots_;
  int eval_shots_;
  LayerSpace layers_;
  MetaSpaces spaces_;

  at::Tensor prepared(const at::Tensor& images) const;
  Gaussian prior(const Params& p, const at::Tensor& code) const;

 private:
  // q(c | {x}) of each image, (T, n, c).
  Gaussian own_code(const Params& p, const at::Tensor& features) const;
  Gaussian posterior(const Params& p, const at::Tensor& features,
                     const at::Tensor& code) const;

  ImageEncoder encoder_;
  SetPool pool_;
  Dense prior1_, prior2_, posterior1_, posterior2_;

 protected:
  ImageDecoder decoder_;
};

}  // namespace protean
