#include "learners/snail.h"

#include <cmath>
#include <limits>

#include <ATen/ATen.h>

#include "protean/core/error.h"

#include "learners/nearest.h"

namespace protean {
namespace {

constexpr int64_t kKeys = 64;

// x and what was made of it, joined.
at::Tensor with(const at::Tensor& x, const at::Tensor& more) {
  return at::cat({x, more}, 2);
}

}  // namespace

Snail::Snail(NetworkPtr network, const LearnerOptions& o, int64_t ways,
             int64_t support)
    : MetricLearner(std::move(network), o, TargetKind::classes), ways_(ways) {
  const int64_t unit = o.width ? o.width : kKeys;
  int64_t channels = features() + ways;
  add_attention("snail1", channels, unit, unit / 2);
  add_convolutions("snail2", channels, 2 * unit, support + 1);
  add_attention("snail3", channels, 4 * unit, 2 * unit);
  add_convolutions("snail4", channels, 2 * unit, support + 1);
  add_attention("snail5", channels, 8 * unit, 4 * unit);
  answer_.emplace_back(spaces_.theta, "snail.answer", channels, ways);
}

void Snail::add_attention(const std::string& name, int64_t& channels,
                          int64_t keys, int64_t values) {
  auto& theta = spaces_.theta;
  Layer layer;
  layer.attention.push_back({{theta, name + ".query", channels, keys},
                             {theta, name + ".key", channels, keys},
                             {theta, name + ".value", channels, values}});
  layers_.push_back(std::move(layer));
  channels += values;
}

void Snail::add_convolutions(const std::string& name, int64_t& channels,
                             int64_t filters, int64_t length) {
  auto& theta = spaces_.theta;
  Layer layer;
  for (int64_t reach = 1, i = 1; reach < length; reach *= 2, ++i) {
    const auto block = concat(name, ".block", i);
    layer.blocks.push_back({{theta, block + ".now", channels, 2 * filters},
                            {theta, block + ".before", channels, 2 * filters},
                            reach});
    channels += filters;
  }
  layers_.push_back(std::move(layer));
}

Params Snail::remember(const Params&, const at::Tensor& features,
                       const Part& support, int64_t ways, Norm&) const {
  if (ways > ways_)
    throw ConfigError(concat("a task of ", ways, " ways; expected at most ",
                             ways_,
                             ", as in training, with learner.name = ", name()));
  return {with(features, membership(support, ways_, features.scalar_type()))};
}

at::Tensor Snail::compare(const Params& theta, const Params& memory,
                          const at::Tensor& features, Norm&) const {
  const auto unlabelled = at::zeros({features.size(0), features.size(1), ways_},
                                    features.options());
  Sequence x{memory[0], with(features, unlabelled)};
  for (const auto& layer : layers_) {
    for (const auto& a : layer.attention) x = attend(theta, a, x);
    for (const auto& b : layer.blocks) x = convolve(theta, b, x);
  }
  return answer_[0](theta, x.query);
}

Snail::Sequence Snail::attend(const Params& theta, const Attention& a,
                              const Sequence& x) const {
  const auto keys = a.key(theta, x.support), values = a.value(theta, x.support);
  const int64_t m = keys.size(1);
  const double scale = 1 / std::sqrt(static_cast<double>(keys.size(2)));
  // Every support example sees itself and those before it.
  const auto later = at::ones({m, m}, keys.options()).triu(1).to(at::kBool);
  const auto own =
      (at::bmm(a.query(theta, x.support), keys.transpose(1, 2)) * scale)
          .masked_fill(later, -std::numeric_limits<double>::infinity())
          .softmax(-1);
  // A query sees all of them and itself.
  const auto asked = a.query(theta, x.query);
  const auto itself = (asked * a.key(theta, x.query)).sum(-1, true);
  const auto weights =
      (at::cat({at::bmm(asked, keys.transpose(1, 2)), itself}, 2) * scale)
          .softmax(-1);
  const auto read = at::bmm(weights.narrow(2, 0, m), values) +
                    weights.narrow(2, m, 1) * a.value(theta, x.query);
  return {with(x.support, at::bmm(own, values)), with(x.query, read)};
}

Snail::Sequence Snail::convolve(const Params& theta, const DenseBlock& b,
                                const Sequence& x) const {
  const int64_t m = x.support.size(1), d = std::min(b.apart, m);
  const auto nothing =
      at::zeros({x.support.size(0), d, x.support.size(2)}, x.support.options());
  const auto before =
      b.before(theta, at::cat({nothing, x.support.narrow(1, 0, m - d)}, 1));
  const auto gated = [](const at::Tensor& y) {
    const auto halves = y.chunk(2, 2);
    return halves[0].tanh() * halves[1].sigmoid();
  };
  // A query is example m; before the first there is nothing.
  const auto last =
      b.before(theta, b.apart <= m ? x.support.narrow(1, m - b.apart, 1)
                                   : nothing.narrow(1, 0, 1));
  return {with(x.support, gated(b.now(theta, x.support) + before)),
          with(x.query, gated(b.now(theta, x.query) + last))};
}

}  // namespace protean
