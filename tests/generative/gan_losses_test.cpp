// The GAN's losses by value: each is put together here from what its networks
// return, by the formula as published. Gradients alone would not show a loss
// that is another one than it should be.
#include <torch/csrc/autograd/autograd.h>

#include "protean/models/params.h"
#include "protean/tasks/noise.h"

#include "generative/discriminator.h"
#include "generative/gan_step.h"
#include "generative/image_sets.h"
#include "generative/set_vae.h"
#include "support/catch.h"

using namespace protean;

namespace {

// Slots of a scene's noise: of made images, of others with the same codes, and
// of the share of real ones in those between. Inner steps have scenes of their
// own.
constexpr uint32_t kLatent = 5, kOtherLatent = 6, kShare = 7, kScene = 8;
constexpr uint64_t kSeed = 5;  // of generative()

// Nothing but the adversary and what judges, without the code's cost.
GeneratorOptions bare_gan() {
  auto o = small_generator();
  o.binary = false;
  o.random_shots = false;
  o.reconstruct = "none";
  o.adversary = 1;
  o.code_weight = 0;
  o.mode_seeking = 0;
  o.r1 = 0;
  o.anchor = 0;
  return o;
}

LearnerOptions inner_steps(int steps) {
  LearnerOptions learner;
  learner.seed = kSeed;
  learner.inner_steps = steps;
  learner.inner_lr = 1;
  return learner;
}

// What both networks make of x, the support images of the batch being those
// that tell the class.
struct Outputs {
  ConditionalGenerator::Seen seen;
  at::Tensor code, latent, made;  // (T, n, ...)
  at::Tensor other_latent, other;
  at::Tensor real, fake;  // (T, n)
};

// The networks that a GAN of these options consists of, apart from it.
struct Networks {
  Networks(const GeneratorOptions& o, const TaskBatch& batch)
      : generator(o, inner_steps(0), batch.shape,
                  {1, batch.shape.support, batch.shape.query}),
        judge(layers, "discriminator", batch.shape.input, o.code, o) {}

  Params generator_of(const at::Tensor& theta) const {
    const auto& space = generator.spaces().theta;
    return shared_params(space, theta.narrow(0, 0, space.size()));
  }
  Params judge_of(const at::Tensor& theta) const {
    const auto& space = layers.space();
    return shared_params(
        space, theta.narrow(0, generator.spaces().theta.size(), space.size()));
  }
  // start: the discriminator whose stretches d has, where inner steps moved it.
  Outputs look(const Params& g, const Params& d, const TaskBatch& batch,
               const at::Tensor& x, uint32_t slot,
               const Params& start = {}) const {
    const auto weight =
        at::ones({x.size(0), batch.support.x.size(1)}, x.options());
    const Scene scene{batch.support.x, weight, x, {}, batch.ids, slot};
    Outputs out;
    out.seen = generator.see(g, scene);
    const auto basis = generator.basis(g, out.seen, scene, x.size(1));
    out.code = basis.code;
    out.latent = noise(batch, x, slot + kLatent, generator.latent_size());
    out.made = generator.images(g, basis, out.latent);
    out.other_latent =
        noise(batch, x, slot + kOtherLatent, generator.latent_size());
    out.other = generator.images(g, basis, out.other_latent);
    const auto normalised =
        judge.normalised(d, judge.stretches(start.empty() ? d : start));
    out.real = judge(normalised, x, out.code);
    out.fake = judge(normalised, out.made, out.code);
    return out;
  }
  static at::Tensor noise(const TaskBatch& batch, const at::Tensor& x,
                          uint32_t slot, int64_t size) {
    return task_noise(kSeed, batch.ids, x.size(1), size, Purpose::noise, slot,
                      x);
  }

  SetVae generator;
  LayerSpace layers;
  Discriminator judge;
};

// Two tasks, and where in theta their losses are looked at.
struct Case {
  TaskBatch batch = image_sets(2, 3, 5, 8, 41);
  at::Tensor theta;

  Case() {
    const auto gan = generative("metagan", bare_gan(), batch, inner_steps(0));
    theta = initial_meta(*gan, 3).theta;
    theta = theta + 0.1 * noise(theta.sizes(), 77);
  }
  // Of each task.
  at::Tensor loss(int which, const GeneratorOptions& o,
                  const at::Tensor& state = at::zeros({0}, at::kDouble),
                  int steps = 0) const {
    const auto gan = generative("metagan", o, batch, inner_steps(steps));
    const auto all = initial_meta(*gan, 3).state.clone();
    all.narrow(0, 0, state.size(0)).copy_(state);
    return gan
        ->gradient_of(which, batch, {theta, all},
                      {at::zeros_like(theta), at::zeros_like(all)})
        .loss;
  }
  // What all outputs of the one that judges have added.
  at::Tensor score_bias(const GeneratorOptions& o) {
    const Networks n(o, batch);
    const auto& space = n.layers.space();
    const auto& bias =
        space.parameters()[space.index("discriminator.score.bias")];
    return theta.narrow(0, n.generator.spaces().theta.size() + bias.offset, 1);
  }
  Outputs look(const GeneratorOptions& o) const {
    const Networks n(o, batch);
    return n.look(n.generator_of(theta), n.judge_of(theta), batch,
                  batch.query.x, 0);
  }
};

void check_equal(const at::Tensor& value, const at::Tensor& expected) {
  INFO(value << "\nexpected\n" << expected);
  CHECK(at::allclose(value, expected, 1e-9, 1e-11));
}

// |dD/dx|^2 of each image, (T, n).
at::Tensor squared_slope(const Discriminator& judge, const Params& d,
                         const at::Tensor& images, const at::Tensor& code) {
  const auto x = images.detach().requires_grad_();
  const auto score = judge(judge.normalised(d), x, code).sum();
  return torch::autograd::grad({score}, {x})[0].square().sum({2, 3, 4});
}

}  // namespace

TEST_CASE("what judges loses by its outputs as published", "[generative]") {
  Case c;
  auto o = bare_gan();
  const auto loss = [&](const char* name) {
    o.loss = name;
    return c.loss(kDiscriminatorLoss, o);
  };
  // With a margin between the outputs for real images, then for made ones: what
  // is beyond it costs nothing.
  const bool of_real = GENERATE(true, false);
  INFO((of_real ? "real" : "made") << " images about the margin");
  const auto before = c.look(o);
  c.score_bias(o) +=
      of_real ? 1 - before.real.median() : -1 - before.fake.median();
  const auto out = c.look(o);
  const auto beyond = of_real ? out.real > 1 : out.fake < -1;
  REQUIRE(beyond.any().item<bool>());
  REQUIRE_FALSE(beyond.all().item<bool>());
  check_equal(loss("hinge"), (1 - out.real).clamp_min(0).mean(1) +
                                 (1 + out.fake).clamp_min(0).mean(1));
  // Goodfellow et al. 2014: log D(x) + log(1 - D(G(z))) is as high as can be.
  check_equal(loss("bce"), -at::sigmoid(out.real).log().mean(1) -
                               (1 - at::sigmoid(out.fake)).log().mean(1));
  check_equal(loss("wasserstein"), out.fake.mean(1) - out.real.mean(1));
}

TEST_CASE("the generator wants its images to look real", "[generative]") {
  const Case c;
  auto o = bare_gan();
  o.adversary = 3;
  const auto fake = c.look(o).fake;
  const auto loss = [&](const char* name) {
    o.loss = name;
    return c.loss(kGeneratorLoss, o);
  };
  check_equal(loss("hinge"), -3 * fake.mean(1));
  check_equal(loss("wasserstein"), -3 * fake.mean(1));
  // Non-saturating: not log(1 - D(G(z))).
  check_equal(loss("bce"), -3 * at::sigmoid(fake).log().mean(1));
}

TEST_CASE("LeCam holds each kind of output to the other's running mean",
          "[generative]") {
  const Case c;
  auto o = bare_gan();
  const auto out = c.look(o);
  // Between them, so that some are above and some below.
  const double usual_fake = out.real.median().item<double>();
  const double usual_real = out.fake.median().item<double>() + 0.01;
  const auto usual = at::tensor({usual_real, usual_fake}, at::kDouble);
  const auto none = c.loss(kDiscriminatorLoss, o);
  o.anchor = 0.7;
  // As its authors compute it: real outputs count above the usual fake one,
  // fake ones below the usual real one.
  check_equal(c.loss(kDiscriminatorLoss, o, usual) - none,
              0.7 * ((out.real - usual_fake).clamp_min(0).square().mean(1) +
                     (usual_real - out.fake).clamp_min(0).square().mean(1)));
  // The variance over tasks is about the mean of the same kind.
  o.anchor = 0;
  o.variance = 0.6;
  check_equal(c.loss(kDiscriminatorLoss, o, usual) - none,
              0.6 * ((out.real.mean(1) - usual_real).square() +
                     (out.fake.mean(1) - usual_fake).square()));
}

TEST_CASE("R1 counts in some steps, and in those for the others too",
          "[generative]") {
  Case c;
  auto o = bare_gan();
  o.loss = GENERATE("hinge", "bce");
  o.r1_every = 3;
  for (uint32_t step = 0; step < 7; ++step) {
    INFO("step " << step);
    for (auto& id : c.batch.ids) id.step = step;
    o.r1 = 0;
    const auto none = c.loss(kDiscriminatorLoss, o);
    o.r1 = 2;
    const auto penalty = c.loss(kDiscriminatorLoss, o) - none;
    if (step % 3 != 0) {
      check_equal(penalty, at::zeros({2}, at::kDouble));
      continue;
    }
    const Networks n(o, c.batch);
    const auto slope = squared_slope(n.judge, n.judge_of(c.theta),
                                     c.batch.query.x, c.look(o).code);
    check_equal(penalty, 3 * (2.0 / 2) * slope.mean(1));
  }
}

TEST_CASE(
    "Wasserstein's penalty is on how far slopes between images are from 1",
    "[generative]") {
  Case c;
  auto o = bare_gan();
  o.loss = "wasserstein";
  o.r1_every = 4;
  for (uint32_t step : {4u, 6u}) {
    for (auto& id : c.batch.ids) id.step = step;
    o.r1 = 0;
    const auto none = c.loss(kDiscriminatorLoss, o);
    o.r1 = 10;
    const auto penalty = c.loss(kDiscriminatorLoss, o) - none;
    if (step == 6) {
      check_equal(penalty, at::zeros({2}, at::kDouble));
      continue;
    }
    const auto& x = c.batch.query.x;
    const auto out = c.look(o);
    const auto share = at::special_ndtr(Networks::noise(c.batch, x, kShare, 1))
                           .view({2, -1, 1, 1, 1});
    const Networks n(o, c.batch);
    const auto slope =
        squared_slope(n.judge, n.judge_of(c.theta),
                      share * x + (1 - share) * out.made, out.code)
            .sqrt();
    check_equal(penalty, 4 * 10 * (slope - 1).square().mean(1));
  }
}

TEST_CASE("mode seeking costs less the further apart images are",
          "[generative]") {
  const Case c;
  auto o = bare_gan();
  const auto none = c.loss(kGeneratorLoss, o);
  o.mode_seeking = 0.8;
  const auto out = c.look(o);
  const auto images = (out.made - out.other).abs().mean({1, 2, 3, 4});
  const auto latents = (out.latent - out.other_latent).abs().mean({1, 2});
  // 0.01 where the paper has 0.00001, for images that are all alike.
  check_equal(c.loss(kGeneratorLoss, o) - none,
              0.8 / (images / latents + 0.01));
}

TEST_CASE("what is made of a code has that code", "[generative]") {
  const Case c;
  auto o = bare_gan();
  const auto none = c.loss(kGeneratorLoss, o);
  o.code_cycle = 0.9;
  const Networks n(o, c.batch);
  const auto out = c.look(o);
  const auto found = n.generator.own_codes(n.generator_of(c.theta), out.made);
  check_equal(c.loss(kGeneratorLoss, o) - none,
              0.9 * (found - out.code).square().sum(2).mean(1));
}

TEST_CASE("what anchors the generator to real images", "[generative]") {
  const Case c;
  auto o = bare_gan();
  o.code_weight = 0.4;
  const auto out = c.look(o);
  const auto adversary = -out.fake.mean(1);
  const auto& code = out.seen.code;
  const auto code_cost =
      0.4 * 0.5 *
      (code.log_variance.exp() + code.mean.square() - 1 - code.log_variance)
          .sum({1, 2});
  check_equal(c.loss(kGeneratorLoss, o), code_cost + adversary);
  o.reconstruct = "mse";
  const auto apart = (out.made - c.batch.query.x).square();
  check_equal(c.loss(kGeneratorLoss, o),
              code_cost + adversary + apart.sum({2, 3, 4}).mean(1));
  // What the set VAE alone would lose.
  o.reconstruct = "bound";
  o.code_weight = 0.05;
  const Networks n(o, c.batch);
  const auto theta =
      c.theta.narrow(0, 0, n.generator.spaces().theta.size()).contiguous();
  const auto bound =
      n.generator.gradient(c.batch, {theta, {}}, {at::zeros_like(theta), {}})
          .loss;
  check_equal(c.loss(kGeneratorLoss, o), bound + adversary);
}

TEST_CASE("images of fixed noise vary about their mean over tasks",
          "[generative]") {
  Case c;
  c.batch = some_sets(c.batch, 0, 1);
  auto o = bare_gan();
  o.spectral_norm = false;
  const auto none = c.loss(kGeneratorLoss, o);
  o.image_variance = 0.5;
  const auto gan = generative("metagan", o, c.batch, inner_steps(0));
  // Sums of images, and of their weights: the first step leaves its own.
  const auto empty = at::zeros({gan->spaces().state.size()}, at::kDouble);
  const MetaView sums{at::zeros_like(c.theta), at::zeros_like(empty)};
  gan->gradient_of(kDiscriminatorLoss, c.batch, {c.theta, empty}, sums);
  const int64_t pixels = empty.numel() - 1;
  REQUIRE(pixels == 4 * 64);  // four images
  const auto own = sums.state.narrow(0, 0, pixels) / sums.state[-1];
  const auto usual = at::full({pixels}, 0.3, at::kDouble);
  const auto state = at::cat({usual, at::ones({1}, at::kDouble)}) * 0.5;
  check_equal(c.loss(kGeneratorLoss, o, state) - none,
              0.5 * (own - usual).square().sum().view({1}) / 4);
}

TEST_CASE("an adapted generator is judged by who knows the query set",
          "[generative]") {
  const int steps = GENERATE(1, 2);
  INFO(steps << " inner steps");
  Case c;
  c.batch = some_sets(c.batch, 0, 1);
  const auto& support = c.batch.support.x;
  const auto& query = c.batch.query.x;
  const auto o = bare_gan();
  const Networks n(o, c.batch);
  const Params first_g = n.generator_of(c.theta);
  const Params first_d = n.judge_of(c.theta);
  const auto judge_loss = [](const Outputs& out) {
    return (1 - out.real).clamp_min(0).mean() +
           (1 + out.fake).clamp_min(0).mean();
  };
  // p after a step down the loss of it.
  const auto stepped = [](const Params& p, const auto& loss) {
    Params moved;
    for (const auto& value : p)
      moved.push_back(value.detach().requires_grad_());
    const auto g = torch::autograd::grad({loss(moved)}, moved, {}, {}, false,
                                         /*allow_unused=*/true);
    at::NoGradGuard no_grad;
    for (size_t i = 0; i < g.size(); ++i)
      if (g[i].defined()) moved[i] = moved[i] - g[i];
    return moved;
  };
  const auto judge_step = [&](const Params& g, const Params& d,
                              const at::Tensor& x, uint32_t slot) {
    return stepped(d, [&](const Params& moving) {
      return judge_loss(n.look(g, moving, c.batch, x, slot, first_d));
    });
  };
  Params g = first_g, d = first_d, judge = first_d;
  uint32_t slot = 0;
  for (int k = 0; k < steps; ++k) {
    slot += kScene;
    d = judge_step(g, d, support, slot);
    g = stepped(g, [&](const Params& moving) {
      return -n.look(moving, d, c.batch, support, slot, first_d).fake.mean();
    });
  }
  for (int k = 0; k < steps; ++k)
    judge = judge_step(first_g, judge, query, slot += kScene);
  const auto value = [&](int which) {
    return c.loss(which, o, at::zeros({0}, at::kDouble), steps).item<double>();
  };
  const auto verdict = [&](const Params& of) {
    return -n.look(g, of, c.batch, query, 0, first_d)
                .fake.mean()
                .item<double>();
  };
  CHECK(value(kGeneratorLoss) == Approx(verdict(judge)).epsilon(1e-9));
  // Others would have judged otherwise.
  for (const auto& other : {d, first_d})
    REQUIRE(std::abs(verdict(other) - verdict(judge)) > 1e-6);
  // What judges is itself measured by the pair that knows the support set.
  CHECK(value(kDiscriminatorLoss) ==
        Approx(
            judge_loss(n.look(g, d, c.batch, query, 0, first_d)).item<double>())
            .epsilon(1e-9));
}
