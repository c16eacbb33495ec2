// Steps on theta on a device: the host's values, and nothing is read.
#include "protean/learners/outer_step.h"

#include <ATen/ATen.h>

#include "device/pretend.h"
#include "support/catch.h"
#include "support/toy_tasks.h"

namespace protean {
namespace {

struct Given : Objective {
  at::Tensor g;
  at::Tensor gradient(int) override { return g; }
};

struct After {
  at::Tensor theta;
  double norm = 0;
  int64_t reads = 0;
};

// Four steps from the same theta by the same gradients.
After walk(const OptimOptions& o, at::Device device) {
  constexpr int64_t kSize = 300;
  auto theta = noise({kSize}, 1, at::kFloat).to(device);
  const auto step = make_optimiser_step(o, kSize);
  for (auto& buffer : step->state().buffers) buffer = buffer.to(device);
  After out;
  for (int64_t k = 0; k < 4; ++k) {
    Given objective;
    objective.g =
        noise({kSize}, 10 + static_cast<uint64_t>(k), at::kFloat).to(device);
    pretend::clear_counts();
    step->run(objective, theta, {k, 4});
    out.reads += pretend::counts().reads;
  }
  out.theta = theta.to(at::kCPU);
  out.norm = step->last_gradient_norm();
  return out;
}

TEST_CASE("an outer step on a device is the host's", "[device]") {
  pretend_devices();
  OptimOptions o;
  o.name = GENERATE("adam", "sgd", "momentum");
  o.lr = 0.1;
  o.weight_decay = 0.01;
  // Clipped, not clipped, and by element.
  o.clip_norm = GENERATE(0, 2, 1000);
  o.clip_value = GENERATE(0, 0.5);
  const auto host = walk(o, at::kCPU), device = walk(o, pretend_at(1));
  INFO(o.name << ", clip_norm " << o.clip_norm);
  CHECK(device.reads == 0);
  CHECK(device.norm == Approx(host.norm).epsilon(1e-12));
  CHECK(at::allclose(device.theta, host.theta, 1e-6, 1e-6));
}

}  // namespace
}  // namespace protean
