// How fast whole meta-steps run, and where the time goes.
//
// A benchmark runs the trainer's own step (tasks from a source, prefetch,
// stacks, learner, reduction, outer step) on tasks of noise with the shapes of
// a named workload, so that no data set is needed.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "protean/comm/world.h"
#include "protean/experiment/experiment.h"

namespace protean {

// Names of the workloads, e.g. "omniglot-maml-5w1s".
std::vector<std::string> bench_workloads();

// What the named workload makes of `config`; throws ConfigError on an unknown
// name.
Config bench_config(const std::string& workload, Config config);

// Collective; the result is complete on rank 0. Keys: workload ranks threads
// tasks_per_s (by the median step) seconds_per_step peak_rss_mib (all ranks)
// flop_fraction_of_peak breakdown {data, inner, outer, reduce, optimiser}
// device.
nlohmann::json bench(const std::string& workload, const Config& config,
                     double seconds, World& world);

}  // namespace protean
