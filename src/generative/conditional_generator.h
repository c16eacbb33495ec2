// A generator of a class's images from some of them, as one half of a GAN: what
// MetaGan asks of the model whose images its discriminator judges.
//
// All parameters are stacked, (T or 1, ...), and all results differentiable in
// them to any order.
#pragma once

#include <string>
#include <vector>

#include "protean/generative/generative_learner.h"

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

class ConditionalGenerator : public GenerativeLearner {
 public:
  // Slots that loss() takes from a scene's first on; make() takes the one after
  // them.
  static constexpr uint32_t kLossSlots = 4;

  struct Made {
    at::Tensor
        images;       // (T, n, C, H, W): gradients pass where they are rounded
    at::Tensor code;  // what each was made from, (T, n, judged_code_size())
  };

  // What the generator is trained by where nothing judges its images, (T).
  virtual at::Tensor loss(const Params& p, const Scene& s) const = 0;
  // Without the images: what its codes cost, (T).
  virtual at::Tensor code_cost(const Params& p, const Scene& s) const = 0;
  // An image of each task's class for every row of standard normal noise
  // (T, n, latent_size()).
  virtual Made make(const Params& p, const Scene& s,
                    const at::Tensor& noise) const = 0;
  // Codes of images on their own, (T, n, c). Throws Error where there are none.
  virtual at::Tensor own_codes(const Params& p,
                               const at::Tensor& images) const = 0;
  virtual int64_t judged_code_size() const = 0;
  // Real images as the made ones are.
  virtual at::Tensor prepared(const at::Tensor& images) const = 0;
  // Which support images a training task shows, (T, K) of 0 and 1.
  virtual at::Tensor shown(const std::vector<TaskId>& ids,
                           const at::Tensor& like) const = 0;
  // phi of parameters p after all support images.
  virtual Phi given(const Params& p, const TaskBatch& batch) const = 0;
  // Whether inner steps of `part` (learner.adapt) move a parameter.
  virtual bool belongs(const std::string& parameter,
                       const std::string& part) const = 0;
};

}  // namespace protean
