#include <cmath>
#include <numbers>

#include "protean/core/error.h"
#include "protean/learners/task_loss.h"
#include "protean/models/params.h"
#include "protean/tasks/noise.h"

#include "generative/gaussian.h"
#include "generative/image_sets.h"
#include "generative/layers.h"
#include "generative/pixels.h"
#include "learners/central_differences.h"
#include "support/catch.h"

using namespace protean;

namespace {

// Away from the start, where some layers give nothing yet.
MetaView moved_meta(const Learner& learner) {
  auto meta = initial_meta(learner, 3);
  meta.theta = meta.theta + 0.1 * noise(meta.theta.sizes(), 77);
  return meta;
}

std::vector<double> losses_by_step(const Learner& learner,
                                   const TaskBatch& batch,
                                   const MetaView& meta) {
  std::vector<double> out;
  learner.adapt(batch, meta, [&](int, const Phi& phi) {
    out.push_back(task_loss(learner.predict(phi, batch.query), batch.query,
                            TargetKind::none)
                      .sum()
                      .item<double>());
  });
  return out;
}

}  // namespace

TEST_CASE("the set VAE's gradient equals central differences", "[generative]") {
  auto o = small_generator();
  o.pooling = GENERATE("moments", "attention");
  o.binary = GENERATE(true, false);
  INFO(o.pooling << ", binary " << o.binary);
  const auto batch = image_sets(3, 4, 3, 10, 11);
  check_directions(*generative("setvae", o, batch), batch);
}

TEST_CASE("a task's loss does not depend on its stack", "[generative]") {
  const auto batch = image_sets(5, 4, 3, 8, 12);
  const auto learner = generative("setvae", small_generator(), batch);
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

TEST_CASE("noise belongs to (seed, task, slot); rows stay when more come",
          "[generative]") {
  const auto like = at::zeros({1}, at::kDouble);
  const std::vector<TaskId> ids = {{Stream::train, 3, 7}, {Stream::test, 3, 7}};
  const auto a = task_noise(1, ids, 4, 3, Purpose::noise, 0, like);
  const auto b = task_noise(1, {ids[1]}, 2, 3, Purpose::noise, 0, like);
  CHECK(at::equal(a[1].narrow(0, 0, 2), b[0]));
  CHECK_FALSE(at::equal(a[0], a[1]));
  CHECK_FALSE(at::equal(a, task_noise(2, ids, 4, 3, Purpose::noise, 0, like)));
  CHECK_FALSE(at::equal(a, task_noise(1, ids, 4, 3, Purpose::noise, 1, like)));
}

TEST_CASE("the order of support images does not matter, their choice does",
          "[generative]") {
  auto o = small_generator();
  o.pooling = GENERATE("moments", "attention");
  o.random_shots = false;
  const auto batch = image_sets(2, 5, 3, 8, 13);
  const auto learner = generative("setvae", o, batch);
  const auto meta = moved_meta(*learner);
  auto turned = batch;
  turned.support.x = batch.support.x.flip({1});
  const auto a = losses_by_step(*learner, batch, meta);
  const auto b = losses_by_step(*learner, turned, meta);
  REQUIRE(a.size() == 6);  // with 0 to 5 images
  CHECK(a[0] == b[0]);
  CHECK(a[5] == Approx(b[5]).epsilon(1e-12));
  CHECK(a[1] != Approx(b[1]).epsilon(1e-6));
  CHECK(run_gradient(*learner, batch, meta).losses.loss.sum().item<double>() ==
        Approx(run_gradient(*learner, turned, meta)
                   .losses.loss.sum()
                   .item<double>()));
}

TEST_CASE("training shows 1 to K support images, each number about as often",
          "[generative]") {
  // With 4 support images of which later ones never matter, the loss of a task
  // is that of the images shown: compare with every prefix.
  auto o = small_generator();
  const auto batch = image_sets(80, 4, 2, 8, 14);
  const auto learner = generative("setvae", o, batch);
  auto fixed = o;
  fixed.random_shots = false;
  const auto meta = moved_meta(*learner);
  const auto drawn = run_gradient(*learner, batch, meta).losses.loss;
  std::vector<int> counts(5);
  at::Tensor loss[5];
  for (int64_t k = 1; k <= 4; ++k) {
    auto part = batch;
    part.support.x = batch.support.x.narrow(1, 0, k);
    part.shape.support = static_cast<uint32_t>(k);
    loss[k] = run_gradient(*generative("setvae", fixed, part), part, meta)
                  .losses.loss;
  }
  for (int64_t t = 0; t < 80; ++t) {
    int matches = 0;
    for (int k = 1; k <= 4; ++k)
      if (std::abs((drawn[t] - loss[k][t]).item<double>()) < 1e-9) {
        ++counts[k];
        ++matches;
      }
    CHECK(matches == 1);
  }
  for (int k = 1; k <= 4; ++k) CHECK(counts[k] > 8);  // 20 expected
}

TEST_CASE("the importance-weighted bound is the log-likelihood in the limit",
          "[generative]") {
  // One code value and one latent value: both can be integrated on a grid.
  auto o = small_generator();
  o.code = o.latent = 1;
  o.bound_samples = 3000;
  const auto batch = image_sets(1, 2, 1, 4, 15);
  const auto learner = generative("setvae", o, batch);
  const auto meta = moved_meta(*learner);
  const int n = 161;
  const auto grid = at::linspace(-8, 8, n, at::kDouble);
  const auto code_noise = grid.view({1, n, 1});
  std::vector<double> by_step = losses_by_step(*learner, batch, meta);
  int step = 0;
  learner->adapt(batch, meta, [&](int, const Phi& phi) {
    // p(x | S) = sum over grids of p(c | S) p(z | c) p(x | z, c); the latent
    // noise of decode() is standard normal too. decode() gives pixels alone, so
    // this part asks for probabilities of single pixels (binary = false).
    auto soft = o;
    soft.binary = false;
    const auto twin = generative("setvae", soft, batch);
    const auto codes = learner->code(phi, code_noise);
    auto total = at::zeros({}, at::kDouble);
    const double cell = 16.0 / (n - 1);
    const auto density = [&](const at::Tensor& t) {
      return (-0.5 * t.square()).exp() / std::sqrt(2 * std::numbers::pi);
    };
    for (int64_t i = 0; i < n; ++i) {
      const auto latent = at::full({1, n, 1}, grid[i].item<double>(),
                                   at::TensorOptions(at::kDouble));
      const auto p = twin->decode(phi, codes, latent);  // (1, n, 1, 4, 4)
      const auto& x = batch.query.x;                    // (1, 1, 1, 4, 4)
      const auto log_p =
          (x * p.log() + (1 - x) * (1 - p).log()).sum({2, 3, 4}).view({n});
      total = total + (log_p.exp() * density(grid)).sum() * density(grid[i]) *
                          (cell * cell);
    }
    CHECK(by_step[step] == Approx(-total.log().item<double>()).margin(0.02));
    ++step;
  });
  CHECK(step == 3);
}

TEST_CASE("more importance samples never give a worse bound, on average",
          "[generative]") {
  const auto batch = image_sets(20, 3, 3, 8, 16);
  double last = 1e9;
  for (int64_t samples : {1, 5, 50}) {
    auto o = small_generator();
    o.bound_samples = samples;
    const auto learner = generative("setvae", o, batch);
    const double loss =
        losses_by_step(*learner, batch, moved_meta(*learner)).back();
    CHECK(loss < last);
    last = loss;
  }
}

TEST_CASE("densities and divergences of Gaussians", "[generative]") {
  const auto q = Gaussian::of(noise({3, 8}, 1)),
             p = Gaussian::of(noise({3, 8}, 2));
  const Gaussian standard{at::zeros({3, 4}, at::kDouble),
                          at::zeros({3, 4}, at::kDouble)};
  CHECK(at::allclose(divergence(q, standard), divergence_from_standard(q)));
  CHECK(at::allclose(divergence(q, q), at::zeros({3}, at::kDouble)));
  const auto x = noise({3, 4}, 3);
  CHECK(at::allclose(standard.log_density(x), standard_log_density(x)));
  // KL = E_q[log q - log p], by many samples.
  const auto s = q.sample(noise({40000, 3, 4}, 4));
  CHECK(at::allclose((q.log_density(s) - p.log_density(s)).mean(0),
                     divergence(q, p), 0.05, 0.02));
}

TEST_CASE("the continuous Bernoulli is a density", "[generative]") {
  const int n = 4001;
  const auto x = at::linspace(0, 1, n, at::kDouble);
  for (double logit : {-9.0, -0.5, -0.019, 0.0, 0.021, 3.0}) {
    const auto l = at::full({n, 1, 1, 1}, logit, at::kDouble);
    const auto p = pixel_log_likelihood(l, x.view({n, 1, 1, 1}), false).exp();
    CHECK((p.mean()).item<double>() == Approx(1).epsilon(2e-3));
  }
}

TEST_CASE("depth to space puts four channels into a square", "[generative]") {
  const auto x = at::arange(16, at::kDouble).view({1, 1, 8, 1, 2});
  const auto y = depth_to_space(x);
  REQUIRE(y.sizes() == at::IntArrayRef({1, 1, 2, 2, 4}));
  CHECK(at::equal(
      y[0][0][0],
      at::tensor({0, 2, 1, 3, 4, 6, 5, 7}, at::kDouble).view({2, 4})));
}

TEST_CASE("binary images have as much ink as is expected", "[generative]") {
  // A stroke whose place is uncertain: no pixel is likelier set than not.
  auto logits = at::full({2, 1, 6, 6}, -20.0, at::kDouble);
  logits[0][0].select(1, 2).fill_(std::log(0.4 / 0.6));
  logits[0][0].select(1, 3).fill_(std::log(0.45 / 0.55));
  const auto x = pixels(logits, true);
  CHECK(x[0].sum().item<double>() == 6);  // near 6 * 0.85
  CHECK(x[0][0].select(1, 3).sum().item<double>() == 6);
  CHECK(x[1].sum().item<double>() == 0);
  logits[1][0][0][0] = NAN;
  CHECK_FALSE(at::isfinite(pixels(logits, true)).all().item<bool>());
}

TEST_CASE("the meta-VAE's gradient equals central differences",
          "[generative]") {
  LearnerOptions learner;
  learner.inner_steps = GENERATE(1, 2);
  learner.inner_lr = 0.01;
  learner.adapt = GENERATE("all", "head");
  INFO(learner.inner_steps << " steps, " << learner.adapt);
  const auto batch = image_sets(2, 3, 2, 8, 21);
  check_directions(*generative("metavae", small_generator(), batch, learner),
                   batch);
}

TEST_CASE("without inner steps taken, the meta-VAE is the set VAE",
          "[generative]") {
  const auto batch = image_sets(3, 3, 2, 8, 22);
  LearnerOptions learner;
  learner.inner_steps = 1;
  learner.inner_lr = 1e-12;
  learner.second_order = false;
  const auto meta_vae =
      generative("metavae", small_generator(), batch, learner);
  const auto set_vae = generative("setvae", small_generator(), batch);
  const auto meta = moved_meta(*set_vae);
  const auto a = run_gradient(*meta_vae, batch, meta);
  const auto b = run_gradient(*set_vae, batch, meta);
  CHECK(at::allclose(a.losses.loss, b.losses.loss, 1e-9, 1e-9));
  CHECK(at::allclose(a.sums.theta, b.sums.theta, 1e-7, 1e-8));
}

TEST_CASE("inner steps lower the support's loss; Reptile moves towards them",
          "[generative]") {
  const auto batch = image_sets(3, 4, 4, 8, 23);
  auto o = small_generator();
  o.meta = "reptile";
  o.bound_samples = 30;
  LearnerOptions learner;
  learner.inner_steps = 20;
  learner.inner_lr = 0.003;
  const auto reptile = generative("metavae", o, batch, learner);
  const auto meta = moved_meta(*reptile);
  // Judged on the support images themselves.
  auto own = batch;
  own.query.x = batch.support.x;
  const auto by_step = losses_by_step(*reptile, own, meta);
  REQUIRE(by_step.size() == 21);
  CHECK(by_step.back() < by_step.front() - 1);
  // theta - step * (theta - mean phi) is better for all of them together.
  const auto g = run_gradient(*reptile, batch, meta).sums.theta / 3;
  CHECK(losses_by_step(*reptile, own, {meta.theta - g, meta.state}).front() <
        by_step.front());
}

TEST_CASE("what a generative learner cannot take is refused", "[generative]") {
  const auto batch = image_sets(1, 2, 1, 8, 1);
  auto o = small_generator();
  o.pooling = "median";
  CHECK_THROWS_WITH(generative("setvae", o, batch),
                    contains("generator.pooling = \"median\"") &&
                        contains("moments, attention"));
  o = small_generator();
  o.code = 0;
  CHECK_THROWS_WITH(generative("setvae", o, batch),
                    contains("generator.code = 0; expected at least 1"));
  auto many = batch;
  many.shape.ways = 5;
  CHECK_THROWS_WITH(generative("setvae", small_generator(), many),
                    contains("task.ways = 5"));
}
