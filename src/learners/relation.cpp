#include "learners/relation.h"

#include <ATen/ATen.h>

#include "protean/core/error.h"
#include "protean/models/initialise.h"

#include "learners/nearest.h"

namespace protean {
namespace {

constexpr int64_t kHidden = 8;

}  // namespace

Relation::Relation(NetworkPtr network, const LearnerOptions& o,
                   const ModelOptions& model)
    : MetricLearner(std::move(network), o, TargetKind::classes),
      shape_(net().feature_shape()) {
  if (shape_.size() != 3 || shape_[1] < 4 || shape_[2] < 4)
    throw ConfigError(
        concat("learner.name = relation compares maps of features, and the "
               "network gives ",
               shape_.size() == 3 ? concat(shape_[1], "x", shape_[2], " pixels")
                                  : "none",
               "; expected at least 4x4, by model.name = conv4, model.pool = "
               "max and a lower model.pool_blocks"));
  if (o.query_norm != "batch")
    throw ConfigError(concat("learner.query_norm = \"", o.query_norm,
                             "\"; expected batch with learner.name = relation, "
                             "whose own norms see pairs"));
  const int64_t c = shape_[0];
  const int64_t width = o.width ? o.width : kHidden;
  const size_t layers = net().norm_channels().size();
  auto& theta = spaces_.theta;
  first_ =
      add_weight(theta, "relation1.conv", {c, 2 * c, 3, 3}, Start::Rule::torch);
  first_norm_ =
      std::make_unique<NormLayer>(theta, "relation1.norm", c, model, layers);
  second_ =
      add_weight(theta, "relation2.conv", {c, c, 3, 3}, Start::Rule::torch);
  second_norm_ = std::make_unique<NormLayer>(theta, "relation2.norm", c, model,
                                             layers + 1);
  const int64_t left = c * (shape_[1] / 4) * (shape_[2] / 4);
  hidden_ =
      std::make_unique<LinearLayer>(theta, "relation.hidden", left, width);
  score_ = std::make_unique<LinearLayer>(theta, "relation.score", width, 1);
  if (uses_batch_moments(norm_kind(model))) add_norms({c, c});
}

at::Tensor Relation::half(const Params& theta, const at::Tensor& features,
                          int64_t which) const {
  const auto maps = features.unflatten(2, shape_);
  const auto w = theta[first_].narrow(2, which * shape_[0], shape_[0]);
  return ops::conv(ops::to_stack(maps), w, 1).transpose(0, 1);
}

Params Relation::remember(const Params& theta, const at::Tensor& features,
                          const Part& support, int64_t ways, Norm&) const {
  const auto member = membership(support, ways, features.scalar_type());
  return {half(theta, at::bmm(member.transpose(1, 2), features), 0)};
}

at::Tensor Relation::compare(const Params& theta, const Params& memory,
                             const at::Tensor& features, Norm& norm) const {
  const int64_t tasks = features.size(0), n = features.size(1);
  const int64_t ways = memory[0].size(1);
  const auto pairs =
      half(theta, features, 1).unsqueeze(2) + memory[0].unsqueeze(1);
  auto h = ops::to_stack(pairs.flatten(1, 2));  // (n N, T, C, h, w)
  h = (*first_norm_)(theta, h, ops::Pool::max2, norm, {});
  h = ops::conv(h, theta[second_], 1);
  h = (*second_norm_)(theta, h, ops::Pool::max2, norm, {});
  const auto hidden = (*hidden_)(theta, ops::from_stack(h)).relu();
  return (*score_)(theta, hidden).view({tasks, n, ways});
}

at::Tensor Relation::loss(const at::Tensor& scores, const Params&,
                          const Part& query) const {
  const auto right =
      membership({{}, query.y, {}}, scores.size(2), scores.scalar_type());
  return ops::mean_squared_error(scores.sigmoid(), right, query.weight);
}

}  // namespace protean
