// Sinusoid regression (Finn et al. 2017, arXiv:1703.03400, section 5.1):
// y = A sin(x - p), A uniform in [0.1, 5], p in [0, pi], x in [-5, 5];
// K support points and Q others as query.
//
// The classes of a spec are empty; its one latent is the seed of A, p and x.
#pragma once

#include "protean/tasks/task_source.h"

namespace protean {

class Sinusoid : public TaskSource {
 public:
  // Throws ConfigError naming the key when a count is 0.
  Sinusoid(uint32_t shots, uint32_t queries);

  TaskSpec describe(uint64_t seed, TaskId id,
                    const StreamState& stream) const override;
  TaskShape shape(const TaskSpec& spec) const override;
  void materialise(const TaskSpec& spec, EpisodeView out) const override;

  struct Wave {
    double amplitude, phase;
  };
  static Wave wave(const TaskSpec& spec);

 private:
  uint32_t shots_, queries_;
};

}  // namespace protean
