#include "protean/trainer/training_state.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "protean/core/error.h"
#include "protean/core/hash.h"
#include "protean/experiment/stored_run.h"
#include "protean/run/provenance.h"

namespace protean {
namespace {

// A rank's residual.RANK in a checkpoint.
constexpr const char* kResidual = "residual.";

std::vector<float> to_floats(const at::Tensor& t) {
  const auto host = t.to(at::kCPU, at::kFloat).contiguous();
  const float* data = host.data_ptr<float>();
  return {data, data + host.numel()};
}

void copy_floats(const std::vector<float>& from, at::Tensor to) {
  to.copy_(at::from_blob(const_cast<float*>(from.data()),
                         {static_cast<int64_t>(from.size())}, at::kFloat));
}

nlohmann::json to_json(const CostTable& table) {
  auto entries = nlohmann::json::array();
  for (const auto& e : table.entries)
    entries.push_back({e.shape_key, e.seconds_per_cost});
  return {{"version", table.version}, {"entries", entries}};
}

CostTable costs_from(const nlohmann::json& json) {
  CostTable table;
  table.version = json.at("version");
  for (const auto& e : json.at("entries"))
    table.entries.push_back({e.at(0), e.at(1)});
  return table;
}

}  // namespace

uint64_t TrainingState::hash() const {
  Hash64 hash;
  for (const auto& t : {meta.theta, meta.state}) {
    const auto host = t.to(at::kCPU);
    hash.add(host.data_ptr(), static_cast<size_t>(host.numel()) * 4);
  }
  return hash.value();
}

TrainingState initial_state(const Experiment& e, at::Device device) {
  TrainingState s;
  const auto& spaces = e.learner->spaces();
  s.meta.theta = at::zeros({spaces.theta.size()}, at::kFloat);
  s.meta.state = at::zeros({spaces.state.size()}, at::kFloat);
  e.learner->initialise(s.meta, e.config.run.seed);
  s.meta.theta = s.meta.theta.to(device);
  s.meta.state = s.meta.state.to(device);
  s.outer = e.learner->outer(e.config.optim);
  for (auto& buffer : s.outer->state().buffers) buffer = buffer.to(device);
  return s;
}

CheckpointState to_checkpoint(const TrainingState& s, const MetaSpaces& spaces,
                              const nlohmann::json& identity) {
  CheckpointState c;
  c.step = s.step;
  c.theta_space = spaces.theta;
  c.state_space = spaces.state;
  c.theta = to_floats(s.meta.theta);
  c.state = to_floats(s.meta.state);
  const auto& outer = s.outer->state();
  c.optimiser_names = outer.names;
  for (const auto& buffer :
       s.whole_buffers.empty() ? outer.buffers : s.whole_buffers)
    c.optimiser_buffers.push_back(to_floats(buffer));
  for (size_t r = 0; r < s.residuals.size(); ++r) {
    c.optimiser_names.push_back(concat(kResidual, r));
    c.optimiser_buffers.push_back(to_floats(s.residuals[r]));
  }
  c.optimiser_updates = outer.updates;
  auto best = nlohmann::json::array();
  for (const auto& b : s.best) {
    c.best_steps.push_back(b.step);
    best.push_back({b.score, b.step});
  }
  c.extra = {{"identity", identity},
             {"exponents", s.exponents},
             {"tasks_seen", s.tasks_seen},
             {"best", best},
             {"validations_without_gain", s.validations_without_gain},
             {"costs", to_json(s.costs)},
             {"levels_raised", s.levels_raised},
             {"setbacks", s.setbacks}};
  return c;
}

void from_checkpoint(const CheckpointState& c, const MetaSpaces& spaces,
                     TrainingState& s) {
  const auto meta = stored_meta(c, spaces);
  auto& outer = s.outer->state();
  // The rests of gradients stand behind the optimiser's own buffers.
  const auto is_residual = [](const std::string& name) {
    return name.starts_with(kResidual);
  };
  const auto own_end = std::find_if(c.optimiser_names.begin(),
                                    c.optimiser_names.end(), is_residual);
  if (std::vector(c.optimiser_names.begin(), own_end) != outer.names)
    throw ConfigError(
        "the checkpoint holds another optimiser's state; expected the same "
        "optim.name");
  s.step = c.step;
  s.meta.theta.copy_(meta.theta);
  s.meta.state.copy_(meta.state);
  for (size_t i = 0; i < outer.buffers.size(); ++i)
    copy_floats(c.optimiser_buffers[i], outer.buffers[i]);
  s.residuals.clear();
  for (size_t i = outer.buffers.size(); i < c.optimiser_buffers.size(); ++i) {
    s.residuals.push_back(at::empty_like(s.meta.theta, at::kCPU));
    copy_floats(c.optimiser_buffers[i], s.residuals.back());
  }
  outer.updates = c.optimiser_updates;
  s.exponents = c.extra.at("exponents").get<StepReducer::Exponents>();
  s.has_exponents = true;
  s.tasks_seen = c.extra.at("tasks_seen");
  // What later builds keep, older checkpoints lack.
  s.best.clear();
  for (const auto& b : c.extra.value("best", nlohmann::json::array()))
    s.best.push_back({b.at(0).is_null()
                          ? -std::numeric_limits<double>::infinity()
                          : b.at(0).get<double>(),
                      b.at(1)});
  s.validations_without_gain = c.extra.at("validations_without_gain");
  if (c.extra.contains("costs")) s.costs = costs_from(c.extra.at("costs"));
  s.setbacks = c.extra.value("setbacks", int64_t{0});
  s.levels_raised = c.extra.value("levels_raised", std::vector<int64_t>());
}

void broadcast(TrainingState& s, Communicator& comm) {
  if (comm.size() == 1) return;
  auto send = [&](at::Tensor t) {
    auto host = t.to(at::kCPU);
    comm.broadcast(host.data_ptr(), static_cast<size_t>(host.nbytes()), 0);
    if (!t.is_cpu()) t.copy_(host);
  };
  send(s.meta.theta);
  send(s.meta.state);
  for (auto& buffer : s.outer->state().buffers) send(buffer);
  struct Scalars {
    int64_t step, updates, tasks_seen, without_gain, has_exponents, setbacks;
    StepReducer::Exponents exponents;
  } v{s.step,          s.outer->state().updates,
      s.tasks_seen,    s.validations_without_gain,
      s.has_exponents, s.setbacks,
      s.exponents};
  comm.broadcast(&v, sizeof v, 0);
  s.step = v.step;
  s.outer->state().updates = v.updates;
  s.tasks_seen = v.tasks_seen;
  s.validations_without_gain = v.without_gain;
  s.has_exponents = v.has_exponents != 0;
  s.setbacks = v.setbacks;
  s.exponents = v.exponents;
  const auto send_all = [&](auto& values) {
    uint64_t size = values.size();
    comm.broadcast(&size, sizeof size, 0);
    values.resize(size);
    comm.broadcast(values.data(), size * sizeof values[0], 0);
  };
  send_all(s.best);
  send_all(s.levels_raised);
  auto costs = encode(s.costs);
  uint64_t bytes = costs.size();
  comm.broadcast(&bytes, sizeof bytes, 0);
  costs.resize(bytes);
  comm.broadcast(costs.data(), bytes, 0);
  s.costs = std::get<CostTable>(decode(costs));
}

nlohmann::json run_identity(const ConfigValues& kept, const ConfigValues& bits,
                            const std::string& data_checksum) {
  nlohmann::json keys = nlohmann::json::object();
  for (const auto& [key, value] : kept) keys[key] = value;
  keys["data checksum"] = data_checksum;
  // What the bits depend on beside the configuration.
  nlohmann::json build = numeric_provenance();
  for (const auto& [key, value] : bits) build[key] = value;
  return {{"keys", keys}, {"bits", build}};
}

void check_identity(const nlohmann::json& stored, const nlohmann::json& now,
                    const ConfigValues& defaults, bool exact) {
  auto compare = [&](const char* part, const char* why) {
    nlohmann::json old = stored.at(part);
    for (const auto& [key, value] : defaults)
      if (now.at(part).contains(key) && !old.contains(key)) old[key] = value;
    for (const auto& [key, value] : now.at(part).items()) {
      if (old.contains(key) && old.at(key) == value) continue;
      throw ConfigError(concat("resume: ", key, " = ", value.dump(),
                               ", but the run was started "
                               "with ",
                               old.contains(key) ? old.at(key).dump() : "none",
                               why));
    }
  };
  compare("keys", "; expected the same value (a new run.dir starts afresh)");
  if (exact)
    compare("bits",
            "; comm.reduction = exact needs the same (comm.reduction = fixed "
            "goes on without that promise)");
}

}  // namespace protean
