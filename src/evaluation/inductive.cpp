#include "protean/evaluation/inductive.h"

#include "protean/core/settings.h"
#include "protean/experiment/catalogue.h"
#include "protean/experiment/keys.h"

namespace protean {

LearnerPtr inductive_twin(const Experiment& e) {
  if (!e.learner->transductive()) return nullptr;
  Config config;
  Settings s;
  fields(s, config);
  config = e.config;
  const auto& key = s.at("learner.query_norm", "");
  if (!s.is_read(key)) return nullptr;
  config.learner.query_norm = "support";
  auto twin = make_chosen_learner(config, e.tasks);
  const bool same =
      layout_difference(twin->spaces().theta, e.learner->spaces().theta)
          .empty() &&
      layout_difference(twin->spaces().state, e.learner->spaces().state)
          .empty();
  return same && !twin->transductive() ? twin : nullptr;
}

}  // namespace protean
