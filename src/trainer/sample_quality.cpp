#include "protean/trainer/sample_quality.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>

#include "protean/core/error.h"
#include "protean/core/hash.h"
#include "protean/core/philox.h"
#include "protean/generative/quality.h"
#include "protean/tasks/noise.h"

namespace protean {
namespace {

constexpr int64_t kNeighbours = 5;
constexpr int kSubsets = 50;
constexpr int64_t kSubsetSize = 200;

// Images of one class, each set (1, n, C, H, W).
struct ClassImages {
  at::Tensor support, reference, real, samples, copies;
};

ClassImages images_of(const ClassDataset& data, uint32_t cls, int64_t shots,
                      uint64_t seed) {
  const uint32_t n = data.size(cls);
  const auto order =
      Draws(seed, {Stream::test, 0, cls}, Purpose::examples).sample(n, n);
  const int64_t half = (n - shots) / 2;
  const auto read = [&](int64_t begin, int64_t count) {
    std::vector<int64_t> shape{1, count};
    shape.insert(shape.end(), data.shape().begin(), data.shape().end());
    auto x = at::empty(shape, at::kFloat);
    for (int64_t i = 0; i < count; ++i)
      data.read(cls, order[static_cast<size_t>(begin + i)],
                x[0][i].data_ptr<float>());
    return x;
  };
  ClassImages c;
  c.support = read(0, shots);
  c.reference = read(shots, half);
  c.real = read(shots + half, half);
  c.copies = c.support.index_select(1, at::arange(half) % shots);
  return c;
}

at::Tensor samples_of(const GenerativeLearner& g, const MetaView& meta,
                      const ClassImages& c, uint32_t cls, uint64_t seed) {
  const std::vector<TaskId> id(1, TaskId{Stream::test, 1, cls});
  const Phi phi = g.adapted(c.support, id, meta);
  const auto noise = [&](int64_t d, uint32_t slot) {
    return task_noise(seed, id, c.real.size(1), d, Purpose::latent, slot,
                      c.support);
  };
  return g.decode(phi, g.code(phi, noise(g.code_size(), 0)),
                  noise(g.latent_size(), 1));
}

// Features of images by the network of another run, (n, f).
class Embedding {
 public:
  explicit Embedding(const StoredRun& run) : learner_(*run.experiment.learner) {
    TaskBatch any;
    any.shape.ways = 1;
    any.ids = {TaskId{}};
    std::vector<int64_t> shape{1, 2};
    const auto& image = run.experiment.tasks.examples->shape();
    shape.insert(shape.end(), image.begin(), image.end());
    any.support.x = at::zeros(shape, at::kFloat);
    any.support.y = at::zeros({1, 2}, at::kLong);
    const at::AutoGradMode inner_steps(true);
    learner_.adapt(any, run.meta, [&](int, const Phi& phi) { phi_ = phi; });
  }
  at::Tensor operator()(const at::Tensor& x) const {
    return learner_.features(phi_, {x, {}, {}})[0];
  }

 private:
  const Learner& learner_;
  Phi phi_;
};

double mean_distance(const at::Tensor& x) {
  const double n = static_cast<double>(x.size(0));
  return n < 2 ? NAN : at::cdist(x, x).sum().item<double>() / (n * (n - 1));
}

// One of the three sets against A.
struct Comparison {
  std::vector<at::Tensor> features;  // by class

  nlohmann::json to_json(const std::vector<at::Tensor>& reference,
                         uint64_t seed) const {
    const auto a = at::cat(reference), b = at::cat(features);
    std::vector<at::Tensor> means;
    for (const auto& r : reference) means.push_back(r.mean(0));
    const auto centres = at::stack(means);
    double right = 0, diversity = 0, with_pairs = 0;
    for (size_t i = 0; i < features.size(); ++i) {
      right += at::cdist(features[i], centres)
                   .argmin(1)
                   .eq(static_cast<int64_t>(i))
                   .sum()
                   .item<double>();
      const double of_a = mean_distance(reference[i]);
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
            {"fidelity", right / static_cast<double>(b.size(0))},
            {"diversity", with_pairs > 0 ? diversity / with_pairs : NAN}};
  }
};

}  // namespace

nlohmann::json sample_quality(const Experiment& e, const MetaView& meta,
                              const StoredRun& by, Stream stream,
                              int64_t shots) {
  at::NoGradGuard no_grad;
  const auto generator = generative_learner(e, "eval");
  const auto& data = *e.tasks.examples;
  const uint64_t seed = e.config.run.seed;
  if (by.experiment.tasks.examples == nullptr ||
      by.experiment.tasks.examples->shape() != data.shape())
    throw ConfigError("eval.features = " + by.dir +
                      ": its network takes other images than this run makes");
  const Embedding embed(by);
  std::vector<at::Tensor> reference, ratio, near_real, near_sample;
  Comparison samples, real, copies;
  for (uint32_t cls : e.tasks.splits.of(stream)) {
    if (data.size(cls) < shots + 2) continue;
    auto c = images_of(data, cls, shots, seed);
    c.samples = samples_of(*generator, meta, c, cls, seed);
    reference.push_back(embed(c.reference));
    samples.features.push_back(embed(c.samples));
    real.features.push_back(embed(c.real));
    copies.features.push_back(embed(c.copies));
    const auto support = embed(c.support);
    near_sample.push_back(nearest_distance(samples.features.back(), support));
    near_real.push_back(nearest_distance(real.features.back(), support));
  }
  const int64_t classes = static_cast<int64_t>(reference.size());
  const int64_t images = classes ? at::cat(reference).size(0) : 0;
  if (images <= kNeighbours)
    throw ConfigError(concat("eval.shots = ", shots, " leaves ", images,
                             " images to compare with; expected more than ",
                             kNeighbours));
  const auto of_sample = at::cat(near_sample), of_real = at::cat(near_real);
  const auto closer = of_real.quantile(0.05);
  const auto theta = by.meta.theta.contiguous();
  return {{"features", by.dir},
          {"features_sha256",
           sha256_hex(theta.data_ptr(), static_cast<size_t>(theta.nbytes()))},
          {"classes", classes},
          {"images", images},
          {"shots", shots},
          {"samples", samples.to_json(reference, seed)},
          {"real", real.to_json(reference, seed)},
          {"copies", copies.to_json(reference, seed)},
          {"copying",
           {{"distance_ratio",
             (of_sample.median() / of_real.median()).item<double>()},
            {"share_closer",
             (of_sample < closer).to(at::kDouble).mean().item<double>()}}}};
}

}  // namespace protean
