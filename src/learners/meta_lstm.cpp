#include "learners/meta_lstm.h"

#include <cmath>

#include <ATen/ATen.h>

#include "protean/core/error.h"
#include "protean/core/philox.h"
#include "protean/models/initialise.h"

namespace protean {
namespace {

constexpr int64_t kHidden = 20;
constexpr double kLogRange = 10;       // p in the paper's appendix A
constexpr double kForgetBias = 5;      // "forget gates start near 1"
constexpr double kGateWeights = 0.01;  // uniform in +-

// (T, n) -> (T, n, 2): size and sign of numbers of any magnitude.
at::Tensor log_scaled(const at::Tensor& x) {
  const double least = std::exp(-kLogRange);
  const auto size = x.abs();
  const auto large = size.ge(least);
  return at::stack({at::where(large, size.clamp_min(least).log() / kLogRange,
                              at::full_like(x, -1)),
                    at::where(large, x.sign(), x / least)},
                   -1);
}

}  // namespace

LstmUpdate::LstmUpdate(int64_t hidden)
    : reader_(space_, "update.reader", 4, hidden),
      input_gate_(space_, "update.input_gate", hidden + 2, 1),
      forget_gate_(space_, "update.forget_gate", hidden + 2, 1) {}

void LstmUpdate::initialise(float* values, double rate, uint64_t seed) const {
  fill_initial(space_, values, seed);
  const auto& all = space_.parameters();
  for (const char* name : {"input_gate", "forget_gate"}) {
    const size_t w = space_.index(concat("update.", name, ".weight"));
    Draws draws(seed, {}, Purpose::initialise, static_cast<uint32_t>(w));
    for (int64_t k = 0; k < all[w].size; ++k)
      values[all[w].offset + k] =
          static_cast<float>(draws.uniform(-kGateWeights, kGateWeights));
  }
  values[all[space_.index("update.input_gate.bias")].offset] =
      static_cast<float>(std::log(rate / (1 - rate)));
  values[all[space_.index("update.forget_gate.bias")].offset] = kForgetBias;
}

void LstmUpdate::step(Params& phi, const std::vector<size_t>& adapted,
                      const Params& gradients, const at::Tensor& losses,
                      InnerState& state) const {
  std::vector<at::Tensor> values, slopes;
  for (size_t j = 0; j < adapted.size(); ++j) {
    values.push_back(phi[adapted[j]].flatten(1));
    slopes.push_back(gradients[j].flatten(1));
  }
  const auto c = at::cat(values, 1).unsqueeze(-1);  // (T, coordinates, 1)
  const auto slope = at::cat(slopes, 1);
  const int64_t tasks = c.size(0), n = c.size(1);
  if (state.first.empty()) {
    const auto s = reader_.start(tasks, n, c.options());
    state.first = {s.h, s.c};
    // No gate has been used yet.
    state.second = {at::zeros_like(c), at::ones_like(c)};
  }
  const auto loss = log_scaled(losses.unsqueeze(1)).expand({tasks, n, 2});
  const auto h =
      reader_.step(state.learned, at::cat({log_scaled(slope), loss}, 2),
                   {state.first[0], state.first[1]});
  const auto gate = [&](const LinearLayer& layer, const at::Tensor& last) {
    return layer(state.learned, at::cat({h.h, c, last}, 2)).sigmoid();
  };
  const auto i = gate(input_gate_, state.second[0]);
  const auto f = gate(forget_gate_, state.second[1]);
  const auto next = (f * c - i * slope.unsqueeze(-1)).squeeze(-1);
  state.first = {h.h, h.c};
  state.second = {i, f};
  state.updates += 1;
  int64_t at = 0;
  for (size_t j = 0; j < adapted.size(); ++j) {
    auto& p = phi[adapted[j]];
    p = next.narrow(1, at, values[j].size(1)).reshape(p.sizes());
    at += values[j].size(1);
  }
}

MetaLstm::MetaLstm(NetworkPtr net, const LearnerOptions& o, TargetKind target)
    : MetaLstm(std::move(net), o, target,
               std::make_shared<LstmUpdate>(o.width ? o.width : kHidden)) {}

MetaLstm::MetaLstm(NetworkPtr net, const LearnerOptions& o, TargetKind target,
                   std::shared_ptr<const LstmUpdate> update)
    : Maml(std::move(net), o, target, update), update_(std::move(update)) {
  if (!(o.inner_lr < 1))
    throw ConfigError(concat("learner.inner_lr = ", o.inner_lr,
                             "; expected a value in (0, 1), at which the input "
                             "gate starts"));
  for (const auto& p : update_->params().parameters()) spaces_.theta.add(p);
}

void MetaLstm::initialise(const MetaView& meta, uint64_t seed) const {
  Maml::initialise(meta, seed);
  update_->initialise(
      meta.theta.data_ptr<float>() + inner_.net().params().size(),
      options_.inner_lr, seed);
}

Maml::Start MetaLstm::start(Params theta, const TaskBatch&) const {
  Start s;
  const auto end =
      theta.begin() + static_cast<int64_t>(inner_.net().params().count());
  s.state.learned.assign(end, theta.end());
  s.phi.assign(theta.begin(), end);
  return s;
}

}  // namespace protean
