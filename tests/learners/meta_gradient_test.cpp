// The meta-gradient of MAML against central differences of the query loss after
// adaptation, in double.
#include <cmath>

#include "protean/learners/make_learner.h"

#include "learners/central_differences.h"
#include "learners/inner_steps.h"
#include "support/catch.h"
#include "support/toy_tasks.h"

using namespace protean;

namespace {

LearnerPtr maml(const ModelOptions& model, const TaskBatch& batch, int steps,
                double lr, bool second_order = true,
                const std::string& optimizer = "sgd",
                const std::string& query_norm = "batch") {
  LearnerOptions o;
  o.inner_steps = steps;
  o.inner_lr = lr;
  o.second_order = second_order;
  o.inner_optimizer = optimizer;
  o.inner_eps = 1e-3;
  o.query_norm = query_norm;
  return make_learner(o, model, batch.shape);
}

ModelOptions small_conv(const std::string& pool) {
  ModelOptions m;
  m.filters = 4;
  m.pool = pool;
  return m;
}

ModelOptions small_mlp() {
  ModelOptions m;
  m.name = "mlp";
  m.hidden = "12,9";
  m.init = "torch";
  return m;
}

}  // namespace

TEST_CASE("MAML's meta-gradient equals central differences", "[learners]") {
  const int steps = GENERATE(1, 2, 5);
  INFO("inner steps " << steps);
  SECTION("conv4 with max-pool and batch norm") {
    const auto batch = image_tasks(2, 3, 1, 2, 16, 11);
    check_directions(*maml(small_conv("max"), batch, steps, 0.1), batch);
  }
  SECTION("conv4 with strides and batch norm") {
    const auto batch = image_tasks(2, 3, 1, 2, 16, 12);
    check_directions(*maml(small_conv("stride"), batch, steps, 0.1), batch);
  }
  SECTION("perceptron on values") {
    const auto batch = value_tasks(3, 6, 5, 13);
    check_directions(*maml(small_mlp(), batch, steps, 0.05), batch);
  }
}

TEST_CASE("the meta-gradient passes through other inner optimisers and norms",
          "[learners]") {
  const auto batch = image_tasks(2, 3, 1, 2, 16, 21);
  SECTION("momentum") {
    check_directions(*maml(small_conv("max"), batch, 3, 0.05, true, "momentum"),
                     batch);
  }
  SECTION("adam") {
    check_directions(*maml(small_conv("max"), batch, 2, 0.01, true, "adam"),
                     batch);
  }
  SECTION("queries normalised by the support set") {
    check_directions(
        *maml(small_conv("max"), batch, 2, 0.1, true, "sgd", "support"), batch);
  }
}

TEST_CASE("the meta-gradient passes through networks and norms", "[learners]") {
  const std::string name = GENERATE("conv4", "resnet12", "resnet18");
  const std::string norm = GENERATE("layer", "instance", "task", "none");
  INFO(name << ", " << norm);
  const auto batch = image_tasks(2, 3, 1, 2, 16, 22);
  ModelOptions m = small_conv("max");
  m.name = name;
  m.filters = 2;
  m.norm = norm;
  check_directions(*maml(m, batch, 2, 0.01, true, "sgd", "support"), batch);
}

TEST_CASE("first order differs from exact, and is the gradient at phi",
          "[learners]") {
  const auto batch = image_tasks(1, 3, 1, 2, 16, 31);
  const auto exact = maml(small_conv("max"), batch, 2, 0.1);
  const auto first = maml(small_conv("max"), batch, 2, 0.1, false);
  CHECK(exact->name() == "maml");
  CHECK(first->name() == "fomaml");
  const auto meta = initial_meta(*exact, 5);
  const auto a = run_gradient(*exact, batch, meta);
  const auto b = run_gradient(*first, batch, meta);
  CHECK(at::allclose(a.losses.loss, b.losses.loss, 1e-12, 1e-12));
  CHECK((a.sums.theta - b.sums.theta).norm().item<double>() >
        0.01 * a.sums.theta.norm().item<double>());

  // At phi: adapt, then one more "meta-gradient" with an inner rate of nothing.
  at::Tensor phi;
  first->adapt(batch, meta, [&](int k, const Phi& p) {
    if (k < 2) return;
    std::vector<at::Tensor> flat;
    for (const auto& t : p.params) flat.push_back(t.detach().flatten());
    phi = at::cat(flat);
  });
  const auto still = maml(small_conv("max"), batch, 1, 1e-300);
  const auto at_phi = run_gradient(*still, batch, {phi, meta.state});
  CHECK(at::allclose(b.sums.theta, at_phi.sums.theta, 1e-9, 1e-12));
}

TEST_CASE("a stack of T tasks equals T single tasks", "[learners]") {
  const std::string name =
      GENERATE("maml", "fomaml", "anil", "boil", "metasgd", "protomaml",
               "reptile", "protonet", "matching", "relation", "siamese");
  INFO(name);
  const auto batch = image_tasks(4, 3, 2, 2, 16, 41);
  LearnerOptions o;
  o.name = name;
  set_inner_steps(o, 3, 0.1);
  if (name == "metalstm") o.width = 5;
  if (name == "reptile") {
    o.inner_optimizer = "adam";
    o.inner_lr = 0.01;
    o.inner_batch = 4;
    o.inner_eps = 1e-3;
  }
  auto model = small_conv("max");
  if (name == "relation") model.pool_blocks = 2;
  const auto learner = make_learner(o, model, batch.shape);
  const auto meta = initial_meta(*learner, 9);
  const auto together = run_gradient(*learner, batch, meta);
  auto theta = at::zeros_like(meta.theta);
  auto state = at::zeros_like(meta.state);
  for (int64_t t = 0; t < 4; ++t) {
    const auto one = run_gradient(*learner, some_tasks(batch, t, 1), meta);
    theta += one.sums.theta;
    state += one.sums.state;
    CHECK(std::abs(
              (one.losses.loss[0] - together.losses.loss[t]).item<double>()) <
          1e-10);
  }
  CHECK((theta - together.sums.theta).abs().max().item<double>() < 1e-10);
  if (state.numel())
    CHECK((state - together.sums.state).abs().max().item<double>() < 1e-10);
}

TEST_CASE("float32 agrees with double", "[learners]") {
  // 5 steps at a high rate amplify rounding; hence a small rate here.
  const auto batch = image_tasks(2, 3, 1, 3, 28, 51);
  ModelOptions model;
  model.filters = 16;
  const auto learner = maml(model, batch, 3, 0.05);
  const auto meta = initial_meta(*learner, 1);
  const auto wide = run_gradient(*learner, batch, meta);
  const auto narrow =
      run_gradient(*learner, to(batch, at::kCPU, at::kFloat),
                   {meta.theta.to(at::kFloat), meta.state.to(at::kFloat)});
  CHECK((narrow.losses.loss.to(at::kDouble) - wide.losses.loss)
            .abs()
            .max()
            .item<double>() < 1e-4);
  CHECK((narrow.sums.theta.to(at::kDouble) - wide.sums.theta)
            .norm()
            .item<double>() < 2e-3 * wide.sums.theta.norm().item<double>());
}

TEST_CASE("norm parameters stay out of the inner loop when asked",
          "[learners]") {
  const auto batch = image_tasks(1, 3, 1, 2, 16, 61);
  LearnerOptions o;
  o.adapt_norm = false;
  o.inner_steps = 2;
  o.inner_lr = 0.1;
  const auto learner = make_learner(o, small_conv("max"), batch.shape);
  const auto meta = initial_meta(*learner, 2);
  const auto& all = learner->spaces().theta.parameters();
  learner->adapt(batch, meta, [&](int k, const Phi& phi) {
    if (k != 2) return;
    for (size_t i = 0; i < all.size(); ++i) {
      const auto before = meta.theta.narrow(0, all[i].offset, all[i].size);
      const bool moved = !at::equal(phi.params[i].detach().flatten(), before);
      CHECK(moved == (all[i].name.find("norm.") == std::string::npos));
    }
  });
  // The outer gradient still reaches them.
  const auto g = run_gradient(*learner, batch, meta).sums.theta;
  const auto& shift = all[learner->spaces().theta.index("block1.norm.shift")];
  CHECK(g.narrow(0, shift.offset, shift.size).abs().max().item<double>() > 0);
}
