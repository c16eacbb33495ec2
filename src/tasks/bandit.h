// A k-armed bandit, as in Duan et al. 2016, arXiv:1611.02779: an action pulls
// one arm, and nothing is seen but a constant.
//
//   bernoulli  an arm pays 1 or 0; tasks differ in the chances, uniform in
//              [0, 1]
//   gaussian   an arm pays its mean plus standard normal noise; tasks differ in
//              the means, standard normal
#pragma once

#include "protean/tasks/environment.h"

namespace protean {

class Bandit : public Environment {
 public:
  // Throws ConfigError naming the key.
  explicit Bandit(const DataOptions& options);

  ActionSpace actions() const override { return {arms_, true}; }
  int64_t observation_size() const override { return 1; }
  int64_t task_size() const override { return arms_; }
  void draw(Draws draws, float* task) const override;
  int64_t noise_size() const override { return 1; }
  int64_t horizon() const override { return horizon_; }
  at::Tensor reset(const at::Tensor& task) const override;
  Outcome step(const at::Tensor& task, const at::Tensor& state,
               const at::Tensor& action,
               const at::Tensor& noise) const override;

 private:
  bool bernoulli_;
  int64_t arms_, horizon_;
};

}  // namespace protean
