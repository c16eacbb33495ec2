// Matching, relation and siamese networks.
#include <algorithm>
#include <cmath>

#include "protean/core/error.h"
#include "protean/learners/make_learner.h"

#include "learners/metric_checks.h"
#include "support/catch.h"
#include "support/toy_tasks.h"

using namespace protean;

namespace {

ModelOptions conv(int64_t pool_blocks) {
  ModelOptions m;
  m.filters = 4;
  m.pool_blocks = pool_blocks;
  return m;
}

ModelOptions perceptron() {
  ModelOptions m;
  m.name = "mlp";
  m.hidden = "12,9";
  m.init = "torch";
  return m;
}

LearnerOptions options(const std::string& name) {
  LearnerOptions o;
  o.name = name;
  if (name == "siamese") o.width = 10;
  return o;
}

}  // namespace

TEST_CASE("metric learners' gradients equal central differences",
          "[learners]") {
  SECTION("matching") {
    const auto batch = image_tasks(2, 3, 2, 2, 16, 5);
    auto o = options("matching");
    o.full_context = GENERATE(false, true);
    o.context_reads = o.full_context ? 3 : 5;
    const auto learner = make_learner(o, conv(4), batch.shape);
    check_metric(*learner, batch);
    check_inductive(*learner, batch);
  }
  SECTION("matching on values") {
    const auto batch = value_tasks(3, 6, 5, 6);
    auto o = options("matching");
    o.temperature = 0.2;
    o.full_context = GENERATE(false, true);
    const auto learner = make_learner(o, perceptron(), batch.shape);
    check_metric(*learner, batch);
    check_inductive(*learner, batch);
  }
  SECTION("relation") {
    const auto batch = image_tasks(2, 3, 2, 2, 16, 7);
    const auto learner =
        make_learner(options("relation"), conv(2), batch.shape);
    check_metric(*learner, batch);
    check_inductive(*learner, batch);
  }
  SECTION("siamese") {
    const auto batch = image_tasks(2, 3, 2, 2, 16, 8);
    const auto learner = make_learner(options("siamese"), conv(3), batch.shape);
    check_metric(*learner, batch);
    check_inductive(*learner, batch);
  }
}

TEST_CASE("support and query by the support's moments", "[learners]") {
  const std::string name = GENERATE("protonet", "matching", "siamese");
  const std::string norm = GENERATE("batch", "task");
  INFO(name << ", " << norm);
  const auto batch = image_tasks(2, 3, 2, 2, 16, 15);
  auto o = options(name);
  o.query_norm = "support";
  auto model = conv(4);
  model.norm = norm;
  const auto learner = make_learner(o, model, batch.shape);
  CHECK(learner->spaces().state.size() == 0);
  check_metric(*learner, batch);
  check_inductive(*learner, batch);
  // Evaluation computes what training does.
  const auto meta = initial_meta(*learner, 3);
  const auto losses = run_gradient(*learner, batch, meta).losses;
  learner->adapt(batch, meta, [&](int, const Phi& phi) {
    const auto right = learner->predict(phi, batch.query)
                           .argmax(-1)
                           .eq(batch.query.y)
                           .to(at::kDouble)
                           .mean(1);
    CHECK(at::allclose(right, losses.accuracy));
  });
}

TEST_CASE("matching attends by cosines", "[learners]") {
  const auto net = make_network(conv(4), {1, 16, 16}, 3);
  const auto batch = image_tasks(1, 3, 2, 1, 16, 9);
  auto o = options("matching");
  o.temperature = 0.5;
  const auto learner = make_learner(o, conv(4), batch.shape);
  const auto meta = initial_meta(*learner, 3);
  learner->adapt(batch, meta, [&](int, const Phi& phi) {
    Norm norm = phi.norm;
    const auto f = net->body(phi.params, {batch.query.x, {}, {}}, norm)[0];
    const auto g = net->body(phi.params, {batch.support.x, {}, {}}, norm)[0];
    const auto p = learner->predict(phi, batch.query).softmax(-1)[0];
    for (int64_t i = 0; i < 3; ++i) {
      double all = 0, own[3] = {};
      for (int64_t j = 0; j < 6; ++j) {
        const double cosine =
            (f[i].dot(g[j]) / (f[i].norm() * g[j].norm())).item<double>();
        all += std::exp(cosine / 0.5);
        own[j / 2] += std::exp(cosine / 0.5);
      }
      for (int64_t k = 0; k < 3; ++k)
        CHECK(p[i][k].item<double>() == Approx(own[k] / all).epsilon(1e-6));
    }
  });
}

TEST_CASE("matching tells classes apart that are far behind the nearest",
          "[learners]") {
  const auto net = make_network(conv(4), {1, 16, 16}, 3);
  const auto batch = image_tasks(1, 3, 2, 1, 16, 9);
  auto o = options("matching");
  o.temperature = 2e-5;
  const auto learner = make_learner(o, conv(4), batch.shape);
  const auto meta = initial_meta(*learner, 3);
  learner->adapt(batch, meta, [&](int, const Phi& phi) {
    Norm norm = phi.norm;
    const auto f = net->body(phi.params, {batch.query.x, {}, {}}, norm)[0];
    const auto g = net->body(phi.params, {batch.support.x, {}, {}}, norm)[0];
    const auto p = learner->predict(phi, batch.query).log_softmax(-1)[0];
    double least = 0;
    for (int64_t i = 0; i < 3; ++i) {
      // The log of a sum of exponentials is its largest term here, but for the
      // second one of its class.
      double own[3];
      for (int64_t k = 0; k < 3; ++k) {
        double score[2];
        for (int64_t j = 0; j < 2; ++j)
          score[j] =
              (f[i].dot(g[2 * k + j]) / (f[i].norm() * g[2 * k + j].norm()))
                  .item<double>() /
              o.temperature;
        const double most = std::max(score[0], score[1]);
        own[k] = most + std::log(std::exp(score[0] - most) +
                                 std::exp(score[1] - most));
      }
      const double best = *std::max_element(own, own + 3);
      double all = 0;
      for (double v : own) all += std::exp(v - best);
      for (int64_t k = 0; k < 3; ++k) {
        const double expected = own[k] - best - std::log(all);
        least = std::min(least, expected);
        CHECK(p[i][k].item<double>() == Approx(expected).margin(0.05));
      }
    }
    CHECK(least < -100);  // beyond what a float's exponential can tell from 0
  });
}

TEST_CASE("matching of values is a weighted mean of the support's",
          "[learners]") {
  auto batch = value_tasks(1, 6, 4, 10);
  auto o = options("matching");
  const auto learner = make_learner(o, perceptron(), batch.shape);
  const auto meta = initial_meta(*learner, 3);
  const auto mean = [&](double temperature) {
    o.temperature = temperature;
    const auto at_temperature = make_learner(o, perceptron(), batch.shape);
    at::Tensor y;
    at_temperature->adapt(batch, meta, [&](int, const Phi& phi) {
      y = at_temperature->predict(phi, batch.query);
    });
    return y;
  };
  // Flat weights: the plain mean. Sharp ones: a support value each.
  CHECK(at::allclose(mean(1e9), batch.support.y.mean(1, true).expand({1, 4, 1}),
                     1e-6, 1e-6));
  const auto nearest =
      (mean(1e-9) - batch.support.y.transpose(1, 2)).abs().amin(-1);
  CHECK(nearest.max().item<double>() < 1e-6);
}

TEST_CASE("padding of a support set does not count", "[learners]") {
  const std::string name = GENERATE("protonet", "matching", "siamese");
  INFO(name);
  auto padded = image_tasks(1, 3, 2, 2, 16, 11);
  auto plain = padded;
  // The second example of the last class is padding.
  padded.support.weight = at::ones({1, 6}, at::kDouble);
  padded.support.weight[0][5] = 0;
  plain.support.x = padded.support.x.narrow(1, 0, 5);
  plain.support.y = padded.support.y.narrow(1, 0, 5);
  const auto learner = make_learner(options(name), conv(4), plain.shape);
  const auto meta = initial_meta(*learner, 3);
  const auto predict = [&](const TaskBatch& batch) {
    at::Tensor out;
    learner->adapt(batch, meta, [&](int, const Phi& phi) {
      out = learner->predict(phi, batch.query).softmax(-1);
    });
    return out;
  };
  CHECK(at::allclose(predict(padded), predict(plain), 1e-9, 1e-12));
}

TEST_CASE("a relation network scores each pair", "[learners]") {
  // All classes alike, all scores alike: the loss has a closed form.
  auto batch = image_tasks(1, 4, 1, 1, 16, 12);
  batch.support.x = batch.support.x.narrow(1, 0, 1).expand({1, 4, 1, 16, 16});
  const auto learner = make_learner(options("relation"), conv(2), batch.shape);
  const auto meta = initial_meta(*learner, 3);
  learner->adapt(batch, meta, [&](int, const Phi& phi) {
    const auto z = learner->predict(phi, batch.query);
    CHECK((z - z.narrow(2, 0, 1)).abs().max().item<double>() < 1e-12);
  });
  const auto losses = run_gradient(*learner, batch, meta).losses;
  // mean over 4 classes of (r - 1[y = k])^2, r the same for all: its least
  // value over r is 3/16.
  CHECK(losses.loss[0].item<double>() >= 3.0 / 16 - 1e-12);
  CHECK(losses.loss[0].item<double>() < 1);
}

TEST_CASE("siamese pairs of both kinds weigh one half", "[learners]") {
  const auto batch = image_tasks(1, 3, 1, 2, 16, 13);
  const auto learner = make_learner(options("siamese"), conv(4), batch.shape);
  auto meta = initial_meta(*learner, 3);
  // A score of c for every pair: loss = (softplus(-c) + softplus(c)) / 2.
  const auto& space = learner->spaces().theta;
  const auto& weight = space.parameters()[space.index("siamese.score.weight")];
  const auto& bias = space.parameters()[space.index("siamese.score.bias")];
  meta.theta.narrow(0, weight.offset, weight.size).zero_();
  meta.theta[bias.offset] = 1.5;
  const double loss =
      run_gradient(*learner, batch, meta).losses.loss[0].item<double>();
  CHECK(loss ==
        Approx((std::log1p(std::exp(-1.5)) + std::log1p(std::exp(1.5))) / 2));
}

TEST_CASE("what metric learners cannot do is refused", "[learners]") {
  const auto images = image_tasks(1, 3, 1, 1, 16, 1);
  const auto values = value_tasks(1, 4, 4, 1);
  CHECK_THROWS_WITH(make_learner(options("relation"), conv(4), images.shape),
                    contains("expected at least 4x4"));
  CHECK_THROWS_WITH(
      make_learner(options("siamese"), perceptron(), values.shape),
      contains("needs classes"));
  auto o = options("matching");
  o.temperature = 0;
  CHECK_THROWS_WITH(make_learner(o, conv(4), images.shape),
                    contains("learner.temperature = 0"));
  o = options("relation");
  o.query_norm = "support";
  CHECK_THROWS_WITH(make_learner(o, conv(2), images.shape),
                    contains("learner.query_norm = \"support\""));
  auto task_norm = conv(4);
  task_norm.norm = "task";
  CHECK_THROWS_WITH(make_learner(options("protonet"), task_norm, images.shape),
                    contains("expected learner.query_norm = support"));
  o = options("protonet");
  o.width = 3;
  CHECK_THROWS_WITH(make_learner(o, conv(4), images.shape),
                    contains("learner.width = 3"));
}
