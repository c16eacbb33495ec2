#include "protean/trainer/stored_run.h"

#include <filesystem>

#include <ATen/ATen.h>

#include "protean/core/error.h"

#include "trainer/on_root.h"
#include "trainer/training_state.h"

namespace protean {

StoredMeta load_meta(const std::string& run_dir, const std::string& what,
                     const Experiment& e, Communicator& comm) {
  auto state = initial_state(e, at::Device(at::kCPU));
  on_root(comm, [&] {
    const auto found =
        find_newest_valid(std::filesystem::path(run_dir) / "checkpoints",
                          fallback_checkpoints(e.config.checkpoint, run_dir));
    if (!found)
      throw ConfigError(what +
                        ": no checkpoint there; expected the folder of a run");
    from_checkpoint(found->state, e.learner->spaces(), state);
    for (const auto& t : {state.meta.theta, state.meta.state})
      if (!at::isfinite(t).all().item<bool>())
        throw NumericError(concat(
            what, ": parameters of step ", state.step,
            " are not finite: its training diverged; expected another run"));
  });
  broadcast(state, comm);
  return {state.meta, state.step};
}

}  // namespace protean
