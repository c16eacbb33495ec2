#include "protean/experiment/stream_schedule.h"

#include <algorithm>

#include "protean/core/error.h"

#include "experiment/training_tasks.h"

namespace protean {

StreamSchedule::StreamSchedule(const Config& config)
    : refresh_(config.generated.refresh), mix_steps_(config.task.mix_steps) {
  if (refresh_ < 0)
    throw ConfigError(concat("generator.refresh = ", refresh_,
                             "; expected steps >= 0 (0 = never)"));
  if (refresh_ > 0 && refresh_ <= config.data.prefetch)
    throw ConfigError(concat(
        "generator.refresh = ", refresh_,
        "; expected more steps than data.prefetch = ", config.data.prefetch));
  if (refresh_ > 0 && config.generated.refresh_steps < 1)
    throw ConfigError(
        concat("generator.refresh_steps = ", config.generated.refresh_steps,
               "; expected at least 1"));
  const auto from = parse_mix(config.task.mix);
  const auto has = [&](const char* source) {
    return std::any_of(from.begin(), from.end(),
                       [&](const auto& p) { return p.first == source; });
  };
  if (refresh_ > 0 && (!has("generated") || config.task.generated_shots > 0))
    throw ConfigError(
        concat("generator.refresh = ", refresh_, ", but task.mix = \"",
               config.task.mix,
               "\" and task.generated_shots = ", config.task.generated_shots,
               "; expected generated in the mix, and no generated "
               "shots"));
  const auto& to = config.task.mix_to;
  if (to.empty() != (mix_steps_ == 0) || mix_steps_ < 0)
    throw ConfigError(concat("task.mix_to = \"", to,
                             "\" and task.mix_steps = ", mix_steps_,
                             "; expected both, weights and steps above 0, or "
                             "neither"));
  if (to.empty()) return;
  if (has("clustered"))
    throw ConfigError(
        "task.mix_to: the weight of clustered tasks stays as it is; expected a "
        "task.mix without them");
  const auto last = parse_mix(to, "task.mix_to");
  for (const auto& [name, weight] : from) {
    const auto same =
        std::find_if(last.begin(), last.end(),
                     [&](const auto& p) { return p.first == name; });
    mix_.push_back(weight);
    mix_to_.push_back(same == last.end() ? 0 : same->second);
  }
  if (std::none_of(mix_to_.begin(), mix_to_.end(),
                   [](float weight) { return weight > 0; }))
    throw ConfigError(
        concat("task.mix_to = \"", to, "\"; expected a weight above 0"));
  for (const auto& part : last)
    if (std::none_of(from.begin(), from.end(),
                     [&](const auto& p) { return p.first == part.first; }))
      throw ConfigError(concat("task.mix_to = \"", to, "\" has ", part.first,
                               ", which task.mix = \"", config.task.mix,
                               "\" has not; expected the same sources"));
}

StreamState StreamSchedule::at(int64_t step) const {
  StreamState state;
  state.generator_version = active_at(step);
  if (mix_to_.empty()) return state;
  const float done = static_cast<float>(std::min(step, mix_steps_)) /
                     static_cast<float>(mix_steps_);
  for (size_t i = 0; i < mix_.size(); ++i)
    state.mix.push_back(mix_[i] + (mix_to_[i] - mix_[i]) * done);
  return state;
}

bool StreamSchedule::publishes_at(int64_t step) const {
  return refresh_ > 0 && step > 0 && step % refresh_ == 0;
}

uint32_t StreamSchedule::made_by(int64_t step) const {
  return refresh_ > 0 ? static_cast<uint32_t>(step / refresh_) : 0;
}

uint32_t StreamSchedule::active_at(int64_t step) const {
  const uint32_t made = made_by(step);
  return made > 0 ? made - 1 : 0;
}

int64_t StreamSchedule::active_from(uint32_t version) const {
  return version > 0 ? (version + 1) * refresh_ : 0;
}

}  // namespace protean
