// What metric learners share: features of support and query examples by one
// body, and a comparison of each query with what became of the support set.
//
// Training normalises the joined support and query examples by their own
// moments; evaluation uses running moments, which are meta-state: inductive.
// With learner.query_norm = support both normalise support and query by the
// moments of the support set (Triantafillou et al. 2020), and there is no
// meta-state. The network's head is not used.
#pragma once

#include "protean/learners/learner.h"
#include "protean/learners/options.h"

namespace protean {

class MetricLearner : public Learner {
 public:
  std::string name() const override { return name_; }
  const MetaSpaces& spaces() const override { return spaces_; }
  void initialise(const MetaView& meta, uint64_t seed) const override;
  TaskLosses gradient(const TaskBatch& batch, const MetaView& meta,
                      const MetaView& sums) const override;
  void adapt(const TaskBatch& batch, const MetaView& meta,
             const Visit& visit) const override;
  at::Tensor predict(const Phi& phi, const Part& part) const override;
  at::Tensor features(const Phi& phi, const Part& part) const override;
  bool transductive() const override { return false; }

 protected:
  MetricLearner(NetworkPtr net, const LearnerOptions& options,
                TargetKind target);
  // For constructors: norms of the learner's own, after those of the network.
  // Not with support moments.
  void add_norms(const std::vector<int64_t>& channels);

  // What a support set becomes: tensors (T, ...) that compare() takes.
  // features: (T, n, f).
  virtual Params remember(const Params& theta, const at::Tensor& features,
                          const Part& support, int64_t ways,
                          Norm& norm) const = 0;
  // Scores of queries with features (T, n, f).
  virtual at::Tensor compare(const Params& theta, const Params& memory,
                             const at::Tensor& features, Norm& norm) const = 0;
  // Logits (T, n, N) or values (T, n, d); the scores, unless it is overridden.
  virtual at::Tensor answer(const at::Tensor& scores,
                            const Params& memory) const;
  // Per task, (T); task_loss of the answer, unless it is overridden.
  virtual at::Tensor loss(const at::Tensor& scores, const Params& memory,
                          const Part& query) const;

  const Network& net() const { return *net_; }
  int64_t features() const;  // f
  TargetKind target() const { return target_; }

  MetaSpaces spaces_;

 private:
  // The answer for the classes that the part's tasks have.
  at::Tensor answer_to(const Part& part, const at::Tensor& scores,
                       const Params& memory) const;

  std::string name_;
  NetworkPtr net_;
  double momentum_;
  TargetKind target_;
  bool support_norm_;
  std::vector<int64_t> norm_channels_;
};

}  // namespace protean
