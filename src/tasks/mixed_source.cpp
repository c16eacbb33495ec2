#include "protean/tasks/mixed_source.h"

#include <algorithm>

#include "protean/core/error.h"
#include "protean/core/philox.h"

namespace protean {
namespace {

void check(const std::vector<float>& weights, size_t sources) {
  double sum = 0;
  for (float w : weights) {
    if (!(w >= 0))
      throw ConfigError(
          concat("task.mix: weight ", w, "; expected 0 or above"));
    sum += w;
  }
  if (weights.size() != sources || !(sum > 0))
    throw ConfigError(concat("task.mix: ", weights.size(),
                             " weights that sum to ", sum, " for ", sources,
                             " sources; expected one each, one above 0"));
}

}  // namespace

MixedSource::MixedSource(std::vector<std::shared_ptr<const TaskSource>> sources,
                         std::vector<float> weights)
    : sources_(std::move(sources)), weights_(std::move(weights)) {
  check(weights_, sources_.size());
}

TaskSpec MixedSource::describe(uint64_t seed, TaskId id,
                               const StreamState& stream) const {
  if (!stream.mix.empty()) check(stream.mix, sources_.size());
  const auto& weights = stream.mix.empty() ? weights_ : stream.mix;
  double sum = 0;
  for (float w : weights) sum += w;
  double at = Draws(seed, id, Purpose::source).uniform() * sum;
  uint32_t source = 0;
  // The last one with a weight takes what rounding leaves over.
  for (uint32_t i = 0; i < weights.size(); ++i) {
    if (!(weights[i] > 0)) continue;
    source = i;
    if (at < weights[i]) break;
    at -= weights[i];
  }
  auto spec = sources_[source]->describe(seed, id, stream);
  spec.source = source;
  return spec;
}

TaskShape MixedSource::shape(const TaskSpec& spec) const {
  return sources_.at(spec.source)->shape(spec);
}

void MixedSource::materialise(const TaskSpec& spec, EpisodeView out) const {
  sources_.at(spec.source)->materialise(spec, out);
}

}  // namespace protean
