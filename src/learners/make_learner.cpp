#include "protean/learners/make_learner.h"

#include "protean/core/error.h"
#include "protean/models/make_network.h"

#include "learners/cavia.h"
#include "learners/maml.h"
#include "learners/meta_sgd.h"
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
  // ANIL: Raghu et al. 2020, arXiv:1909.09157. BOIL: Oh et al. 2021,
  // arXiv:2008.08882. MAML whose inner loop moves the head, or the body, alone.
  if (learner.name == "anil" || learner.name == "boil") {
    LearnerOptions part = learner;
    part.adapt = learner.name == "anil" ? "head" : "body";
    return std::make_shared<Maml>(net, part, train.target);
  }
  if (learner.name == "metasgd")
    return std::make_shared<MetaSgd>(net, learner, train.target);
  if (learner.name == "cavia")
    return std::make_shared<Cavia>(net, learner, train.target);
  if (learner.name == "reptile")
    return std::make_shared<Reptile>(net, learner, train.target);
  if (learner.name == "protonet") {
    if (!classes)
      throw ConfigError(
          "learner.name = \"protonet\" needs classes, but the data gives "
          "values; expected one of: maml, fomaml, anil, boil, metasgd, cavia, "
          "reptile");
    return std::make_shared<ProtoNet>(net, learner);
  }
  throw ConfigError(concat("learner.name = \"", learner.name,
                           "\"; expected one of: maml, fomaml, anil, boil, "
                           "metasgd, cavia, reptile, protonet"));
}

}  // namespace protean
