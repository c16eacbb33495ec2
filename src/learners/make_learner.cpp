#include "protean/learners/make_learner.h"

#include "protean/core/error.h"
#include "protean/models/make_network.h"

#include "learners/maml.h"
#include "learners/protonet.h"
#include "learners/reptile.h"

namespace protean {

LearnerPtr make_learner(const LearnerOptions& learner,
                        const ModelOptions& model, const TaskShape& train) {
  const bool classes = train.target == TargetKind::classes;
  const auto net = make_network(model, train.input,
                                classes ? train.ways : train.target_size);
  if (learner.name == "maml")
    return std::make_shared<Maml>(net, learner, train.target);
  if (learner.name == "fomaml") {
    LearnerOptions first_order = learner;
    first_order.second_order = false;
    return std::make_shared<Maml>(net, first_order, train.target);
  }
  if (learner.name == "reptile")
    return std::make_shared<Reptile>(net, learner, train.target);
  if (learner.name == "protonet") {
    if (!classes)
      throw ConfigError(
          "learner.name = \"protonet\" needs classes, but the data gives "
          "values; expected one of: maml, fomaml, reptile");
    return std::make_shared<ProtoNet>(net, learner);
  }
  throw ConfigError(concat("learner.name = \"", learner.name,
                           "\"; expected one of: maml, fomaml, reptile, "
                           "protonet"));
}

}  // namespace protean
