// A few meta-steps and a small evaluation of a configuration on any device.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "protean/comm/world.h"
#include "protean/experiment/config.h"

#include "support/pretend_device.h"

namespace protean {

// Small: 2 stacks of 2 tasks, narrow networks, no prefetching.
using Changes = std::vector<std::pair<std::string, std::string>>;
Config small_config(const std::string& learner, const Changes& more = {});

struct Trained {
  // After the last step.
  std::vector<float> theta, state;
  std::vector<std::vector<float>> optimiser;
  std::vector<double> losses;      // of the steps
  std::vector<double> evaluation;  // losses by step and task
  pretend::Counts step;            // of the last step
  pretend::Counts evaluating;
};

// Where numbers of a and b differ by more than `tolerance` times the largest of
// their kind, which kind and by how much; empty: nowhere. 0: in any bit.
std::string difference(const Trained& a, const Trained& b, double tolerance);

// Collective.
Trained train_on(at::Device device, const Config& config, World& world,
                 int steps = 2);

}  // namespace protean
