#include "protean/evaluation/sample_quality.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>

#include <ATen/ATen.h>

#include "protean/core/error.h"
#include "protean/core/philox.h"
#include "protean/generative/analysis/quality.h"
#include "protean/generative/known_class.h"
#include "protean/tasks/noise.h"

namespace protean {
namespace {

constexpr int64_t kNeighbours = 5;
constexpr int kSubsets = 50;
constexpr int64_t kSubsetSize = 200;

// Images of one class, each set (1, n, C, H, W).
struct PartedClass {
  at::Tensor support, reference, real, copies;
};

PartedClass images_of(const ClassDataset& data, uint32_t cls, int64_t shots,
                      uint64_t seed) {
  const uint32_t n = data.size(cls);
  const auto order =
      Draws(seed, {Stream::test, 0, cls}, Purpose::examples).sample(n, n);
  const int64_t half = (n - shots) / 2;
  const auto all = class_images(data, cls, order);
  PartedClass c;
  c.support = all.narrow(1, 0, shots);
  c.reference = all.narrow(1, shots, half);
  c.real = all.narrow(1, shots + half, half);
  c.copies = c.support.index_select(1, at::arange(half) % shots);
  return c;
}

// Of which steps the images are judged.
bool judged(int step, int last) {
  constexpr int kSteps[] = {0, 1, 2, 5, 10, 20, 50};
  return step == last || std::ranges::find(kSteps, step) != std::end(kSteps);
}

double mean_distance(const at::Tensor& x) {
  const double n = static_cast<double>(x.size(0));
  return n < 2 ? NAN : at::cdist(x, x).sum().item<double>() / (n * (n - 1));
}

// A: features of what everything is compared with.
struct Reference {
  explicit Reference(const std::vector<at::Tensor>& by_class)
      : all(at::cat(by_class)) {
    std::vector<at::Tensor> means;
    for (const auto& rows : by_class) {
      means.push_back(rows.mean(0));
      spread.push_back(mean_distance(rows));
    }
    centres = at::stack(means);
  }
  at::Tensor all, centres;
  std::vector<double> spread;  // of each class
};

// One of the three sets against A.
struct Comparison {
  std::vector<at::Tensor> features;  // by class

  std::vector<int64_t> sizes() const {
    std::vector<int64_t> n;
    for (const auto& rows : features) n.push_back(rows.size(0));
    return n;
  }

  nlohmann::json to_json(const Reference& reference, uint64_t seed) const {
    const auto& a = reference.all;
    const auto b = at::cat(features);
    // Of a prototypical network that has A as its support.
    const auto logits = -at::cdist(b, reference.centres).square();
    const auto found = logits.argmax(1).split_with_sizes(sizes());
    double right = 0, diversity = 0, with_pairs = 0;
    for (size_t i = 0; i < features.size(); ++i) {
      right += found[i].eq(static_cast<int64_t>(i)).sum().item<double>();
      const double of_a = reference.spread[i];
      if (!(of_a > 0)) continue;
      diversity += mean_distance(features[i]) / of_a;
      ++with_pairs;
    }
    const auto m = manifold(a, b, kNeighbours);
    const auto k = kernel_distance(a, b, kSubsets, kSubsetSize, seed);
    return {{"frechet", frechet_distance(a, b)},
            {"kernel", k.mean},
            {"kernel_deviation", k.deviation},
            {"precision", m.precision},
            {"recall", m.recall},
            {"density", m.density},
            {"coverage", m.coverage},
            {"one_nn", one_nearest_neighbour(a, b)},
            {"inception", inception_score(logits)},
            {"fidelity", right / static_cast<double>(b.size(0))},
            {"diversity", with_pairs > 0 ? diversity / with_pairs : NAN}};
  }
};

// The images of one adaptation step.
struct Step {
  Comparison samples;
  std::vector<at::Tensor> to_support;  // distances, by class
  double membership = 0, seconds = 0;  // summed over classes

  nlohmann::json to_json(int number, const Reference& reference,
                         const at::Tensor& real_to_support,
                         uint64_t seed) const {
    const auto own = at::cat(to_support);
    const auto closer = real_to_support.quantile(0.05);
    const double classes = static_cast<double>(to_support.size());
    return {{"step", number},
            {"adapt_s", seconds / classes},
            {"samples", samples.to_json(reference, seed)},
            {"copying",
             {{"distance_ratio",
               (own.median() / real_to_support.median()).item<double>()},
              {"share_closer",
               (own < closer).to(at::kDouble).mean().item<double>()},
              {"membership", membership / classes}}}};
  }
};

// Area under the ROC curve of `less` being below `more`; ties count half.
double area(const at::Tensor& less, const at::Tensor& more) {
  const auto d = more.unsqueeze(0) - less.unsqueeze(1);
  return (0.5 * (d.sign() + 1)).mean().item<double>();
}

using Steps = std::map<int, Step>;

// support, real: features of those images of the class.
void add_samples(Steps& steps, const GenerativeLearner& g, const MetaView& meta,
                 const PartedClass& c, const at::Tensor& support,
                 const at::Tensor& real, uint32_t cls, uint64_t seed,
                 const ImageFeatures& features) {
  using Clock = std::chrono::steady_clock;
  const std::vector<TaskId> id(1, TaskId{Stream::test, 1, cls});
  const auto noise = [&](int64_t d, uint32_t slot) {
    return task_noise(seed, id, c.real.size(1), d, Purpose::latent, slot,
                      c.support);
  };
  double seconds = 0;
  auto begin = Clock::now();
  g.adapt_to(c.support, id, meta, [&](int k, const Phi& phi) {
    seconds += std::chrono::duration<double>(Clock::now() - begin).count();
    if (judged(k, g.eval_steps())) {
      const auto samples =
          features.of(g.decode(phi, g.code(phi, noise(g.code_size(), 0)),
                               noise(g.latent_size(), 1))[0]);
      auto& step = steps[k];
      step.samples.features.push_back(samples);
      step.to_support.push_back(nearest_distance(samples, support));
      step.membership += area(nearest_distance(support, samples),
                              nearest_distance(real, samples));
      step.seconds += seconds;
    }
    begin = Clock::now();
  });
}

}  // namespace

nlohmann::json sample_quality(const Experiment& e, const MetaView& meta,
                              const ImageFeatures& features, Stream stream,
                              int64_t shots) {
  at::NoGradGuard no_grad;
  const auto generator = generative_learner(e, "eval.features");
  need_support(*generator, shots, "eval.shots");
  const auto& data = *e.tasks.examples;
  const uint64_t seed = e.config.run.seed;
  std::vector<at::Tensor> of_reference, to_support;
  Comparison real, copies;
  Steps steps;
  int64_t images = 0;  // in each set
  for (uint32_t cls : e.tasks.splits.of(stream)) {
    if (data.size(cls) < shots + 2) continue;
    const auto c = images_of(data, cls, shots, seed);
    const auto of_support = features.of(c.support[0]);
    of_reference.push_back(features.of(c.reference[0]));
    real.features.push_back(features.of(c.real[0]));
    copies.features.push_back(features.of(c.copies[0]));
    const auto& of_real = real.features.back();
    to_support.push_back(nearest_distance(of_real, of_support));
    add_samples(steps, *generator, meta, c, of_support, of_real, cls, seed,
                features);
    images += of_real.size(0);
  }
  if (images <= kNeighbours)
    throw ConfigError(concat("eval.shots = ", shots, " leaves ", images,
                             " images to compare with; expected more than ",
                             kNeighbours));
  for (const auto& [number, step] : steps)
    if (!at::isfinite(at::cat(step.samples.features)).all().item<bool>())
      throw NumericError(concat(
          "eval.features = ", features.name,
          ": features of samples are not finite: the generator's training or "
          "its inner steps diverged; expected another run"));
  const Reference reference(of_reference);
  const auto real_to_support = at::cat(to_support);
  auto by_step = nlohmann::json::array();
  for (const auto& [number, step] : steps)
    by_step.push_back(step.to_json(number, reference, real_to_support, seed));
  return {{"features", features.name},
          {"features_sha256", features.sha256},
          {"classes", of_reference.size()},
          {"images", images},
          {"shots", shots},
          {"after", generator->visits_support() ? "support images" : "steps"},
          {"samples", by_step.back()["samples"]},
          {"real", real.to_json(reference, seed)},
          {"copies", copies.to_json(reference, seed)},
          {"copying", by_step.back()["copying"]},
          {"steps", by_step}};
}

}  // namespace protean
