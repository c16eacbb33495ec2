// A run that normalises queries by their own moments, as one that uses those of
// the support set: its predictions then do not depend on the other queries.
#pragma once

#include "protean/experiment/experiment.h"

namespace protean {

// The run's learner with learner.query_norm = support, which takes the same
// meta-parameters; null where the run is inductive already, or where nothing
// reads that key.
LearnerPtr inductive_twin(const Experiment& experiment);

}  // namespace protean
