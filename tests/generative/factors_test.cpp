// Directions between classes and the quality of images by factor, of a learner
// whose every value is known.
#include "protean/generative/analysis/factor_curve.h"
#include "protean/generative/class_direction.h"
#include "protean/generative/known_class.h"

#include "generative/pixel_learner.h"
#include "support/catch.h"

using namespace protean;

namespace {

at::Tensor pixels(const at::Tensor& x) { return x.flatten(1); }

std::vector<uint32_t> all_of(const ClassDataset& data) {
  std::vector<uint32_t> out(data.classes());
  for (uint32_t i = 0; i < out.size(); ++i) out[i] = i;
  return out;
}

}  // namespace

TEST_CASE("a direction moves images by the difference of the classes' means",
          "[generative]") {
  const PixelLearner g(4);
  const PixelClasses data(2, 6, 4);
  const auto from = class_images(data, 0, 0, 6);
  const auto to = class_images(data, 1, 1, 5);
  const auto d = class_direction(g, {}, from, to, {-0.5, 0, 1});
  const auto difference = to[0].mean(0) - from[0].mean(0);
  REQUIRE(d.images.sizes() == at::IntArrayRef({6, 3, 1, 4, 4}));
  CHECK(at::allclose(d.images.select(1, 1), from[0]));
  CHECK(at::allclose(d.images.select(1, 0), from[0] - 0.5 * difference, 1e-4,
                     1e-5));
  CHECK(at::allclose(d.images.select(1, 2), from[0] + difference, 1e-4, 1e-5));
  CHECK(d.nearer_to == std::vector<double>{0, 0, 1});
  CHECK(d.length == Approx(difference.norm().item<double>()));
}

TEST_CASE("between classes images are of neither, within a class all are",
          "[generative]") {
  const PixelLearner g(4);
  const PixelClasses data(6, 65, 4);  // 5 of support, 30 each of A and B
  FactorCurveOptions o;
  o.low = -0.5;
  o.high = 1.5;
  o.factors = 5;
  const auto c = factor_curve(g, {}, data, all_of(data), pixels, o);
  CHECK(c.classes == 6);
  CHECK(c.images == 180);
  REQUIRE(c.factors == std::vector<double>{-0.5, 0, 0.5, 1, 1.5});
  REQUIRE(c.code.size() == 5);
  REQUIRE(c.latent.size() == 5);
  const auto& code = c.code;

  // Both begin at the same images, which are those of the class.
  CHECK(code[1].frechet == Approx(c.latent[1].frechet));
  CHECK(code[1].nearest_from > 0.99);
  CHECK(code[3].nearest_to > 0.99);
  // Half the way is as near to both, and to neither; past the ends it is far.
  CHECK(code[2].frechet > 3 * code[1].frechet);
  CHECK(code[0].frechet > 2 * code[1].frechet);
  CHECK(code[4].frechet > 2 * code[3].frechet);
  CHECK(code[2].precision < 0.3);
  CHECK(code[1].precision > 0.7);
  for (const auto& q : c.latent) {
    CHECK(q.nearest_from > 0.95);
    CHECK(q.nearest_to == 0);
  }
  // Slerp keeps the noise's length on the way: as good half the way.
  CHECK(c.latent[2].frechet == Approx(c.latent[1].frechet).epsilon(0.5));
  CHECK(c.latent[2].precision > 0.7);
  CHECK(c.real.frechet < code[1].frechet);
  CHECK(c.real.nearest_from > 0.99);

  const auto again = factor_curve(g, {}, data, all_of(data), pixels, o);
  CHECK(again.code[2].frechet == code[2].frechet);
  o.seed = 1;
  const auto other = factor_curve(g, {}, data, all_of(data), pixels, o);
  CHECK(other.code[2].frechet != code[2].frechet);
}

TEST_CASE("a curve has no more images than asked for, or is none",
          "[generative]") {
  const PixelLearner g(3);
  FactorCurveOptions o;
  o.factors = 2;
  o.images = 40;
  const PixelClasses large(4, 65, 3);
  CHECK(factor_curve(g, {}, large, all_of(large), pixels, o).images == 40);
  // Of more classes than images some are taken.
  const PixelClasses many(50, 6, 3);
  const auto c = factor_curve(g, {}, many, all_of(many), pixels, o);
  CHECK(c.classes == 40);
  CHECK(c.images == 40);
  CHECK(c.factors.size() == 2);
  const PixelClasses small(9, 2, 3), few(2, 6, 3);
  CHECK(factor_curve(g, {}, small, all_of(small), pixels, o).factors.empty());
  CHECK(factor_curve(g, {}, few, all_of(few), pixels, o).factors.empty());
  CHECK(factor_curve(g, {}, large, {2}, pixels, o).factors.empty());
}
