#include "generative/conditional_generator.h"

#include <cmath>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include "protean/learners/phase.h"
#include "protean/models/initialise.h"
#include "protean/models/params.h"
#include "protean/tasks/noise.h"

namespace protean {

at::Tensor mean_of_images(const at::Tensor& v, const at::Tensor& weight) {
  return weight.defined() ? (v * weight).sum(1) / weight.sum(1) : v.mean(1);
}

ConditionalGenerator::ConditionalGenerator(const GeneratorOptions& options,
                                           const LearnerOptions& learner,
                                           const TaskShape& train,
                                           const TaskCounts& eval)
    : options_(options),
      shape_(train.input),
      train_shots_(train.support),
      seed_(learner.seed),
      eval_shots_(static_cast<int>(eval.shots)) {}

void ConditionalGenerator::initialise(const MetaView& meta,
                                      uint64_t seed) const {
  fill_initial(spaces_.theta, meta.theta.data_ptr<float>(), seed);
}

TaskLosses ConditionalGenerator::gradient(const TaskBatch& batch,
                                          const MetaView& meta,
                                          const MetaView& sums) const {
  announce(Phase::outer);
  auto theta = shared_params(spaces_.theta, meta.theta);
  for (auto& p : theta) p = p.detach().requires_grad_();
  const auto weight = shown(batch.ids, meta.theta);
  const Scene scene{batch.support.x, weight, batch.query.x, {}, batch.ids, 0};
  const auto value = loss(theta, see(theta, scene), scene);
  add_to_flat(spaces_.theta, torch::autograd::grad({value.sum()}, theta),
              sums.theta);
  announce(Phase::idle);
  return {value.detach(), {}};
}

at::Tensor ConditionalGenerator::prepared(const at::Tensor& images) const {
  return options_.binary ? images.round() : images;
}

at::Tensor ConditionalGenerator::noise(const std::vector<TaskId>& ids,
                                       int64_t n, int64_t d, Purpose purpose,
                                       int64_t slot,
                                       const at::Tensor& like) const {
  return task_noise(seed_, ids, n, d, purpose, static_cast<uint32_t>(slot),
                    like);
}

at::Tensor ConditionalGenerator::weighted_bound(
    const std::vector<at::Tensor>& log_weights) {
  return (at::logsumexp(at::stack(log_weights), {0}) -
          std::log(static_cast<double>(log_weights.size())))
      .unsqueeze(-1);
}

}  // namespace protean
