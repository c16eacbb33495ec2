#include "protean/trainer/training_state.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "protean/core/error.h"
#include "protean/core/hash.h"
#include "protean/experiment/stored_run.h"

namespace protean {

using Json = nlohmann::json;

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

}  // namespace

// How the fields of a state stand in JSON, where nlohmann-json does not know;
// found by it through these names.
void to_json(Json& json, const TrainingState::Validated& v) {
  json = {v.score, v.step};
}
void from_json(const Json& json, TrainingState::Validated& v) {
  v.score = json.at(0).is_null() ? -std::numeric_limits<double>::infinity()
                                 : json.at(0).get<double>();
  v.step = json.at(1);
}

void to_json(Json& json, const CostTable::Entry& e) {
  json = {e.shape_key, e.seconds_per_cost};
}
void from_json(const Json& json, CostTable::Entry& e) {
  e = {json.at(0), json.at(1)};
}

void to_json(Json& json, const CostTable& table) {
  json = {{"version", table.version}, {"entries", table.entries}};
}
void from_json(const Json& json, CostTable& table) {
  json.at("version").get_to(table.version);
  json.at("entries").get_to(table.entries);
}

void to_json(Json& json, const TrainingState::Spent& s) {
  json = {{"steps", s.steps},
          {"wall_s", s.wall_s},
          {"validate_s", s.validate_s},
          {"store_s", s.store_s}};
}
void from_json(const Json& json, TrainingState::Spent& s) {
  json.at("steps").get_to(s.steps);
  json.at("wall_s").get_to(s.wall_s);
  json.at("validate_s").get_to(s.validate_s);
  json.at("store_s").get_to(s.store_s);
}

namespace {

struct Put {
  Json& into;
  template <typename T>
  void operator()(const char* name, const std::optional<T>& field) const {
    if (field) into[name] = *field;
  }
  template <typename T>
  void operator()(const char* name, const T& field) const {
    into[name] = field;
  }
};

struct Take {
  const Json& from;
  template <typename T>
  void operator()(const char* name, std::optional<T>& field) const {
    field.reset();
    if (from.contains(name)) field = from.at(name).get<T>();
  }
  template <typename T>
  void operator()(const char* name, T& field) const {
    field = from.contains(name) ? from.at(name).get<T>() : T();
  }
};

Json fields_of(const TrainingState& state) {
  Json fields = Json::object();
  // Put changes nothing.
  const_cast<TrainingState&>(state).each(Put{fields});
  return fields;
}

void broadcast(std::string& text, Communicator& comm) {
  uint64_t bytes = text.size();
  comm.broadcast(&bytes, sizeof bytes, 0);
  text.resize(bytes);
  comm.broadcast(text.data(), bytes, 0);
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
  s.meta.theta = e.initial.theta.to(device, at::kFloat, false, true);
  s.meta.state = e.initial.state.to(device, at::kFloat, false, true);
  s.outer = e.learner->outer(e.config.optim);
  for (auto& buffer : s.outer->state().buffers) buffer = buffer.to(device);
  return s;
}

CheckpointState to_checkpoint(const TrainingState& s, const MetaSpaces& spaces,
                              const Json& identity) {
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
  for (const auto& b : s.best) c.best_steps.push_back(b.step);
  c.extra = fields_of(s);
  c.extra["identity"] = identity;
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
  s.each(Take{c.extra});
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
  int64_t counts[] = {s.step, s.outer->state().updates};
  comm.broadcast(counts, sizeof counts, 0);
  s.step = counts[0];
  s.outer->state().updates = counts[1];
  auto fields = fields_of(s).dump();
  broadcast(fields, comm);
  s.each(Take{Json::parse(fields)});
}

}  // namespace protean
