// Optimization as a model: Ravi and Larochelle 2017 (ICLR). In place of the
// descent step stands an LSTM cell whose memory is phi, shared by all
// coordinates, and learnt with theta:
//
//   phi_{k+1} = f o phi_k - i o grad L_S(phi_k)
//   i = sigmoid(W_i [h, phi_k, i_k] + b_i),  f likewise,
//
// h: an LSTM (learner.width units, 20 in the paper) over gradient and loss,
// each as (log|x| / 10, sign x), or (-1, e^10 x) where |x| < e^-10. i starts at
// learner.inner_lr, f near 1. The paper treats gradients and losses as
// constants: learner.second_order = false.
#pragma once

#include "protean/models/layers.h"

#include "learners/maml.h"

namespace protean {

// What coordinates of phi share; their state is (T, coordinates, ...).
class LstmUpdate : public InnerUpdate {
 public:
  explicit LstmUpdate(int64_t hidden);
  const ParameterSpace& params() const { return space_; }
  void initialise(float* values, double rate, uint64_t seed) const;
  // state.learned: params().
  void step(Params& phi, const std::vector<size_t>& adapted,
            const Params& gradients, const at::Tensor& losses,
            InnerState& state) const override;

 private:
  ParameterSpace space_;
  LstmLayer reader_;
  LinearLayer input_gate_, forget_gate_;
};

class MetaLstm : public Maml {
 public:
  MetaLstm(NetworkPtr net, const LearnerOptions& options, TargetKind target);
  void initialise(const MetaView& meta, uint64_t seed) const override;

 protected:
  Start start(Params theta, const TaskBatch& batch) const override;

 private:
  MetaLstm(NetworkPtr net, const LearnerOptions& options, TargetKind target,
           std::shared_ptr<const LstmUpdate> update);
  std::shared_ptr<const LstmUpdate> update_;
};

}  // namespace protean
