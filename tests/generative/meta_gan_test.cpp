#include <cmath>

#include "protean/core/error.h"
#include "protean/generative/spectral_norm.h"

#include "generative/discriminator.h"
#include "generative/gan_step.h"
#include "generative/image_sets.h"
#include "support/catch.h"

using namespace protean;

namespace {

GeneratorOptions gan_options() {
  auto o = small_generator();
  o.binary = false;  // rounding passes a gradient that is none
  return o;
}

// Sizes of the generator's part and the discriminator's.
GanSizes sizes_of(const Learner& gan) {
  GanSizes s;
  for (const auto& p : gan.spaces().theta.parameters()) {
    if (p.name.starts_with("discriminator."))
      s.discriminator += p.size;
    else if (!p.name.starts_with("average."))
      s.generator += p.size;
  }
  return s;
}

struct Sum {
  double loss = 0;
  MetaView sums;
};

Sum run(const Learner& gan, int which, const TaskBatch& batch,
        const MetaView& meta) {
  Sum s;
  s.sums = {at::zeros_like(meta.theta), at::zeros_like(meta.state)};
  s.loss =
      gan.gradient_of(which, batch, meta, s.sums).loss.sum().item<double>();
  return s;
}

MetaView moved_meta(const Learner& gan) {
  auto meta = initial_meta(gan, 3);
  meta.theta = meta.theta + 0.1 * noise(meta.theta.sizes(), 77);
  // Running means of outputs, then sums of images and their weight.
  auto outputs = meta.state.narrow(0, 0, 2);
  outputs += at::tensor({0.3, -0.4}, at::kDouble);
  meta.state.narrow(0, 2, meta.state.size(0) - 2).fill_(0.4);
  return meta;
}

void check_loss(const Learner& gan, int which, const TaskBatch& batch,
                uint64_t directions = 3) {
  const auto sizes = sizes_of(gan);
  const auto meta = moved_meta(gan);
  const int64_t begin = which == kGeneratorLoss ? 0 : sizes.generator;
  const int64_t size =
      which == kGeneratorLoss ? sizes.generator : sizes.discriminator;
  const auto g = run(gan, which, batch, meta).sums.theta;
  // Nothing but its own part moves.
  CHECK(g.norm().item<double>() ==
        Approx(g.narrow(0, begin, size).norm().item<double>()));
  for (uint64_t direction = 0; direction < directions; ++direction) {
    auto d = at::zeros_like(meta.theta);
    d.narrow(0, begin, size).copy_(noise({size}, 100 + direction));
    d = d / d.norm();
    const double analytic = g.dot(d).item<double>();
    double best = 1;
    for (double h : {1e-4, 1e-5, 1e-6, 1e-7}) {
      const auto loss = [&](double step) {
        return run(gan, which, batch, {meta.theta + step * d, meta.state}).loss;
      };
      best =
          std::min(best, std::abs((loss(h) - loss(-h)) / (2 * h) - analytic) /
                             std::max(std::abs(analytic), 1e-3));
    }
    CHECK(best < 1e-6);
  }
}

}  // namespace

TEST_CASE("each loss's gradient equals central differences of it",
          "[generative]") {
  const int which = GENERATE(kGeneratorLoss, kDiscriminatorLoss);
  LearnerOptions learner;
  learner.inner_steps = GENERATE(0, 1, 2);
  learner.inner_lr = 0.01;
  auto o = gan_options();
  o.task_norm = GENERATE(false, true);
  o.task_code = !o.task_norm;
  o.spectral_norm = !o.task_norm;
  INFO("loss " << which << ", " << learner.inner_steps << " inner steps, norm "
               << o.task_norm);
  const auto batch = image_sets(2, 3, 2, 8, 31);
  check_loss(*generative("metagan", o, batch, learner), which, batch);
}

TEST_CASE("so it does with other losses", "[generative]") {
  const int which = GENERATE(kGeneratorLoss, kDiscriminatorLoss);
  LearnerOptions learner;
  learner.inner_steps = GENERATE(0, 1);
  learner.inner_lr = 0.01;
  auto o = gan_options();
  o.loss = GENERATE("bce", "wasserstein");
  o.reconstruct = o.loss == "bce" ? "mse" : "bound";
  o.encoder = o.task_code = o.loss == "bce";
  o.variance = 0.5;
  o.r1_every = 1;
  INFO("loss " << which << " of " << o.loss << ", " << learner.inner_steps
               << " inner steps");
  const auto batch = image_sets(2, 3, 2, 8, 31);
  check_loss(*generative("metagan", o, batch, learner), which, batch, 1);
}

TEST_CASE("so it does with other generators and terms", "[generative]") {
  const int which = GENERATE(kGeneratorLoss, kDiscriminatorLoss);
  LearnerOptions learner;
  learner.inner_steps = GENERATE(0, 1);
  learner.inner_lr = 0.01;
  auto o = gan_options();
  o.network = GENERATE("mlp", "deform");
  o.image_variance = 0.3;
  o.proximal = learner.inner_steps > 0 ? 0.4 : 0;
  if (o.network == "mlp") {
    o.reconstruct = "none";
    o.noise = "uniform";
    o.code_cycle = 0.7;
  }
  INFO("loss " << which << " of " << o.network << ", " << learner.inner_steps
               << " inner steps");
  const auto batch = image_sets(2, 3, 2, 8, 36);
  check_loss(*generative("metagan", o, batch, learner), which, batch, 2);
}

TEST_CASE("images of fixed noise are held to their running means",
          "[generative]") {
  const auto batch = image_sets(3, 3, 2, 8, 35);
  LearnerOptions learner;
  learner.inner_steps = 0;
  auto o = gan_options();
  o.image_variance = 1;
  o.anchor = 0;
  o.spectral_norm = false;
  const auto gan = generative("metagan", o, batch, learner);
  const auto loss = [&](const MetaView& meta) {
    return run(*gan, kGeneratorLoss, batch, meta).loss;
  };
  o.image_variance = 0;
  const auto plain = generative("metagan", o, batch, learner);
  const auto start = initial_meta(*gan, 3);
  // Nothing is usual before the first step.
  const double none =
      run(*plain, kGeneratorLoss, batch, initial_meta(*plain, 3)).loss;
  CHECK(loss(start) == Approx(none));
  // Afterwards the tasks of that step are, and their variance is what counts.
  const auto after = run(*gan, kDiscriminatorLoss, batch, start).sums.state / 3;
  CHECK(after[-1].item<double>() == Approx(0.01));
  const double variance = loss({start.theta, after}) - none;
  CHECK(variance > 0);
  // Tasks with the same images do not vary.
  auto same = some_sets(batch, 0, 1);
  const auto own = run(*gan, kDiscriminatorLoss, same, start).sums.state;
  const auto apart =
      run(*gan, kGeneratorLoss, same, {start.theta, own}).loss -
      run(*plain, kGeneratorLoss, same, initial_meta(*plain, 3)).loss;
  CHECK(std::abs(apart) < 1e-9 * variance);
}

TEST_CASE("what holds the generator to its start counts in inner steps alone",
          "[generative]") {
  const auto batch = image_sets(1, 3, 2, 8, 37);
  LearnerOptions learner;
  learner.inner_lr = 0.01;
  const auto moved = [&](int steps, double weight) {
    auto o = gan_options();
    o.proximal = weight;
    learner.inner_steps = 1;
    learner.eval_steps = steps;
    const auto gan = generative("metagan", o, batch, learner);
    const auto meta = initial_meta(*gan, 3);
    std::vector<Phi> phis;
    gan->adapt(batch, meta, [&](int, const Phi& phi) { phis.push_back(phi); });
    double sum = 0;
    for (size_t i = 0; i < phis.back().params.size(); ++i)
      sum += (phis.back().params[i] - phis.front().params[i])
                 .square()
                 .sum()
                 .item<double>();
    return sum;
  };
  CHECK(moved(1, 10) == Approx(moved(1, 0)));  // the first one is at the start
  CHECK(moved(5, 10) < 0.99 * moved(5, 0));
}

TEST_CASE("a GAN over the deformation model bends support images",
          "[generative]") {
  const auto batch = image_sets(2, 3, 2, 8, 38, at::kFloat);
  LearnerOptions learner;
  learner.inner_steps = 2;
  learner.inner_lr = 0.01;
  auto o = small_generator();
  o.network = "deform";
  const auto gan = generative("metagan", o, batch, learner);
  CHECK_FALSE(gan->draws_any_code());
  CHECK_FALSE(gan->finds_codes());
  MetaView meta{at::zeros({gan->spaces().theta.size()}),
                at::zeros({gan->spaces().state.size()})};
  gan->initialise(meta, 3);
  const auto phi = gan->adapted(batch.support.x, batch.ids, meta);
  const auto images =
      gan->decode(phi, at::zeros({2, 4, 1}),
                  noise({2, 4, gan->latent_size()}, 5).to(at::kFloat));
  CHECK(images.sizes() == at::IntArrayRef({2, 4, 1, 8, 8}));
  CHECK(((images == 0) | (images == 1)).all().item<bool>());
}

TEST_CASE("the discriminator alone says how real images look", "[generative]") {
  const auto batch = image_sets(2, 3, 2, 8, 39);
  LearnerOptions learner;
  learner.inner_steps = 0;
  const auto gan = generative("metagan", gan_options(), batch, learner);
  REQUIRE(gan->judges());
  const auto meta = initial_meta(*gan, 3);
  const auto phi = gan->start(meta);
  const auto codes = noise({2, 4, gan->code_size()}, 6);
  const auto images =
      gan->decode(phi, codes, noise({2, 4, gan->latent_size()}, 7));
  const auto before = gan->realness(meta, codes, images);
  CHECK(before.sizes() == at::IntArrayRef({2, 4}));
  const auto g = run(*gan, kDiscriminatorLoss, batch, meta).sums.theta;
  const auto some = codes.narrow(1, 0, 2);
  const auto gap = [&](const at::Tensor& theta) {
    const MetaView at{theta, meta.state};
    return (gan->realness(at, some, batch.query.x) -
            gan->realness(at, some, images.narrow(1, 0, 2)))
        .mean()
        .item<double>();
  };
  CHECK(gap(meta.theta - 0.01 * g) > gap(meta.theta));
  // The average and the generator have no part in it.
  auto other = meta.theta.clone();
  const auto sizes = sizes_of(*gan);
  other.narrow(0, 0, sizes.generator) += 1;
  other.narrow(0, sizes.generator + sizes.discriminator, sizes.generator) += 1;
  CHECK(at::equal(gan->realness({other, meta.state}, codes, images), before));
  auto o = gan_options();
  o.network = "deform";
  const auto bends = generative("metagan", o, batch, learner);
  CHECK_FALSE(bends->judges());
  CHECK_THROWS_WITH(bends->realness(meta, codes, images),
                    contains("nothing judges images of codes alone"));
}

TEST_CASE("the Wasserstein penalty wants a slope of one", "[generative]") {
  const auto batch = image_sets(2, 3, 2, 8, 34);
  LearnerOptions learner;
  learner.inner_steps = 0;
  auto o = gan_options();
  o.loss = "wasserstein";
  o.anchor = 0;
  const auto loss = [&](double weight) {
    o.r1 = weight;
    const auto gan = generative("metagan", o, batch, learner);
    return run(*gan, kDiscriminatorLoss, batch, initial_meta(*gan, 3)).loss;
  };
  const double none = loss(0), one = loss(1), two = loss(2);
  CHECK(one > none);
  CHECK(two - none == Approx(2 * (one - none)));
}

TEST_CASE("the discriminator's running means are meta-state", "[generative]") {
  const auto batch = image_sets(3, 3, 2, 8, 32);
  LearnerOptions learner;
  learner.inner_steps = 0;
  auto o = gan_options();
  o.spectral_norm = false;
  const auto gan = generative("metagan", o, batch, learner);
  const auto meta = moved_meta(*gan);
  const auto kept = run(*gan, kGeneratorLoss, batch, meta).sums.state;
  CHECK(at::allclose(kept, 3 * meta.state));
  const auto moved = run(*gan, kDiscriminatorLoss, batch, meta).sums.state;
  CHECK_FALSE(at::allclose(moved, kept));
  CHECK(at::allclose(moved, kept, 0.2, 0.2));  // 1 % of the way
  // One task after the other makes the same sum.
  auto apart = at::zeros_like(moved);
  for (int64_t t = 0; t < 3; ++t)
    apart +=
        run(*gan, kDiscriminatorLoss, some_sets(batch, t, 1), meta).sums.state;
  CHECK(at::allclose(apart, moved));
  o.anchor = 0;
  CHECK(generative("metagan", o, batch, learner)->spaces().state.size() == 0);
}

TEST_CASE("first order and Reptile leave the exact gradient's derivative out",
          "[generative]") {
  const auto batch = image_sets(2, 3, 2, 8, 33);
  LearnerOptions learner;
  learner.inner_steps = 2;
  learner.inner_lr = 0.01;
  auto first = learner;
  first.second_order = false;
  auto o = gan_options();
  const auto exact = generative("metagan", o, batch, learner);
  const auto meta = moved_meta(*exact);
  const auto a = run(*exact, kGeneratorLoss, batch, meta);
  const auto b =
      run(*generative("metagan", o, batch, first), kGeneratorLoss, batch, meta);
  CHECK(a.loss == Approx(b.loss));
  CHECK_FALSE(at::allclose(a.sums.theta, b.sums.theta));
  o.meta = "reptile";
  const auto c = run(*generative("metagan", o, batch, learner), kGeneratorLoss,
                     batch, meta);
  // As far as two inner steps go.
  const double moved = c.sums.theta.norm().item<double>();
  CHECK(moved > 0);
  CHECK(moved < 0.1 * a.sums.theta.norm().item<double>());
}

TEST_CASE("the largest singular value becomes one", "[generative]") {
  // A gap between the first two, so that five iterations suffice.
  auto w = noise({2, 6, 3, 3, 3}, 1);
  w = w + 4 * noise({2, 6, 1, 1, 1}, 2) * noise({2, 1, 3, 3, 3}, 3);
  const auto s = std::get<1>(
      at::linalg_svd(spectral_norm(w).flatten(2), /*full_matrices=*/false));
  CHECK(at::allclose(s.select(1, 0), at::ones({2}, at::kDouble), 1e-3));
}

TEST_CASE("the search for singular values goes on from step to step",
          "[generative]") {
  const auto batch = image_sets(3, 3, 2, 8, 32);
  LearnerOptions learner;
  learner.inner_steps = GENERATE(0, 1);
  auto o = gan_options();
  o.filters = 8;
  o.features = 24;
  const auto gan = generative("metagan", o, batch, learner);
  auto meta = initial_meta(*gan, 3);
  const auto& state = gan->spaces().state;
  const auto& kept = state.parameters().back();
  REQUIRE(kept.name == "stretch");
  // The least share of a weight's largest singular value that is found.
  const auto least = [&] {
    double share = 1;
    int64_t at = kept.offset;
    for (const auto& p : gan->spaces().theta.parameters()) {
      if (!p.name.starts_with("discriminator") || p.shape.size() < 2) continue;
      const auto w =
          meta.theta.narrow(0, p.offset, p.size).view({p.shape[0], -1});
      const auto left = meta.state.narrow(0, at, p.shape[0]);
      at += p.shape[0];
      const double found = at::mv(w.t(), left).norm().item<double>();
      share = std::min(share, found / at::linalg_svdvals(w)[0].item<double>());
    }
    REQUIRE(at == state.size());
    return share;
  };
  const auto step = [&] {
    const int which = kDiscriminatorLoss;
    meta.state = run(*gan, which, batch, meta).sums.state / 3.0;
  };
  step();
  const double first = least();
  INFO("after five iterations " << first);
  CHECK(first < 0.99);
  for (int i = 0; i < 60; ++i) step();
  CHECK(least() > 0.999);
  CHECK(at::allclose(run(*gan, kGeneratorLoss, batch, meta).sums.state,
                     3 * meta.state));
}

TEST_CASE("weights near common ones are stretched as these are",
          "[generative]") {
  const auto w = noise({1, 5, 2, 3, 3}, 4);
  const auto between = stretch(w);
  CHECK(at::allclose(spectral_norm(w, between), spectral_norm(w)));
  // Twice the weights, the same after the norm, in a stack with others.
  const auto stack = at::cat({2 * w, w + 0.01 * noise(w.sizes(), 5)});
  const auto normed = spectral_norm(stack, between);
  CHECK(at::allclose(normed.narrow(0, 0, 1), spectral_norm(w)));
  const auto own = spectral_norm(stack.narrow(0, 1, 1));
  CHECK(at::allclose(normed.narrow(0, 1, 1), own, 0.02));
  CHECK_FALSE(at::allclose(normed.narrow(0, 1, 1), own, 1e-9));
}

TEST_CASE("a discriminator has spectral norm or none", "[generative]") {
  const auto batch = image_sets(2, 3, 2, 8, 40);
  LearnerOptions learner;
  learner.inner_steps = 0;
  auto o = gan_options();
  const auto outputs = [&](double scale) {
    const auto gan = generative("metagan", o, batch, learner);
    auto meta = initial_meta(*gan, 3);
    const auto sizes = sizes_of(*gan);
    meta.theta.narrow(0, sizes.generator, sizes.discriminator) *= scale;
    return gan->realness(meta, noise({2, 2, gan->code_size()}, 6),
                         batch.query.x);
  };
  // Biases are 0 at the start.
  CHECK(at::allclose(outputs(1), outputs(3)));
  o.spectral_norm = false;
  CHECK_FALSE(at::allclose(outputs(1), outputs(3)));
}

namespace {

// Gradient 1 for the first loss, 2 for the second; remembers what it was asked.
struct TwoLosses : Objective {
  int64_t size = 0;
  std::vector<int> asked;
  at::Tensor gradient(int which) override {
    asked.push_back(which);
    return at::full({size}, 1.0f + static_cast<float>(which));
  }
};

}  // namespace

TEST_CASE("generator, discriminator and average move in turn", "[generative]") {
  OptimOptions o;
  o.name = GENERATE("sgd", "momentum");
  o.lr = 0.5;
  auto step = make_gan_step(o, {2, 3}, 0.9);
  auto theta = at::zeros({7});
  TwoLosses objective;
  objective.size = 7;
  step->run(objective, theta, {});
  CHECK(objective.asked ==
        std::vector<int>{kGeneratorLoss, kDiscriminatorLoss});
  // The first average is the generator itself.
  CHECK(at::allclose(
      theta,
      at::tensor({-0.5, -0.5, -1.0, -1.0, -1.0, -0.5, -0.5}, at::kFloat)));
  step->run(objective, theta, {});
  const float g = o.name == "sgd" ? -1.0f : -1.45f;
  CHECK(theta[0].item<float>() == Approx(g));
  CHECK(theta[2].item<float>() == Approx(2 * g));
  CHECK(theta[5].item<float>() == Approx((-0.5f + g) / 2));
  // What a checkpoint keeps goes on as if nothing had happened.
  auto copy = theta.clone();
  auto resumed = make_gan_step(o, {2, 3}, 0.9);
  for (size_t i = 0; i < step->state().buffers.size(); ++i)
    resumed->state().buffers[i].copy_(step->state().buffers[i]);
  resumed->state().updates = step->state().updates;
  step->run(objective, theta, {});
  resumed->run(objective, copy, {});
  CHECK(at::equal(copy, theta));
}

TEST_CASE("what a GAN cannot be made from is refused", "[generative]") {
  const auto batch = image_sets(1, 2, 1, 8, 1);
  // What is said once `change` was made to options that are good.
  const auto refused = [&](const std::string& said, auto change) {
    auto o = gan_options();
    LearnerOptions learner;
    change(o, learner);
    CHECK_THROWS_WITH(generative("metagan", o, batch, learner), contains(said));
  };
  using O = GeneratorOptions&;
  using L = LearnerOptions&;
  refused("generator.r1_every = 0", [](O o, L) { o.r1_every = 0; });
  refused("generator.average = 1", [](O o, L) { o.average = 1; });
  refused(
      "generator.loss = \"lsgan\"; expected one of: hinge, bce, wasserstein",
      [](O o, L) { o.loss = "lsgan"; });
  refused("generator.reconstruct = \"no\"",
          [](O o, L) { o.reconstruct = "no"; });
  refused("generator.meta = \"mamll\"; expected one of: maml, reptile",
          [](O o, L) { o.meta = "mamll"; });
  refused("generator.network = \"mpl\"", [](O o, L) { o.network = "mpl"; });
  refused(
      "generator.code_cycle = 1; expected 0 with generator.network = deform",
      [](O o, L) {
        o.network = "deform";
        o.code = GeneratorOptions().code;
        o.code_cycle = 1;
      });
  refused("generator.noise = uniform needs",
          [](O o, L) { o.noise = "uniform"; });
  refused("nothing to learn from", [](O o, L) {
    o.reconstruct = "none";
    o.adversary = 0;
  });
  refused("learner.adapt = \"haed\"; expected one of: all, head, ",
          [](O, L learner) { learner.adapt = "haed"; });
  refused("the generator has no such part", [](O o, L learner) {
    learner.adapt = "code";
    o.encoder = o.task_code = false;
  });
  refused("generator.task_code = true", [](O o, L) { o.encoder = false; });
  auto o = gan_options();
  o.encoder = o.task_code = false;
  CHECK_NOTHROW(generative("metagan", o, batch));
  CHECK_THROWS_WITH(generative("deform", o, batch),
                    contains("generator.encoder = false"));
}
