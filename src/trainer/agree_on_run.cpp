#include "trainer/agree_on_run.h"

#include "protean/comm/preflight.h"
#include "protean/core/error.h"
#include "protean/run/provenance.h"

namespace protean {

void agree_on_run(const Experiment& e, const ConfigValues& values,
                  const ReductionOptions& reduction, at::Device device,
                  World& world) {
  Facts facts;
  for (const auto& [key, value] : values)
    if (key != "comm.ranks") facts.emplace_back(key, value);
  facts.emplace_back("data checksum", e.tasks.checksum);
  facts.emplace_back("commit", build_commit());
  const auto numeric = numeric_provenance();
  for (const auto& [key, value] : numeric.items())
    facts.emplace_back(key, value.dump());
  preflight(*world.control, facts);
  check_reduction(reduction, world.data_plane(), device);
  if (reduction.wire != DType::f32 && e.learner->losses() > 1)
    throw AgreedError(concat("comm.wire = ", e.config.wire,
                             " keeps what is left of one gradient, and "
                             "learner.name = ",
                             e.learner->name(), " has ", e.learner->losses(),
                             "; expected comm.wire = fp32"));
}

}  // namespace protean
