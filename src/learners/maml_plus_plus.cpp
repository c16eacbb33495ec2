#include "learners/maml_plus_plus.h"

#include <ATen/ATen.h>

#include "protean/core/error.h"
#include "protean/models/initialise.h"
#include "protean/models/params.h"

namespace protean {
namespace {

LearnerOptions norms_outside(LearnerOptions options) {
  options.adapt_norm = false;
  return options;
}

}  // namespace

MamlPlusPlus::MamlPlusPlus(NetworkPtr net, const LearnerOptions& o,
                           TargetKind target)
    : Maml(std::move(net), norms_outside(o), target) {
  if (!inner_.optimizer().is_plain_descent())
    throw ConfigError(
        "learner.name = mamlpp learns the rates of plain descent; expected "
        "learner.inner_optimizer = sgd");
  const auto& all = inner_.net().params().parameters();
  spaces_.theta = {};
  for (size_t i = 0; i < all.size(); ++i) {
    auto shape = all[i].shape;
    if (all[i].is(kNorm)) {
      norms_.push_back(i);
      shape.insert(shape.begin(), inner_.steps());
    }
    spaces_.theta.add(all[i].name, std::move(shape));
  }
  for (size_t i : inner_.adapted())
    spaces_.theta.add("rate." + all[i].name, {inner_.steps()});
}

void MamlPlusPlus::initialise(const MetaView& meta, uint64_t seed) const {
  const auto& space = inner_.net().params();
  auto flat = at::empty({space.size()}, at::kFloat);
  fill_initial(space, flat.data_ptr<float>(), seed);
  const auto one = shared_params(space, flat);
  const auto theta = shared_params(spaces_.theta, meta.theta);
  for (size_t i = 0; i < theta.size(); ++i)
    if (i < one.size())
      theta[i].copy_(one[i]);  // the same for every step
    else
      theta[i].fill_(options_.inner_lr);
}

Maml::Start MamlPlusPlus::start(Params theta, const TaskBatch&) const {
  Start s;
  const size_t count = inner_.net().params().count();
  for (int k = 0; k < inner_.steps(); ++k) {
    auto& rates = s.state.rates.emplace_back();
    for (size_t j = count; j < theta.size(); ++j)
      rates.push_back(theta[j].select(1, k));
  }
  theta.resize(count);
  for (size_t i : norms_) {
    s.state.rows.emplace_back(i, theta[i]);
    theta[i] = theta[i].select(1, 0);
  }
  s.phi = std::move(theta);
  return s;
}

}  // namespace protean
