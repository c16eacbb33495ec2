#include "protean/experiment/stored_run.h"

#include <filesystem>

#include <ATen/ATen.h>

#include "protean/comm/on_root.h"
#include "protean/comm/preflight.h"
#include "protean/core/error.h"
#include "protean/experiment/keys.h"
#include "protean/run/chosen_checkpoint.h"

namespace protean {
namespace {

at::Tensor to_tensor(const std::vector<float>& values) {
  return at::tensor(at::ArrayRef<float>(values), at::kFloat);
}

void broadcast(at::Tensor& t, Communicator& comm) {
  comm.broadcast(t.data_ptr(), static_cast<size_t>(t.nbytes()), 0);
}

// A source without a path has the shipped data.
bool same_path(const std::string& a, const std::string& b) {
  return a == b ||
         (!a.empty() && !b.empty() &&
          std::filesystem::absolute(a) == std::filesystem::absolute(b));
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

std::filesystem::path run_config_path(const std::string& dir,
                                      const std::string& what) {
  const auto path = std::filesystem::path(dir) / "config.ini";
  if (!std::filesystem::exists(path))
    throw ConfigError(concat(what, " ", dir,
                             ": no config.ini there; expected a run "
                             "directory"));
  return path;
}

StoredRun load_run(const std::string& dir, const std::string& what,
                   Communicator& comm, OpenFor purpose) {
  Config config;
  agree(comm, [&] { config = read_stored_config(run_config_path(dir, what)); });
  return load_run(config, dir, what, comm, purpose);
}

StoredRun load_run(const Config& config, const std::string& dir,
                   const std::string& what, Communicator& comm, OpenFor purpose,
                   const AskedOfRun& asked) {
  auto on_data = config;
  agree(comm, [&] { use_run_data(on_data, dir, purpose, asked); });
  StoredRun run{dir, open_experiment(on_data, comm, purpose), {}, 0};
  const auto& spaces = run.experiment.learner->spaces();
  run.meta = {at::zeros({spaces.theta.size()}, at::kFloat),
              at::zeros({spaces.state.size()}, at::kFloat)};
  const auto named = what + " " + dir;
  on_root(comm, [&] {
    const auto found = find_checkpoint(
        std::filesystem::path(dir) / "checkpoints",
        fallback_checkpoints(config.checkpoint, dir), asked.checkpoint);
    if (!found)
      throw ConfigError(named +
                        ": no checkpoint there; expected the folder of a run");
    run.meta = stored_meta(found->state, spaces);
    run.step = found->state.step;
    for (const auto& t : {run.meta.theta, run.meta.state})
      if (!at::isfinite(t).all().item<bool>())
        throw NumericError(concat(
            named, ": parameters of step ", run.step,
            " are not finite: its training diverged; expected another run"));
  });
  broadcast(run.meta.theta, comm);
  broadcast(run.meta.state, comm);
  comm.broadcast(&run.step, sizeof run.step, 0);
  return run;
}

void check_same_ink(const std::string& what, const StoredRun& other,
                    const Experiment& own) {
  const auto& ours = own.config.data;
  const auto& its = other.experiment.config.data;
  if (ours.source == its.source && same_path(ours.path, its.path) &&
      ours.invert != its.invert)
    throw ConfigError(concat(
        what, " ", other.dir, ": it was trained with data.invert = ",
        its.invert ? "true" : "false", "; expected the same of these images"));
}

}  // namespace protean
