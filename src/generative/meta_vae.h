// A set VAE that also learns from the support set by gradients: MAML (Finn et
// al. 2017, arXiv:1703.03400) or Reptile (Nichol et al. 2018, arXiv:1803.02999)
// with minus the bound as both losses.
//
//   phi_0 = theta;  phi_{k+1} = phi_k - alpha * grad L(phi_k; S from S)
//   maml:    meta-gradient d L(phi_K; query from S) / d theta, exact or first
//            order
//   reptile: theta - phi_K
//
// learner.adapt: all, or the part of the model that inner steps move; see
// adapted_part.h.
#pragma once

#include "protean/learners/unroll.h"

#include "generative/set_vae.h"

namespace protean {

class MetaVae : public SetVae {
 public:
  // Throws ConfigError naming the key.
  MetaVae(const GeneratorOptions& options, const LearnerOptions& learner,
          const TaskShape& train, const TaskCounts& eval);

  std::string name() const override { return "metavae"; }
  TaskLosses gradient(const TaskBatch& batch, const MetaView& meta,
                      const MetaView& sums) const override;
  // Visits after every inner step, on all support images.
  void adapt(const TaskBatch& batch, const MetaView& meta,
             const Visit& visit) const override;
  bool visits_support() const override { return false; }
  int eval_steps() const override;

 private:
  void step(Params& phi, InnerState& state, const at::Tensor& support,
            const at::Tensor& weight, const std::vector<TaskId>& ids, int k,
            Through through) const;

  LearnerOptions learner_;
  InnerOptimizer optimizer_;
  std::vector<size_t> adapted_;
};

}  // namespace protean
