// Every learner on a device: the host touches nothing there, the numbers are
// the CPU's, and what crosses is counted.
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>

#include "protean/core/error.h"
#include "protean/experiment/catalogue.h"

#include "device/pretend.h"
#include "device/train_on.h"
#include "support/catch.h"
#include "support/run_world.h"

namespace protean {
namespace {

Trained on(at::Device device, const Config& config, int ranks = 1) {
  const auto result = run_ranks(
      ranks, [&](World& world) { return train_on(device, config, world); },
      /*timeout_s=*/120);
  for (const auto& error : result.error) CHECK(error == "");
  REQUIRE(result.ok());
  return *result.value.front();
}

// "| maml | 1 | 0 | 1 |": reads of a device and waited copies to it in one
// step, reads in an evaluation.
std::string row_of(const std::string& name, const Trained& device) {
  return concat("| ", name, " | ", device.step.reads, " | ",
                device.step.waited_uploads, " | ", device.evaluating.reads,
                " |");
}

std::string page() {
  std::ifstream in(PROTEAN_DEVICE_TESTS "/README.md");
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST_CASE(
    "every learner has the CPU's numbers on a device, and the page "
    "says what crosses",
    "[device]") {
  pretend_devices();
  const char* only = std::getenv("PROTEAN_ONLY_LEARNER");  // to look at one
  const auto text = page();
  for (const auto& learner : entries_of("learner.name")) {
    if (only && learner.name != only) continue;
    const auto config = small_config(learner.name);
    const auto host = on(at::kCPU, config);
    const auto device = on(pretend_at(0), config);
    INFO(learner.name);
    // By kernels of our own there, by LibTorch's here.
    CHECK(difference(host, device, 1e-4) == "");
    const auto row = row_of(learner.name, device);
    for (const auto& [what, n] : device.step.read_by)
      UNSCOPED_INFO(n << " times " << what);
    INFO("now: " << row);
    CHECK(text.find(row + "\n") != std::string::npos);
    if (only)
      std::cout << row << " of " << device.step.operators << " operators\n";
  }
}

}  // namespace
}  // namespace protean
