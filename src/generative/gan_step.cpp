#include "generative/gan_step.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "protean/learners/part_step.h"

namespace protean {
namespace {

class GanStep : public OuterStep {
 public:
  GanStep(const OptimOptions& options, const GanSizes& sizes, double average)
      : sizes_(sizes),
        average_(average),
        generator_(options, 0, sizes.generator, kGeneratorLoss),
        discriminator_(options, sizes.generator, sizes.discriminator,
                       kDiscriminatorLoss),
        state_(generator_.whole_state(2 * sizes.generator +
                                      sizes.discriminator)) {}

  void run(Objective& objective, at::Tensor& theta,
           const StepContext& context) override {
    const int64_t g = sizes_.generator, d = sizes_.discriminator;
    generator_.run(objective, theta, context, state_);
    discriminator_.run(objective, theta, context, state_);
    ++state_.updates;
    // Early on, the average of all so far.
    const double keep =
        std::min(average_, 1 - 1 / static_cast<double>(state_.updates));
    theta.narrow(0, g + d, g).mul_(keep).add_(theta.narrow(0, 0, g), 1 - keep);
  }

  State& state() override { return state_; }
  double last_gradient_norm() const override {
    return generator_.last_gradient_norm();
  }

 private:
  GanSizes sizes_;
  double average_;
  PartStep generator_, discriminator_;
  State state_;
};

}  // namespace

std::unique_ptr<OuterStep> make_gan_step(const OptimOptions& options,
                                         const GanSizes& sizes,
                                         double average) {
  return std::make_unique<GanStep>(options, sizes, average);
}

}  // namespace protean
