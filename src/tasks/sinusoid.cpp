#include "protean/tasks/sinusoid.h"

#include <cmath>
#include <numbers>

#include "protean/core/error.h"
#include "protean/core/philox.h"
#include "protean/tasks/nway.h"

namespace protean {

Sinusoid::Sinusoid(uint32_t shots, uint32_t queries)
    : shots_(shots), queries_(queries) {
  if (shots == 0) throw ConfigError("task.shots = 0; expected at least 1");
  if (queries == 0) throw ConfigError("task.queries = 0; expected at least 1");
}

TaskSpec Sinusoid::describe(uint64_t seed, TaskId id,
                            const StreamState&) const {
  TaskSpec spec = describe_nway(id, {1, shots_, queries_});
  spec.latent = {seed};
  return spec;
}

TaskShape Sinusoid::shape(const TaskSpec& spec) const {
  TaskShape shape;
  shape.support = spec.support.at(0);
  shape.query = spec.query.at(0);
  shape.input = {1};
  shape.target = TargetKind::values;
  return shape;
}

Sinusoid::Wave Sinusoid::wave(const TaskSpec& spec) {
  Draws draws(spec.latent.at(0), spec.id, Purpose::family);
  const double amplitude = draws.uniform(0.1, 5);
  return {amplitude, draws.uniform(0, std::numbers::pi)};
}

void Sinusoid::materialise(const TaskSpec& spec, EpisodeView out) const {
  const Wave w = wave(spec);
  // A slot each: the support points do not depend on the number of queries.
  const auto fill = [&](PartView part, uint32_t count, uint32_t slot) {
    Draws draws(spec.latent.at(0), spec.id, Purpose::points, slot);
    for (uint32_t i = 0; i < count; ++i) {
      part.x[i] = static_cast<float>(draws.uniform(-5, 5));
      if (part.value)
        part.value[i] = static_cast<float>(
            w.amplitude * std::sin(static_cast<double>(part.x[i]) - w.phase));
    }
  };
  fill(out.support, spec.support.at(0), 0);
  fill(out.query, spec.query.at(0), 1);
}

}  // namespace protean
