#include "protean/generative/generated_tasks.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "protean/core/choice.h"
#include "protean/core/error.h"
#include "protean/generative/latent_space.h"
#include "protean/tasks/noise.h"
#include "protean/tasks/nway.h"

namespace protean {
namespace {

constexpr uint32_t kAttempts = 4;
constexpr int64_t kMostTries = 64;
// Slots of Purpose::latent, per attempt; anchors take the rest.
constexpr uint32_t kSlots = 1024, kCodeNoise = 0, kLatentNoise = 1, kAnchor = 2;

// The quantile of the least squared distance between n standard normal points.
double separation(int64_t n, int64_t d, double quantile) {
  if (n < 2 || quantile <= 0) return 0;
  constexpr uint32_t kDraws = 500;
  std::vector<double> least;
  for (uint32_t i = 0; i < kDraws; ++i)
    least.push_back(least_squared_distance(
        task_noise(0, {{Stream::generator, 0, i}}, n, d, Purpose::latent,
                   kAnchor, at::empty({0}, at::kDouble))[0]));
  std::sort(least.begin(), least.end());
  return least[static_cast<size_t>(quantile * (kDraws - 1))];
}

void check(const char* key, double value, double high) {
  if (!(value >= 0 && value <= high))
    throw ConfigError(
        concat(key, " = ", value, "; expected a value in [0, ", high, "]"));
}

}  // namespace

void GeneratorVersions::add(uint32_t version, MetaView meta) {
  std::lock_guard lock(mutex_);
  versions_[version] = std::move(meta);
}

void GeneratorVersions::forget_before(uint32_t version) {
  std::lock_guard lock(mutex_);
  versions_.erase(versions_.begin(), versions_.lower_bound(version));
}

MetaView GeneratorVersions::at(uint32_t version) const {
  std::lock_guard lock(mutex_);
  const auto it = versions_.find(version);
  if (it == versions_.end())
    throw Error(concat("generator version ", version,
                       " is asked for, but was not published here"));
  return it->second;
}

GeneratedTasks::GeneratedTasks(
    GenerativeLearnerPtr learner,
    std::shared_ptr<const GeneratorVersions> versions, const TaskCounts& counts,
    const GeneratedTaskOptions& o)
    : learner_(std::move(learner)),
      versions_(std::move(versions)),
      counts_(counts),
      options_(o) {
  check_choice("generator.rule", o.rule, {"class", "n", "ro", "oc"});
  check("generator.spread", o.spread, o.rule == "n" ? 10 : 1);
  check("generator.separation", o.separation, 0.99);
  check("generator.separability", o.separability, 1);
  if (o.tries < 1 || o.tries > kMostTries)
    throw ConfigError(
        concat("generator.tries = ", o.tries, "; expected 1 to ", kMostTries));
  if (o.tries > 1 && !learner_->judges())
    throw ConfigError(concat(
        "generator.tries = ", o.tries,
        " chooses by a discriminator, and learner.name = ", learner_->name(),
        " has none; expected 1, or a run of metagan"));
  if (rejects())
    need_found_codes(*learner_, concat("generator.separability = ",
                                       o.separability, " (0 takes all tasks)"));
  least_distance_ =
      separation(counts.ways, learner_->code_size(), o.separation);
}

TaskSpec GeneratedTasks::describe(uint64_t seed, TaskId id,
                                  const StreamState& stream) const {
  TaskSpec spec = describe_nway(id, counts_);
  spec.generator_version = stream.generator_version;
  spec.latent = {seed};
  return spec;
}

TaskShape GeneratedTasks::shape(const TaskSpec& spec) const {
  return shape_nway(spec, learner_->image_shape());
}

at::Tensor GeneratedTasks::anchors(const TaskSpec& spec, uint32_t attempt,
                                   const at::Tensor& like) const {
  const int64_t ways = counts_.ways;
  at::Tensor best;
  double widest = -1;
  for (uint32_t i = 0; i < kSlots - kAnchor; ++i) {
    const auto drawn =
        task_noise(spec.latent.at(0), {spec.id}, ways, learner_->code_size(),
                   Purpose::latent, attempt * kSlots + kAnchor + i, like)[0];
    if (ways < 2) return drawn;
    const double distance = least_squared_distance(drawn);
    if (distance > widest) {
      widest = distance;
      best = drawn;
    }
    if (distance >= least_distance_) break;
  }
  return best;
}

GeneratedTasks::Draft GeneratedTasks::draft(const TaskSpec& spec,
                                            const MetaView& meta,
                                            const Phi& phi,
                                            uint32_t attempt) const {
  const int64_t ways = counts_.ways, each = counts_.shots + counts_.queries;
  const auto& like = phi.params.front();
  const auto noise = [&](int64_t n, int64_t d, uint32_t slot) {
    return task_noise(spec.latent.at(0), {spec.id}, n, d, Purpose::latent,
                      attempt * kSlots + slot, like);
  };
  const auto anchor = anchors(spec, attempt, like).unsqueeze(1);
  const auto own = anchor.expand({ways, each, -1});
  const double s = options_.spread;
  auto codes = own;
  if (options_.rule != "class") {
    const auto e = noise(ways * each, learner_->code_size(), kCodeNoise)
                       .view({ways, each, -1});
    if (options_.rule == "n")
      codes = (own + s * e) / std::sqrt(1 + s * s);
    else
      codes = slerp(own, e, s);
  }
  if (options_.rule == "oc") {
    codes = codes.clone();
    for (int64_t i = 0; i < each; ++i) {
      if (i % 5 == 4 || ways < 2) continue;
      const auto other = anchor.roll(1 + i % (ways - 1), 0);
      codes.select(1, i).copy_(slerp(anchor, other, s).squeeze(1));
    }
  }
  Draft d;
  std::vector<int64_t> shape{ways, each};
  const auto& image = learner_->image_shape();
  shape.insert(shape.end(), image.begin(), image.end());
  d.images = most_real(meta, phi, codes.reshape({1, ways * each, -1}),
                       noise(ways * each * options_.tries,
                             learner_->latent_size(), kLatentNoise))
                 .reshape(shape)
                 .contiguous();
  if (rejects()) d.separability = separability(phi, d.images);
  return d;
}

at::Tensor GeneratedTasks::most_real(const MetaView& meta, const Phi& phi,
                                     const at::Tensor& codes,
                                     const at::Tensor& noise) const {
  const int64_t n = codes.size(1);
  at::Tensor best, score;
  for (int64_t i = 0; i < options_.tries; ++i) {
    const auto images = learner_->decode(phi, codes, noise.narrow(1, i * n, n));
    if (options_.tries == 1) return images;
    const auto own = learner_->realness(meta, codes, images);
    if (i == 0) {
      best = images;
      score = own;
      continue;
    }
    const auto better = own > score;
    best = at::where(better.view({1, n, 1, 1, 1}), images, best);
    score = at::maximum(own, score);
  }
  return best;
}

bool GeneratedTasks::rejects() const {
  return counts_.ways > 1 && options_.separability > 0;
}

double GeneratedTasks::separability(const Phi& phi,
                                    const at::Tensor& images) const {
  const int64_t ways = counts_.ways, shots = counts_.shots;
  const auto codes = learner_->embed(phi, images.flatten(0, 1).unsqueeze(0))
                         .view({ways, images.size(1), -1});
  const auto centres = codes.narrow(1, 0, shots).mean(1);  // (N, c)
  const auto nearest = at::cdist(codes.narrow(1, shots, counts_.queries),
                                 centres.unsqueeze(0).expand({ways, -1, -1}))
                           .argmin(-1);  // (N, Q)
  return nearest.eq(at::arange(ways).unsqueeze(1))
      .to(at::kDouble)
      .mean()
      .item<double>();
}

void GeneratedTasks::materialise(const TaskSpec& spec, EpisodeView out) const {
  at::NoGradGuard no_grad;
  const auto meta = versions_->at(spec.generator_version);
  const Phi phi = learner_->start(meta);
  Draft best = draft(spec, meta, phi, 0);
  for (uint32_t i = 1;
       i < kAttempts && rejects() && best.separability < options_.separability;
       ++i) {
    Draft next = draft(spec, meta, phi, i);
    if (next.separability > best.separability) best = std::move(next);
  }
  fill_nway(best.images, spec, out);
}

}  // namespace protean
