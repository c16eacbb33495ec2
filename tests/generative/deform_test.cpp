#include <cmath>

#include "protean/core/error.h"

#include "generative/image_sets.h"
#include "generative/layers.h"
#include "learners/central_differences.h"
#include "support/catch.h"

using namespace protean;

namespace {

// Away from the start, where nothing is bent.
MetaView moved_meta(const Learner& learner) {
  auto meta = initial_meta(learner, 3);
  meta.theta = meta.theta + 0.1 * noise(meta.theta.sizes(), 77);
  return meta;
}

GeneratorOptions deform_options() {
  auto o = small_generator();
  o.warm_up = 3;
  return o;
}

}  // namespace

TEST_CASE("maps are read at displaced places", "[generative]") {
  const auto x = noise({2, 3, 4, 5, 6}, 1);
  const auto whole = [&](double down, double right) {
    return at::stack({at::full({2, 3, 5, 6}, down, x.options()),
                      at::full({2, 3, 5, 6}, right, x.options())},
                     2);
  };
  CHECK(at::allclose(displaced(x, whole(0, 0)), x));
  const auto moved = displaced(x, whole(2, -1));
  CHECK(at::allclose(moved.narrow(3, 0, 3).narrow(4, 1, 5),
                     x.narrow(3, 2, 3).narrow(4, 0, 5)));
  // Beyond the edge, the edge.
  CHECK(
      at::allclose(moved.narrow(3, 3, 2).narrow(4, 1, 5),
                   x.narrow(3, 4, 1).narrow(4, 0, 5).expand({2, 3, 4, 2, 5})));
  CHECK(
      at::allclose(displaced(x, whole(90, 0)), x.narrow(3, 4, 1).expand_as(x)));
  // Between places, by the distance to both.
  CHECK(at::allclose(displaced(x, whole(0, 0.25)).narrow(4, 0, 5),
                     0.75 * x.narrow(4, 0, 5) + 0.25 * x.narrow(4, 1, 5)));
  // A constant displacement stays one, in more places.
  const auto large = enlarged_flow(whole(1.5, -0.5), 4);
  REQUIRE(large.sizes() == at::IntArrayRef({2, 3, 2, 20, 24}));
  CHECK(at::allclose(large.select(2, 0),
                     at::full({2, 3, 20, 24}, 6.0, x.options())));
}

TEST_CASE("the deformation model's gradient equals central differences",
          "[generative]") {
  auto o = deform_options();
  o.binary = GENERATE(true, false);
  const auto batch = image_sets(3, 4, 3, 10, 11);
  check_directions(*generative("deform", o, batch), batch);
}

TEST_CASE("a deformation task's loss does not depend on its stack",
          "[generative]") {
  const auto batch = image_sets(5, 3, 2, 8, 12);
  const auto learner = generative("deform", deform_options(), batch);
  const auto meta = moved_meta(*learner);
  const auto whole = run_gradient(*learner, batch, meta);
  auto sum = at::zeros_like(whole.sums.theta);
  for (int64_t t = 0; t < 5; ++t) {
    const auto one = run_gradient(*learner, some_sets(batch, t, 1), meta);
    CHECK(one.losses.loss.item<double>() ==
          Approx(whole.losses.loss[t].item<double>()).epsilon(1e-12));
    sum += one.sums.theta;
  }
  CHECK(at::allclose(sum, whole.sums.theta, 1e-9, 1e-10));
}

TEST_CASE("the latent's divergence comes to count over the warm-up",
          "[generative]") {
  auto batch = image_sets(4, 2, 2, 8, 13);
  auto o = deform_options();
  const auto learner = generative("deform", o, batch);
  o.warm_up = 0;
  const auto cold = generative("deform", o, batch);
  const auto meta = moved_meta(*learner);
  const auto loss_at = [&](const Learner& l, uint32_t step) {
    for (auto& id : batch.ids) id.step = step;
    return run_gradient(l, batch, meta).losses.loss.sum().item<double>();
  };
  // A quarter of it at step 0 of a warm-up of three, all from step 3 on.
  CHECK(loss_at(*learner, 0) < loss_at(*cold, 0));
  CHECK(loss_at(*learner, 3) == loss_at(*cold, 3));
}

TEST_CASE("samples are bent drawings of the support set", "[generative]") {
  const auto batch = image_sets(1, 4, 1, 8, 17);
  const auto learner = generative("deform", deform_options(), batch);
  auto meta = initial_meta(*learner, 3);
  const Phi phi = learner->adapted(batch.support.x, batch.ids, meta);
  const auto choose = [&](const Phi& from, double normal) {
    return learner->decode(from, at::full({1, 1, 1}, normal, at::kDouble),
                           at::zeros({1, 1, 2}, at::kDouble))[0][0];
  };
  // Quartiles of the normal distribution part the four, which the start bends
  // by less than half a pixel.
  int i = 0;
  for (double normal : {-2.0, -0.5, 0.5, 2.0}) {
    const auto own =
        (choose(phi, normal) - batch.support.x[0]).abs().sum({1, 2, 3});
    CHECK(own.argmin().item<int64_t>() == i);
    CHECK(own[i++].item<double>() < 10);
  }
  CHECK(at::equal(choose(phi, -9), choose(phi, -0.7)));
  CHECK(at::equal(choose(phi, 0.7), choose(phi, 9)));
  // Without a drawing there is nothing to bend.
  CHECK(choose(learner->start(meta), 0).sum().item<double>() == 0);
  // What is no number stays none.
  meta.theta.fill_(NAN);
  CHECK_FALSE(at::isfinite(
                  choose(learner->adapted(batch.support.x, batch.ids, meta), 0))
                  .any()
                  .item<bool>());
}

TEST_CASE("more drawings to choose from make others likelier", "[generative]") {
  // Queries are support images: with all of them shown, each is among them.
  auto batch = image_sets(30, 3, 3, 8, 18);
  batch.query.x = batch.support.x.flip({1});
  auto o = deform_options();
  o.bound_samples = 40;
  const auto learner = generative("deform", o, batch);
  std::vector<double> bound;
  learner->adapt(batch, initial_meta(*learner, 3), [&](int, const Phi& phi) {
    bound.push_back(learner->predict(phi, batch.query).mean().item<double>());
  });
  REQUIRE(bound.size() == 4);
  for (int k = 0; k < 3; ++k) CHECK(bound[k] < bound[k + 1]);
}

TEST_CASE("a deformation model has no space of codes", "[generative]") {
  const auto batch = image_sets(1, 2, 1, 8, 1);
  const auto learner = generative("deform", deform_options(), batch);
  CHECK_THROWS_WITH(need_found_codes(*learner, "latent"),
                    contains("latent: learner.name = deform with these "));
  CHECK_THROWS_WITH(generative("setvae", deform_options(), batch),
                    contains("generator.warm_up = 3 does nothing"));
}
