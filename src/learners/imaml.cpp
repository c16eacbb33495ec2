#include "learners/imaml.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include "protean/core/error.h"
#include "protean/learners/phase.h"
#include "protean/models/params.h"

#include "learners/conjugate_gradient.h"

namespace protean {
namespace {

// One row per task, (T, P).
at::Tensor rows(const Params& values) {
  std::vector<at::Tensor> flat;
  for (const auto& v : values) flat.push_back(v.flatten(1));
  return at::cat(flat, 1);
}

Params like(const at::Tensor& rows, const Params& shapes) {
  Params out;
  int64_t at = 0;
  for (const auto& s : shapes) {
    const int64_t n = s.numel() / s.size(0);
    out.push_back(rows.narrow(1, at, n).reshape(s.sizes()));
    at += n;
  }
  return out;
}

}  // namespace

Imaml::Imaml(NetworkPtr net, const LearnerOptions& o, TargetKind target)
    : Maml(std::move(net), o, target) {
  if (!(o.proximal > 0))
    throw ConfigError(concat("learner.proximal = ", o.proximal,
                             "; expected a value above 0 with learner.name = "
                             "imaml"));
  if (o.cg_steps < 1)
    throw ConfigError(
        concat("learner.cg_steps = ", o.cg_steps, "; expected at least 1"));
}

TaskLosses Imaml::gradient(const TaskBatch& batch, const MetaView& meta,
                           const MetaView& sums) const {
  announce(Phase::inner);
  auto [phi, state] = start_tasks(leaves(meta.theta, batch.tasks()), batch);
  inner_.train(phi, state, batch, Through::nothing);
  announce(Phase::outer);
  auto losses = inner_.query_losses(phi, batch);
  auto to_phi = torch::autograd::grad({losses.loss.sum()}, phi);

  Params adapted, query, others;
  std::vector<size_t> other_index;
  for (size_t i = 0, j = 0; i < phi.size(); ++i) {
    if (j < inner_.adapted().size() && inner_.adapted()[j] == i) {
      adapted.push_back(phi[i]);
      query.push_back(to_phi[i]);
      ++j;
    } else {
      others.push_back(phi[i]);
      other_index.push_back(i);
    }
  }
  const auto slope = torch::autograd::grad(
      {inner_.support_loss(phi, batch.support).sum()}, adapted, {}, true, true);
  const auto g = conjugate_gradient(
      [&](const at::Tensor& p) {
        return p + rows(torch::autograd::grad(slope, adapted, like(p, adapted),
                                              /*retain_graph=*/true)) /
                       options_.proximal;
      },
      rows(query), options_.cg_steps);
  const auto solved = like(g, adapted);
  if (!others.empty()) {
    const auto mixed = torch::autograd::grad(slope, others, solved);
    for (size_t k = 0; k < others.size(); ++k)
      to_phi[other_index[k]] =
          to_phi[other_index[k]] - mixed[k] / options_.proximal;
  }
  for (size_t j = 0; j < adapted.size(); ++j)
    to_phi[inner_.adapted()[j]] = solved[j];
  add_to_flat(spaces_.theta, to_phi, sums.theta);
  announce(Phase::idle);
  losses.loss = losses.loss.detach();
  return losses;
}

}  // namespace protean
