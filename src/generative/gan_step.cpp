#include "generative/gan_step.h"

#include <algorithm>

#include <ATen/ATen.h>

namespace protean {
namespace {

// A part of theta descends one of the losses.
class PartOf : public Objective {
 public:
  PartOf(Objective& whole, int loss, int64_t begin, int64_t size)
      : whole_(whole), loss_(loss), begin_(begin), size_(size) {}
  at::Tensor gradient(int) override {
    return whole_.gradient(loss_).narrow(0, begin_, size_);
  }

 private:
  Objective& whole_;
  int loss_;
  int64_t begin_, size_;
};

class GanStep : public OuterStep {
 public:
  GanStep(const OptimOptions& options, const GanSizes& sizes, double average)
      : sizes_(sizes),
        average_(average),
        generator_(make_optimiser_step(options, sizes.generator)),
        discriminator_(make_optimiser_step(options, sizes.discriminator)) {
    const int64_t whole = 2 * sizes.generator + sizes.discriminator;
    state_.names = generator_->state().names;
    for (size_t i = 0; i < state_.names.size(); ++i)
      state_.buffers.push_back(at::zeros({whole}, at::kFloat));
  }

  void run(Objective& objective, at::Tensor& theta,
           const StepContext& context) override {
    const int64_t g = sizes_.generator, d = sizes_.discriminator;
    descend(*generator_, objective, kGeneratorLoss, theta, 0, g, context);
    descend(*discriminator_, objective, kDiscriminatorLoss, theta, g, d,
            context);
    ++state_.updates;
    // Early on, the average of all so far.
    const double keep =
        std::min(average_, 1 - 1 / static_cast<double>(state_.updates));
    theta.narrow(0, g + d, g).mul_(keep).add_(theta.narrow(0, 0, g), 1 - keep);
  }

  State& state() override { return state_; }
  double last_gradient_norm() const override {
    return generator_->last_gradient_norm();
  }

 private:
  // The optimiser's moments are parts of this step's own, which checkpoints
  // keep and resuming writes to.
  void descend(OuterStep& step, Objective& objective, int loss,
               at::Tensor& theta, int64_t begin, int64_t size,
               const StepContext& context) {
    auto& state = step.state();
    for (size_t i = 0; i < state.buffers.size(); ++i)
      state.buffers[i] = state_.buffers[i].narrow(0, begin, size);
    state.updates = state_.updates;
    PartOf part(objective, loss, begin, size);
    auto own = theta.narrow(0, begin, size);
    step.run(part, own, context);
  }

  GanSizes sizes_;
  double average_;
  std::unique_ptr<OuterStep> generator_, discriminator_;
  State state_;
};

}  // namespace

std::unique_ptr<OuterStep> make_gan_step(const OptimOptions& options,
                                         const GanSizes& sizes,
                                         double average) {
  return std::make_unique<GanStep>(options, sizes, average);
}

}  // namespace protean
