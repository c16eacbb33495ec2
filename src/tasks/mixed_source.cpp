#include "protean/tasks/mixed_source.h"

#include "protean/core/philox.h"

#include "tasks/by_weight.h"

namespace protean {

MixedSource::MixedSource(std::vector<std::shared_ptr<const TaskSource>> sources,
                         std::vector<float> weights)
    : sources_(std::move(sources)), weights_(std::move(weights)) {
  check_weights("task.mix", weights_, sources_.size());
}

TaskSpec MixedSource::describe(uint64_t seed, TaskId id,
                               const StreamState& stream) const {
  if (!stream.mix.empty())
    check_weights("task.mix", stream.mix, sources_.size());
  const uint32_t source = by_weight(stream.mix.empty() ? weights_ : stream.mix,
                                    Draws(seed, id, Purpose::source).uniform());
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
