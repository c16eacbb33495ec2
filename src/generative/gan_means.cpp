#include "generative/gan_means.h"

#include <ATen/ATen.h>

#include "generative/conditional_generator.h"

namespace protean {
namespace {

// Share of the running means that stays from step to step.
constexpr double kKept = 0.99;
// Of the state's first values, where outputs are followed.
constexpr int64_t kReal = 0, kFake = 1, kOutputs = 2;

}  // namespace

GanMeans::GanMeans(const GeneratorOptions& o, const std::vector<int64_t>& image)
    : anchor_(o.anchor),
      variance_(o.variance),
      image_variance_(o.image_variance),
      pixels_(kFollowed * image.at(0) * image.at(1) * image.at(2)) {}

void GanMeans::add_to(ParameterSpace& state) const {
  if (follow_outputs()) state.add("anchor", {kOutputs});
  if (follow_images()) state.add("images", {pixels_ + 1});
}

at::Tensor GanMeans::anchor_loss(const at::Tensor& state,
                                 const at::Tensor& real,
                                 const at::Tensor& weight,
                                 const at::Tensor& fake) const {
  return anchor_ *
         (mean_of_images(at::relu(real - state[kFake]).square(), weight) +
          at::relu(state[kReal] - fake).square().mean(1));
}

at::Tensor GanMeans::outputs(const at::Tensor& real, const at::Tensor& weight,
                             const at::Tensor& fake) {
  return at::stack({mean_of_images(real, weight), fake.mean(1)}, 1);
}

at::Tensor GanMeans::variance_loss(const at::Tensor& state,
                                   const at::Tensor& real,
                                   const at::Tensor& weight,
                                   const at::Tensor& fake) const {
  const auto apart =
      (outputs(real, weight, fake) - state.narrow(0, 0, kOutputs)).square();
  return variance_ * (apart.select(1, kReal) + apart.select(1, kFake));
}

at::Tensor GanMeans::usual_images(const at::Tensor& state) const {
  return state.narrow(0, follow_outputs() ? kOutputs : 0, pixels_ + 1);
}

at::Tensor GanMeans::image_loss(const at::Tensor& state,
                                const at::Tensor& images) const {
  // Both are sums that began at 0: the weight says of how much.
  const auto usual = usual_images(state);
  const auto weight = usual[-1];
  const auto mean = usual.narrow(0, 0, pixels_) / weight.clamp_min(1e-9);
  const auto apart =
      (images - mean).square().sum(1) / static_cast<double>(kFollowed);
  return image_variance_ * apart * (weight > 0);
}

void GanMeans::keep(const at::Tensor& state, int64_t tasks,
                    const at::Tensor& sums) {
  sums.add_(state * static_cast<double>(tasks));
}

void GanMeans::move(const at::Tensor& state, int64_t tasks,
                    const at::Tensor& outputs, const at::Tensor& images,
                    const at::Tensor& sums) const {
  std::vector<at::Tensor> own;  // (T, ...), as in the state
  if (follow_outputs()) own.push_back(outputs.detach());
  if (follow_images()) {
    own.push_back(images.detach());
    own.push_back(at::ones_like(images.narrow(1, 0, 1)));
  }
  if (own.empty()) return keep(state, tasks, sums);
  sums.add_(kKept * (state * static_cast<double>(tasks)) +
            (1 - kKept) * at::cat(own, 1).sum(0));
}

}  // namespace protean
