// Running means over tasks that a GAN's losses are held to. They are
// meta-state, which starts at 0: [D's mean outputs on reals, on fakes | images
// of a few fixed z and what these weigh], each where a term of the loss asks
// for it.
//
// Results are one value per task, (T), and differentiable. state: the whole
// meta-state.
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "protean/core/parameter_space.h"
#include "protean/generative/options.h"

namespace protean {

class GanMeans {
 public:
  // How many images of fixed noise are followed over tasks.
  static constexpr int64_t kFollowed = 4;

  // image: {C, H, W}.
  GanMeans(const GeneratorOptions& options, const std::vector<int64_t>& image);

  void add_to(ParameterSpace& state) const;
  bool follow_outputs() const { return anchor_ > 0 || variance_ > 0; }
  bool follow_images() const { return image_variance_ > 0; }

  // Of D's outputs on a task's reals (T, n), of which those of weight (T, n) 1
  // count (undefined: all), and fakes (T, m).
  // LeCam (Tseng et al. 2021, arXiv:2104.03310): outputs on reals are held
  // below the usual ones on fakes, and those on fakes above the usual ones on
  // reals.
  at::Tensor anchor_loss(const at::Tensor& state, const at::Tensor& real,
                         const at::Tensor& weight,
                         const at::Tensor& fake) const;
  // Squared distance of the task's mean outputs from the usual ones.
  at::Tensor variance_loss(const at::Tensor& state, const at::Tensor& real,
                           const at::Tensor& weight,
                           const at::Tensor& fake) const;
  // Those means, (T, 2).
  static at::Tensor outputs(const at::Tensor& real, const at::Tensor& weight,
                            const at::Tensor& fake);
  // Squared distance of a task's images of the fixed noise, (T, kFollowed C H
  // W), from the usual ones; 0 until there are some.
  at::Tensor image_loss(const at::Tensor& state,
                        const at::Tensor& images) const;

  // Add to sums what T tasks make of the state: keep leaves it, move takes it
  // towards their outputs and images, of those that are followed.
  static void keep(const at::Tensor& state, int64_t tasks,
                   const at::Tensor& sums);
  void move(const at::Tensor& state, int64_t tasks, const at::Tensor& outputs,
            const at::Tensor& images, const at::Tensor& sums) const;

 private:
  at::Tensor usual_images(const at::Tensor& state) const;

  double anchor_, variance_, image_variance_;
  int64_t pixels_;  // of all images followed
};

}  // namespace protean
