#include "protean/learners/outer_step.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "protean/core/error.h"

namespace protean {
namespace {

double scheduled_rate(const OptimOptions& o, const StepContext& c) {
  if (o.schedule == "constant") return o.lr;
  // A generator that is trained further than it was to be stays at the end.
  const double done = c.steps > 0
                          ? std::min(1.0, static_cast<double>(c.step) /
                                              static_cast<double>(c.steps))
                          : 0;
  if (o.schedule == "linear") return o.lr + (o.lr_end - o.lr) * done;
  if (o.schedule == "cosine")
    return o.lr_end +
           (o.lr - o.lr_end) * (1 + std::cos(std::numbers::pi * done)) / 2;
  return o.lr * std::pow(o.decay, static_cast<double>(c.step / o.decay_steps));
}

// One pass over the flat buffer; theta, gradient and moments are float32.
// Adam: Kingma and Ba 2015, arXiv:1412.6980, with bias correction.
class FlatOptimiser : public OuterStep {
 public:
  FlatOptimiser(const OptimOptions& options, int64_t size)
      : options_(options), slice_{0, size, {}} {
    if (options.name == "adam")
      state_.names = {"m", "v"};
    else if (options.name == "momentum")
      state_.names = {"m"};
    for (size_t i = 0; i < state_.names.size(); ++i)
      state_.buffers.push_back(at::zeros({size}, at::kFloat));
  }

  void run(Objective& objective, at::Tensor& theta,
           const StepContext& context) override {
    auto g = objective.gradient(0);
    // The same bits on every rank. A device keeps it until somebody asks.
    if (g.is_cpu())
      norm_ = norm(g);
    else
      device_norm_ = g.to(at::kDouble).norm();
    if (options_.clip_value > 0)
      g = g.clamp(-options_.clip_value, options_.clip_value);
    if (options_.clip_norm > 0) g = clipped(g);
    auto part = own(theta);
    g = own(g);
    if (options_.weight_decay > 0) g = g.add(part, options_.weight_decay);
    ++state_.updates;
    const double rate = context.rate * scheduled_rate(options_, context);
    if (options_.name == "adam")
      adam(part, g, rate);
    else if (options_.name == "momentum")
      part.sub_(state_.buffers[0].mul_(options_.momentum).add_(g), rate);
    else
      part.sub_(g, rate);
    if (slice_.gather) slice_.gather(theta);
  }

  bool shard(const Slice& slice) override {
    slice_ = slice;
    for (auto& buffer : state_.buffers) buffer = own(buffer).clone();
    return true;
  }

  State& state() override { return state_; }
  double last_gradient_norm() const override {
    return device_norm_.defined() ? device_norm_.item<double>() : norm_;
  }

 private:
  at::Tensor own(const at::Tensor& t) const {
    return t.narrow(0, slice_.begin, slice_.end - slice_.begin);
  }

  at::Tensor clipped(const at::Tensor& g) const {
    if (!g.is_cpu())
      return g * (options_.clip_norm / device_norm_)
                     .clamp_max(1)
                     .to(g.scalar_type());
    return norm_ > options_.clip_norm ? g * (options_.clip_norm / norm_) : g;
  }

  // A double sum in index order.
  static double norm(const at::Tensor& gradient) {
    const auto g = gradient.contiguous();
    double sum = 0;
    const float* const values = g.const_data_ptr<float>();
    for (int64_t i = 0; i < g.numel(); ++i)
      sum += static_cast<double>(values[i]) * values[i];
    return std::sqrt(sum);
  }

  void adam(at::Tensor theta, const at::Tensor& g, double rate) {
    const double updates = static_cast<double>(state_.updates);
    const double correct1 = 1 - std::pow(options_.beta1, updates);
    const double correct2 = 1 - std::pow(options_.beta2, updates);
    const auto b1 = static_cast<float>(options_.beta1);
    const auto b2 = static_cast<float>(options_.beta2);
    const auto size = static_cast<float>(rate / correct1);
    const auto scale = static_cast<float>(1 / correct2);
    const auto eps = static_cast<float>(options_.eps);
    if (!theta.is_cpu()) {  // the loop below, operator by operator
      auto& m = state_.buffers[0].mul_(b1).add_(g * (1 - b1));
      auto& v = state_.buffers[1].mul_(b2).add_((g * (1 - b2)).mul_(g));
      theta.sub_((m * size).div_((v * scale).sqrt_().add_(eps)));
      return;
    }
    const auto gradient = g.contiguous();
    const float* in = gradient.data_ptr<float>();
    float* m = state_.buffers[0].data_ptr<float>();
    float* v = state_.buffers[1].data_ptr<float>();
    float* out = theta.data_ptr<float>();
    const int64_t n = theta.numel();
    for (int64_t i = 0; i < n; ++i) {
      m[i] = b1 * m[i] + (1 - b1) * in[i];
      v[i] = b2 * v[i] + (1 - b2) * in[i] * in[i];
      out[i] -= size * m[i] / (std::sqrt(v[i] * scale) + eps);
    }
  }

  OptimOptions options_;
  Slice slice_;
  State state_;
  double norm_ = 0;
  at::Tensor device_norm_;
};

void check(bool good, const char* key, const std::string& value,
           const char* expected) {
  if (!good)
    throw ConfigError(concat(key, " = ", value, "; expected ", expected));
}

}  // namespace

std::unique_ptr<OuterStep> make_optimiser_step(const OptimOptions& o,
                                               int64_t size) {
  check(o.name == "adam" || o.name == "sgd" || o.name == "momentum",
        "optim.name", o.name, "one of: adam, sgd, momentum");
  check(o.schedule == "constant" || o.schedule == "cosine" ||
            o.schedule == "linear" || o.schedule == "step",
        "optim.schedule", o.schedule, "one of: constant, cosine, linear, step");
  check(o.lr > 0, "optim.lr", std::to_string(o.lr), "a value above 0");
  check(o.decay_steps > 0, "optim.decay_steps", std::to_string(o.decay_steps),
        "at least 1");
  check(o.beta1 >= 0 && o.beta1 < 1, "optim.beta1", std::to_string(o.beta1),
        "a value in [0, 1)");
  check(o.beta2 >= 0 && o.beta2 < 1, "optim.beta2", std::to_string(o.beta2),
        "a value in [0, 1)");
  return std::make_unique<FlatOptimiser>(o, size);
}

}  // namespace protean
