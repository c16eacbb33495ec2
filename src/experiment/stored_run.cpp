#include "protean/experiment/stored_run.h"

#include <filesystem>

#include <ATen/ATen.h>

#include "protean/comm/on_root.h"
#include "protean/core/error.h"

namespace protean {
namespace {

at::Tensor to_tensor(const std::vector<float>& values) {
  return at::tensor(at::ArrayRef<float>(values), at::kFloat);
}

void broadcast(at::Tensor& t, Communicator& comm) {
  comm.broadcast(t.data_ptr(), static_cast<size_t>(t.nbytes()), 0);
}

}  // namespace

MetaView stored_meta(const CheckpointState& stored, const MetaSpaces& spaces) {
  for (const auto& [theirs, expected] :
       {std::pair(&stored.theta_space, &spaces.theta),
        std::pair(&stored.state_space, &spaces.state)}) {
    const auto difference = layout_difference(*theirs, *expected);
    if (!difference.empty())
      throw ConfigError("the checkpoint holds another model: " + difference);
  }
  return {to_tensor(stored.theta), to_tensor(stored.state)};
}

StoredMeta load_meta(const std::string& run_dir, const std::string& what,
                     const Experiment& e, Communicator& comm) {
  const auto& spaces = e.learner->spaces();
  StoredMeta s{{at::zeros({spaces.theta.size()}, at::kFloat),
                at::zeros({spaces.state.size()}, at::kFloat)},
               0};
  on_root(comm, [&] {
    const auto found =
        find_newest_valid(std::filesystem::path(run_dir) / "checkpoints",
                          fallback_checkpoints(e.config.checkpoint, run_dir));
    if (!found)
      throw ConfigError(what +
                        ": no checkpoint there; expected the folder of a run");
    s = {stored_meta(found->state, spaces), found->state.step};
    for (const auto& t : {s.meta.theta, s.meta.state})
      if (!at::isfinite(t).all().item<bool>())
        throw NumericError(concat(
            what, ": parameters of step ", s.step,
            " are not finite: its training diverged; expected another run"));
  });
  broadcast(s.meta.theta, comm);
  broadcast(s.meta.state, comm);
  comm.broadcast(&s.step, sizeof s.step, 0);
  return s;
}

}  // namespace protean
