#include "learners/matching.h"

#include <limits>

#include <ATen/ATen.h>

#include "protean/core/error.h"

#include "learners/nearest.h"

namespace protean {
namespace {

// Scores (T, n, m) with the columns of padded support examples taken out.
// absent: (T, m), true for those; undefined: none.
at::Tensor without(const at::Tensor& scores, const at::Tensor& absent) {
  if (!absent.defined()) return scores;
  return scores.masked_fill(absent.unsqueeze(1),
                            -std::numeric_limits<double>::infinity());
}

// log of the sum of exp(scores) (T, n, m) over each class, by memberships y
// (T, m, ways): log-probabilities but for a constant. Each class by its own
// largest score: seen from that of another class it may be too small a number.
at::Tensor log_of_sums(const at::Tensor& scores, const at::Tensor& y) {
  const auto member = y.detach().gt(0);  // (T, m, ways)
  const auto known = scores.detach();
  auto most = known.unsqueeze(3)
                  .masked_fill(member.logical_not().unsqueeze(1),
                               -std::numeric_limits<double>::infinity())
                  .amax(2);  // (T, n, ways)
  // Of a class without examples.
  most = most.where(at::isfinite(most), known.amax(2, true));
  const auto own = at::bmm(most, member.transpose(1, 2).to(scores.dtype()));
  const auto sums = at::bmm((scores - own).exp(), y);
  return sums.clamp_min(std::numeric_limits<float>::min()).log() + most;
}

}  // namespace

Matching::Matching(NetworkPtr net, const LearnerOptions& o, TargetKind target)
    : MetricLearner(std::move(net), o, target),
      temperature_(o.temperature),
      reads_(o.context_reads) {
  if (!(temperature_ > 0))
    throw ConfigError(concat("learner.temperature = ", temperature_,
                             "; expected a value above 0"));
  if (!o.full_context) return;
  if (reads_ < 1)
    throw ConfigError(
        concat("learner.context_reads = ", reads_, "; expected at least 1"));
  const int64_t f = features();
  auto& theta = spaces_.theta;
  forward_ = std::make_unique<LstmLayer>(theta, "context.forward", f, f);
  backward_ = std::make_unique<LstmLayer>(theta, "context.backward", f, f);
  // Its input is the query; what it carries over is [h, r].
  attend_ = std::make_unique<LstmLayer>(theta, "context.attend", 2 * f, f);
}

Params Matching::remember(const Params& theta, const at::Tensor& features,
                          const Part& support, int64_t ways, Norm&) const {
  const auto g = forward_ ? embed_support(theta, features) : features;
  at::Tensor absent;
  if (support.weight.defined()) absent = support.weight.eq(0);
  return {g,
          target() == TargetKind::classes
              ? membership(support, ways, features.scalar_type())
              : support.y,
          absent};
}

at::Tensor Matching::compare(const Params& theta, const Params& memory,
                             const at::Tensor& features, Norm&) const {
  const auto &g = memory[0], &y = memory[1], &absent = memory[2];
  const auto f = forward_ ? embed_query(theta, features, g, absent) : features;
  const auto scores = without(cosines(f, g) / temperature_, absent);
  if (target() == TargetKind::values) return at::bmm(scores.softmax(-1), y);
  return log_of_sums(scores, y);
}

at::Tensor Matching::embed_support(const Params& theta,
                                   const at::Tensor& x) const {
  const int64_t n = x.size(1);
  std::vector<at::Tensor> read(n), back(n);
  auto state = forward_->start(x.size(0), 1, x.options());
  for (int64_t i = 0; i < n; ++i) {
    state = forward_->step(theta, x.narrow(1, i, 1), state);
    read[i] = state.h;
  }
  state = backward_->start(x.size(0), 1, x.options());
  for (int64_t i = n; i-- > 0;) {
    state = backward_->step(theta, x.narrow(1, i, 1), state);
    back[i] = state.h;
  }
  return x + at::cat(read, 1) + at::cat(back, 1);
}

at::Tensor Matching::embed_query(const Params& theta, const at::Tensor& x,
                                 const at::Tensor& support,
                                 const at::Tensor& absent) const {
  auto state = attend_->start(x.size(0), x.size(1), x.options());
  auto r = at::zeros_like(x);
  for (int k = 0; k < reads_; ++k) {
    state = attend_->step(theta, at::cat({x, r}, 2), state);
    state.h = state.h + x;
    const auto scores = at::bmm(state.h, support.transpose(1, 2));
    r = at::bmm(without(scores, absent).softmax(-1), support);
  }
  return state.h;
}

}  // namespace protean
