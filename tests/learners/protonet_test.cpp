#include "learners/protonet.h"

#include <cmath>

#include "protean/core/error.h"
#include "protean/learners/make_learner.h"
#include "protean/learners/task_loss.h"

#include "learners/nearest.h"
#include "support/catch.h"
#include "support/toy_tasks.h"

using namespace protean;

TEST_CASE("prototypes are class means; distances are squared", "[learners]") {
  const auto x = noise({2, 6, 5}, 1);
  const auto y = at::tensor({0, 1, 2, 2, 0, 2}, at::kLong).repeat({2, 1});
  const auto c = prototypes(x, {{}, y, {}}, 3);
  CHECK(at::allclose(c.select(1, 0), (x.select(1, 0) + x.select(1, 4)) / 2));
  CHECK(at::allclose(c.select(1, 1), x.select(1, 1)));
  const auto d = negative_squared_distance(x, c);
  const auto want = -(x.unsqueeze(2) - c.unsqueeze(1)).square().sum(-1);
  CHECK(at::allclose(d, want, 1e-10, 1e-10));

  // Padding does not count.
  auto weight = at::ones({2, 6}, at::kDouble);
  weight.select(1, 4).zero_();
  CHECK(at::allclose(prototypes(x, {{}, y, weight}, 3).select(1, 0),
                     x.select(1, 0)));
}

TEST_CASE("the prototype loss normalises over all prototypes", "[learners]") {
  // Equal prototypes: log N. (Normalised by its own distance it would be 0.)
  const auto x = noise({1, 4, 3}, 2);
  const auto same = at::ones({1, 5, 3}, at::kDouble);
  Part part;
  part.y = at::tensor({0, 1, 4, 2}, at::kLong).unsqueeze(0);
  const auto loss =
      task_loss(negative_squared_distance(x, same), part, TargetKind::classes);
  CHECK(loss[0].item<double>() == Approx(std::log(5.0)));

  // By hand: d(x, c_y) + log sum_k exp(-d(x, c_k)).
  const auto c = noise({1, 5, 3}, 3);
  double want = 0;
  for (int64_t i = 0; i < 4; ++i) {
    double sum = 0, own = 0;
    for (int64_t k = 0; k < 5; ++k) {
      const double d = (x[0][i] - c[0][k]).square().sum().item<double>();
      sum += std::exp(-d);
      if (k == part.y[0][i].item<int64_t>()) own = d;
    }
    want += (own + std::log(sum)) / 4;
  }
  CHECK(task_loss(negative_squared_distance(x, c), part, TargetKind::classes)[0]
            .item<double>() == Approx(want));
}

TEST_CASE(
    "ProtoNet's gradient equals central differences, and its running "
    "moments move from one start",
    "[learners]") {
  const auto batch = image_tasks(2, 3, 2, 2, 16, 5);
  ModelOptions model;
  model.filters = 4;
  LearnerOptions o;
  o.name = "protonet";
  const auto learner = make_learner(o, model, batch.shape);
  auto meta = initial_meta(*learner, 3);
  CHECK(learner->spaces().theta.count() == 12);  // no head
  meta.theta = meta.theta + 0.05 * noise(meta.theta.sizes(), 7);
  const auto at_theta = run_gradient(*learner, batch, meta);
  for (uint64_t direction = 0; direction < 3; ++direction) {
    auto d = noise(meta.theta.sizes(), 20 + direction);
    d = d / d.norm();
    const double analytic = at_theta.sums.theta.dot(d).item<double>();
    double best = 1;
    for (double h : {1e-4, 1e-5, 1e-6}) {
      auto loss = [&](double step) {
        return run_gradient(*learner, batch,
                            {meta.theta + step * d, meta.state})
            .losses.loss.sum()
            .item<double>();
      };
      best =
          std::min(best, std::abs((loss(h) - loss(-h)) / (2 * h) - analytic) /
                             std::max(std::abs(analytic), 1e-3));
    }
    CHECK(best < 1e-6);
  }

  // Task by task and layer by layer: 0.9 * old + 0.1 * moments of the joined
  // images' maps, 16, 8, 4 and 2 pixels wide.
  const auto& space = learner->spaces();
  const auto part = [&](const ParameterSpace& of, const at::Tensor& flat,
                        const std::string& name) {
    const auto& p = of.parameters()[of.index(name)];
    return flat.narrow(0, p.offset, p.size).view(p.shape);
  };
  std::vector<at::Tensor> means(4, at::zeros({4}, at::kDouble)),
      variances(4, at::full({4}, 2 * 0.9, at::kDouble));
  for (int64_t t = 0; t < 2; ++t) {
    auto h = at::cat({batch.support.x[t], batch.query.x[t]});
    for (int layer = 0; layer < 4; ++layer) {
      const auto parameter = [&](const char* name) {
        return part(space.theta, meta.theta, concat("block", layer + 1, name));
      };
      h = at::conv2d(h, parameter(".conv.weight"), {}, 1, 1);
      CHECK(h.size(2) == 16 >> layer);
      means[layer] = means[layer] + 0.1 * h.mean({0, 2, 3});
      variances[layer] =
          variances[layer] + 0.1 * h.var({0, 2, 3}, /*unbiased=*/true);
      h = at::batch_norm(
          h, model.norm_scale ? parameter(".norm.scale") : at::Tensor(),
          parameter(".norm.shift"), {}, {}, /*training=*/true, 0.1,
          model.norm_eps, false);
      h = at::max_pool2d(h.relu(), {2, 2}, {2, 2});
    }
  }
  for (int layer = 0; layer < 4; ++layer) {
    INFO("layer " << layer + 1);
    const auto state = [&](const char* name) {
      return part(space.state, at_theta.sums.state,
                  concat("norm", layer + 1, name));
    };
    CHECK(at::allclose(state(".mean"), means[layer], 1e-8, 1e-9));
    CHECK(at::allclose(state(".variance"), variances[layer], 1e-8, 1e-9));
  }
}

TEST_CASE("a learner with one loss has no second one", "[learners]") {
  const auto batch = image_tasks(2, 3, 2, 2, 16, 5);
  ModelOptions model;
  model.filters = 4;
  LearnerOptions o;
  o.name = "protonet";
  const auto learner = make_learner(o, model, batch.shape);
  const auto meta = initial_meta(*learner, 3);
  const auto want = run_gradient(*learner, batch, meta);
  const MetaView sums{at::zeros_like(meta.theta), at::zeros_like(meta.state)};
  learner->gradient_of(0, batch, meta, sums);
  CHECK(at::equal(sums.theta, want.sums.theta));
  CHECK_THROWS_AS(learner->gradient_of(1, batch, meta, sums), Error);
}

TEST_CASE("ProtoNet predicts each query alone", "[learners]") {
  const auto batch = image_tasks(1, 3, 2, 4, 16, 6);
  ModelOptions model;
  model.filters = 4;
  LearnerOptions o;
  o.name = "protonet";
  const auto learner = make_learner(o, model, batch.shape);
  CHECK_FALSE(learner->transductive());
  const auto meta = initial_meta(*learner, 3);
  int visits = 0;
  learner->adapt(batch, meta, [&](int, const Phi& phi) {
    ++visits;
    const auto all = learner->predict(phi, batch.query);
    Part one = batch.query;
    one.x = one.x.narrow(1, 5, 1);
    CHECK(at::allclose(learner->predict(phi, one), all.narrow(1, 5, 1), 1e-9,
                       1e-9));
  });
  CHECK(visits == 1);
}
