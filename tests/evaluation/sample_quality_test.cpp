#include "protean/evaluation/sample_quality.h"

#include <functional>

#include "protean/tasks/noise.h"

#include "generative/pixel_learner.h"
#include "support/catch.h"

using namespace protean;

namespace {

constexpr int64_t kSide = 4, kShots = 5, kPixels = kSide * kSide;
// Images in each set: 20 classes of 50.
constexpr uint32_t kClasses = 20, kEach = 50;
// How far chance may take the area under the ROC curve of 5 images against 50,
// 0.14 in a class, in the mean over classes.
constexpr double kChance = 0.07;

// What a generator makes of a class and its support images (K, pixels) by
// standard normal noise (n, pixels), at an adaptation step.
using Make = std::function<at::Tensor(uint32_t cls, const at::Tensor& support,
                                      const at::Tensor& noise, int64_t step)>;

class Maker : public PixelLearner {
 public:
  Maker(Make make, int steps)
      : PixelLearner(kSide), make_(std::move(make)), steps_(steps) {}
  int eval_steps() const override { return steps_; }
  void adapt(const TaskBatch& batch, const MetaView&,
             const Visit& visit) const override {
    for (int k = 0; k <= steps_; ++k) {
      Phi phi;
      phi.memory = {batch.support.x.flatten(2), to_tensor(batch.ids),
                    at::full({1}, k, at::kLong)};
      visit(k, phi);
    }
  }
  at::Tensor code(const Phi&, const at::Tensor& noise) const override {
    return noise;
  }
  at::Tensor decode(const Phi& phi, const at::Tensor&,
                    const at::Tensor& noise) const override {
    return make_(to_ids(phi.memory[1])[0].index, phi.memory[0][0], noise[0],
                 phi.memory[2].item<int64_t>())
        .view({1, noise.size(1), 1, kSide, kSide});
  }

 private:
  Make make_;
  int steps_;
};

const std::shared_ptr<const PixelClasses>& classes() {
  static const auto data =
      std::make_shared<const PixelClasses>(kClasses, kShots + 2 * kEach, kSide);
  return data;
}

nlohmann::json quality(const Make& make, int steps = 0, bool blind = false) {
  Experiment e;
  e.config.run.seed = 3;
  e.tasks.examples = classes();
  for (uint32_t c = 0; c < kClasses; ++c) e.tasks.splits.test.push_back(c);
  e.learner = std::make_shared<Maker>(make, steps);
  const ImageFeatures pixels{"pixels", "none", [&](const at::Tensor& x) {
                               return (blind ? 0 * x : x).flatten(1);
                             }};
  return sample_quality(e, {}, pixels, Stream::test, kShots);
}

at::Tensor copies(const at::Tensor& support, int64_t n) {
  return support.index_select(0, at::arange(n) % support.size(0));
}

// n images of the class as it is, or with another deviation about its mean.
at::Tensor draws(uint32_t cls, const at::Tensor& noise, double deviation = 1) {
  return classes()->centre(cls).flatten() + deviation * noise;
}

double number(const nlohmann::json& j, const char* key) {
  return j.at(key).get<double>();
}

}  // namespace

TEST_CASE("a generator that copies its support images is found out",
          "[evaluation]") {
  const auto q =
      quality([](uint32_t, const at::Tensor& support, const at::Tensor& noise,
                 int64_t) { return copies(support, noise.size(0)); });
  CHECK(number(q, "classes") == kClasses);
  CHECK(number(q, "images") == kClasses * kEach);
  const auto& copying = q["copying"];
  CHECK(number(copying, "distance_ratio") == Approx(0).margin(0.01));
  CHECK(number(copying, "share_closer") == 1);
  CHECK(number(copying, "membership") == 1);
  // It is what the floor of copies is made for.
  CHECK(q["samples"] == q["copies"]);
  // Ten of each of five images: 9 of 49 others are no distance away.
  CHECK(number(q["samples"], "diversity") == Approx(1 - 9.0 / 49).margin(0.05));
}

TEST_CASE("independent draws of the class are as good as real images",
          "[evaluation]") {
  const auto q =
      quality([](uint32_t cls, const at::Tensor&, const at::Tensor& noise,
                 int64_t) { return draws(cls, noise); });
  const auto& copying = q["copying"];
  CHECK(number(copying, "distance_ratio") == Approx(1).margin(0.03));
  CHECK(number(copying, "share_closer") == Approx(0.05).margin(0.02));
  CHECK(number(copying, "membership") == Approx(0.5).margin(kChance));
  for (const char* set : {"samples", "real"}) {
    INFO(set);
    CHECK(number(q[set], "fidelity") == 1);
    CHECK(number(q[set], "diversity") == Approx(1).margin(0.02));
    CHECK(number(q[set], "one_nn") == Approx(0.5).margin(0.05));
  }
}

TEST_CASE("copying is a mean over classes, and over images", "[evaluation]") {
  // A quarter of the classes copies, all of it or nothing.
  const auto some = quality([](uint32_t cls, const at::Tensor& support,
                               const at::Tensor& noise, int64_t) {
    return cls % 4 == 0 ? copies(support, noise.size(0)) : draws(cls, noise);
  });
  CHECK(number(some["copying"], "membership") == Approx(0.625).margin(kChance));
  CHECK(number(some["copying"], "share_closer") ==
        Approx(0.25 + 0.75 * 0.05).margin(0.02));

  // Most images are half a pixel value off in one pixel, others far away.
  const auto near = quality([](uint32_t, const at::Tensor& support,
                               const at::Tensor& noise, int64_t) {
    auto x = copies(support, noise.size(0)).clone();
    x.select(1, 0) += 0.5;
    x.narrow(0, 35, 15) += 100;
    return x;
  });
  // How far a real image is from the nearest of five others, by chance.
  const auto apart =
      (noise({4000, 1, kPixels}, 21) - noise({4000, kShots, kPixels}, 22))
          .square()
          .sum(2)
          .sqrt();
  const double real = std::get<0>(apart.min(1)).median().item<double>();
  CHECK(number(near["copying"], "distance_ratio") ==
        Approx(0.5 / real).epsilon(0.03));
  CHECK(number(near["copying"], "share_closer") == Approx(0.7));
}

TEST_CASE("diversity is a ratio of distances, fidelity a share of images",
          "[evaluation]") {
  // A quarter of the classes is taken for its neighbour, and all images are
  // half as far apart as they should be.
  const auto q = quality(
      [](uint32_t cls, const at::Tensor&, const at::Tensor& noise, int64_t) {
        return draws(cls % 4 == 0 ? cls + 1 : cls, noise, 0.5);
      });
  CHECK(number(q["samples"], "fidelity") == 0.75);
  CHECK(number(q["samples"], "diversity") == Approx(0.5).margin(0.02));
  // Images that are all alike have none.
  const auto one =
      quality([](uint32_t cls, const at::Tensor&, const at::Tensor& noise,
                 int64_t) { return draws(cls, noise, 0); });
  CHECK(number(one["samples"], "diversity") == Approx(0).margin(0.001));
}

TEST_CASE("who sees no differences finds no member", "[evaluation]") {
  const auto q =
      quality([](uint32_t, const at::Tensor& support, const at::Tensor& noise,
                 int64_t) { return copies(support, noise.size(0)); },
              0, /*blind=*/true);
  CHECK(number(q["copying"], "membership") == 0.5);  // all distances are equal
}

TEST_CASE("the last adaptation step is what counts", "[evaluation]") {
  const auto q = quality(
      [](uint32_t cls, const at::Tensor& support, const at::Tensor& noise,
         int64_t step) {
        return step == 4 ? copies(support, noise.size(0)) : draws(cls, noise);
      },
      4);
  std::vector<int> steps;
  for (const auto& step : q["steps"]) {
    steps.push_back(step["step"].get<int>());
    const double membership = number(step["copying"], "membership");
    if (steps.back() < 4)
      CHECK(membership == Approx(0.5).margin(kChance));
    else
      CHECK(membership == 1);
  }
  CHECK(steps == std::vector<int>{0, 1, 2, 4});
  CHECK(q["copying"] == q["steps"].back()["copying"]);
  CHECK(q["samples"] == q["steps"].back()["samples"]);
}
