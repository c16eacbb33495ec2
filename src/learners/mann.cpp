#include "learners/mann.h"

#include <ATen/ATen.h>

#include "protean/core/error.h"

#include "learners/nearest.h"

namespace protean {
namespace {

constexpr int64_t kUnits = 200, kRows = 128, kWidth = 40, kHeads = 4;
constexpr double kDecay = 0.95, kStart = 1e-6;
// Strength of a key at the start; a bare softmax of 128 cosines reads all rows
// nearly alike.
constexpr double kStrength = 10;

int64_t units(const LearnerOptions& o) { return o.width ? o.width : kUnits; }

}  // namespace

Mann::Mann(NetworkPtr network, const LearnerOptions& o, int64_t ways)
    : MetricLearner(std::move(network), o, TargetKind::classes),
      ways_(ways),
      controller_(spaces_.theta, "mann.controller",
                  features() + ways + kHeads * kWidth, units(o)),
      keys_(spaces_.theta, "mann.keys", units(o), kHeads * kWidth),
      gates_(spaces_.theta, "mann.gates", units(o), 2 * kHeads),
      answer_(spaces_.theta, "mann.answer", units(o) + kHeads * kWidth, ways) {}

Mann::State Mann::start(int64_t sequences,
                        const at::TensorOptions& options) const {
  return {controller_.start(1, sequences, options),
          at::full({sequences, kRows, kWidth}, kStart, options),
          at::zeros({sequences, kHeads, kRows}, options),
          at::zeros({sequences, kRows}, options),
          at::zeros({sequences, kHeads * kWidth}, options)};
}

Mann::State Mann::step(const Params& theta, const at::Tensor& input,
                       const State& s) const {
  State next;
  next.controller = controller_.step(
      theta, at::cat({input, s.read}, 1).unsqueeze(0), s.controller);
  const auto& h = next.controller.h;
  const auto keys = keys_(theta, h).tanh().view({-1, kHeads, kWidth});
  const auto gates = gates_(theta, h).view({-1, kHeads, 2});
  const auto gate = gates.narrow(2, 0, 1).sigmoid();
  const auto strength = kStrength * gates.narrow(2, 1, 1).exp();

  // Ties go to the first row, whatever else is in the stack.
  const auto order = at::argsort(s.usage.detach(), /*stable=*/true, -1, false);
  const auto unused =
      at::one_hot(order.narrow(1, 0, kHeads), kRows).to(keys.scalar_type());
  const auto writing = gate * s.reading + (1 - gate) * unused;
  const auto kept = 1 - unused.select(1, 0).unsqueeze(-1);  // (B, rows, 1)
  next.memory = s.memory * kept + at::bmm(writing.transpose(1, 2), keys);
  next.reading = (strength * cosines(keys, next.memory)).softmax(-1);
  next.read = at::bmm(next.reading, next.memory).flatten(1);
  next.usage = kDecay * s.usage + next.reading.sum(1) + writing.sum(1);
  return next;
}

Params Mann::remember(const Params& theta, const at::Tensor& features,
                      const Part& support, int64_t ways, Norm&) const {
  if (ways > ways_)
    throw ConfigError(concat("a task of ", ways, " ways; expected at most ",
                             ways_,
                             ", as in training, with learner.name = ", name()));
  const auto labels = membership(support, ways_, features.scalar_type());
  auto last = at::zeros_like(labels.select(1, 0));
  auto s = start(features.size(0), features.options());
  for (int64_t i = 0; i < features.size(1); ++i) {
    s = step(theta, at::cat({features.select(1, i), last}, 1), s);
    last = labels.select(1, i);
  }
  return {s.controller.h, s.controller.c, s.memory, s.reading,
          s.usage,        s.read,         last};
}

at::Tensor Mann::compare(const Params& theta, const Params& memory,
                         const at::Tensor& features, Norm&) const {
  const int64_t n = features.size(1);
  // Each query is a sequence of its own from here on.
  const auto each = [&](const at::Tensor& t) {
    return t.repeat_interleave(n, 0);
  };
  const State s{{each(memory[0].squeeze(0)).unsqueeze(0),
                 each(memory[1].squeeze(0)).unsqueeze(0)},
                each(memory[2]),
                each(memory[3]),
                each(memory[4]),
                each(memory[5])};
  const auto end =
      step(theta, at::cat({features.flatten(0, 1), each(memory[6])}, 1), s);
  const auto joined = at::cat({end.controller.h, end.read.unsqueeze(0)}, 2);
  return answer_(theta, joined).view({features.size(0), n, ways_});
}

}  // namespace protean
