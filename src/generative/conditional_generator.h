// A generator of a class's images from some of them: what generative learners
// that decode from a support set have in common, and one half of a GAN, whose
// discriminator judges its images (MetaGan).
//
// All parameters are stacked, (T or 1, ...), and all results differentiable in
// them to any order. What see() reads of a scene's support images serves all
// that is then done with the scene by the same parameters.
#pragma once

#include <string>
#include <vector>

#include "protean/core/philox.h"
#include "protean/generative/generative_learner.h"

#include "generative/gaussian.h"
#include "generative/layers.h"

namespace protean {

// Images of T tasks, and the noise that what is done with them may take.
struct Scene {
  const at::Tensor& support;  // (T, K, C, H, W)
  const at::Tensor& weight;   // of the support images, (T, K) of 0 and 1
  const at::Tensor& target;   // (T, n, C, H, W), may be the support images
  at::Tensor target_weight;   // (T, n) of 0 and 1; undefined: all
  const std::vector<TaskId>& ids;
  uint32_t slot;  // first of Purpose::noise
};

// Mean of v (T, n), (T): over the images of weight (T, n) 1; undefined: all.
at::Tensor mean_of_images(const at::Tensor& v, const at::Tensor& weight);

class ConditionalGenerator : public GenerativeLearner {
 public:
  // Slots that loss() takes from a scene's first on; basis() takes the one
  // after them.
  static constexpr uint32_t kLossSlots = 4;

  // Of the support images; a generator has the one or the other.
  struct Seen {
    at::Tensor images;  // as prepared() makes them
    Gaussian code;      // q(c | S), (T, 1, c)
  };
  // What each of n images is made from, before its noise.
  struct Basis {
    at::Tensor code;       // (T, n, judged_code_size())
    at::Tensor exemplars;  // (T, n, C, H, W); undefined: the code is all
  };

  ConditionalGenerator(const GeneratorOptions& options,
                       const LearnerOptions& learner, const TaskShape& train,
                       const TaskCounts& eval);

  const MetaSpaces& spaces() const override { return spaces_; }
  void initialise(const MetaView& meta, uint64_t seed) const override;
  // Of loss().
  TaskLosses gradient(const TaskBatch& batch, const MetaView& meta,
                      const MetaView& sums) const override;
  // A visit for every number of support images.
  bool visits_support() const override { return true; }
  int eval_steps() const override { return eval_shots_; }
  int64_t latent_size() const override { return options_.latent; }
  const std::vector<int64_t>& image_shape() const override { return shape_; }

  virtual Seen see(const Params& p, const Scene& s) const = 0;
  // What the generator is trained by where nothing judges its images, (T).
  virtual at::Tensor loss(const Params& p, const Seen& seen,
                          const Scene& s) const = 0;
  // Without the images: what its codes cost, (T).
  virtual at::Tensor code_cost(const Seen& seen) const = 0;
  virtual Basis basis(const Params& p, const Seen& seen, const Scene& s,
                      int64_t n) const = 0;
  // An image of each task's class for every row of standard normal noise
  // (T, n, latent_size()): (T, n, C, H, W), gradients pass where they are
  // rounded.
  virtual at::Tensor images(const Params& p, const Basis& basis,
                            const at::Tensor& noise) const = 0;
  // Codes of images on their own, (T, n, c). Throws Error where there are none.
  virtual at::Tensor own_codes(const Params& p,
                               const at::Tensor& images) const = 0;
  virtual int64_t judged_code_size() const = 0;
  // Which support images a training task shows, (T, K) of 0 and 1.
  virtual at::Tensor shown(const std::vector<TaskId>& ids,
                           const at::Tensor& like) const = 0;
  // phi of parameters p after all support images.
  virtual Phi given(const Params& p, const TaskBatch& batch) const = 0;
  // Real images as the made ones are.
  at::Tensor prepared(const at::Tensor& images) const;

 protected:
  // For n images of each task, (T, n, d).
  at::Tensor noise(const std::vector<TaskId>& ids, int64_t n, int64_t d,
                   Purpose purpose, int64_t slot, const at::Tensor& like) const;
  // The importance-weighted bound (Burda et al. 2016, arXiv:1509.00519) of
  // samples (T, n) each, as predict() returns it, (T, n, 1).
  static at::Tensor weighted_bound(const std::vector<at::Tensor>& log_weights);

  GeneratorOptions options_;
  std::vector<int64_t> shape_;
  int64_t train_shots_;
  LayerSpace layers_;
  MetaSpaces spaces_;  // of the layers, once they are there
  uint64_t seed_;

 private:
  int eval_shots_;
};

}  // namespace protean
