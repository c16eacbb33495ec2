// The outer step of a generator and its discriminator: each descends its own
// loss, the generator first, then the discriminator at the new generator; then
// the averaged generator follows.
//
// theta is [generator | discriminator | average of the generator].
#pragma once

#include "protean/learners/outer_step.h"

namespace protean {

struct GanSizes {
  int64_t generator = 0, discriminator = 0;
};
// Numbers of the learner's losses, for Objective::gradient.
constexpr int kGeneratorLoss = 0, kDiscriminatorLoss = 1;

// average: share of the old average that stays, times the step's correction at
// the start; 0: the average is the generator.
std::unique_ptr<OuterStep> make_gan_step(const OptimOptions& options,
                                         const GanSizes& sizes, double average);

}  // namespace protean
