#include "learners/meta_sgd.h"

#include "protean/core/error.h"
#include "protean/core/philox.h"

namespace protean {

MetaSgd::MetaSgd(NetworkPtr net, const LearnerOptions& o, TargetKind target)
    : Maml(std::move(net), o, target), inner_lr_(o.inner_lr) {
  if (!inner_.optimizer().is_plain_descent())
    throw ConfigError(
        "learner.name = metasgd learns the rates of plain descent; "
        "expected learner.inner_optimizer = sgd");
  const auto parameters = spaces_.theta.parameters();
  for (size_t i : inner_.adapted())
    spaces_.theta.add("rate." + parameters[i].name, parameters[i].shape);
}

void MetaSgd::initialise(const MetaView& meta, uint64_t seed) const {
  Maml::initialise(meta, seed);
  float* const theta = meta.theta.data_ptr<float>();
  const auto& all = spaces_.theta.parameters();
  for (size_t i = inner_.net().params().count(); i < all.size(); ++i) {
    Draws draws(seed, {}, Purpose::initialise, static_cast<uint32_t>(i));
    for (int64_t k = 0; k < all[i].size; ++k)
      theta[all[i].offset + k] =
          static_cast<float>(inner_lr_ * draws.uniform(0.05, 1));
  }
}

Maml::Start MetaSgd::start(Params theta, const TaskBatch&) const {
  Start s;
  const auto end =
      theta.begin() + static_cast<int64_t>(inner_.net().params().count());
  s.state.rates.emplace_back(end, theta.end());
  s.phi.assign(theta.begin(), end);
  return s;
}

}  // namespace protean
