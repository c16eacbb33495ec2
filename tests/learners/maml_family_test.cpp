// ANIL, BOIL and Meta-SGD: MAML but for what the inner loop moves, and how far.
#include "protean/core/error.h"
#include "protean/learners/make_learner.h"

#include "learners/central_differences.h"
#include "support/catch.h"
#include "support/toy_tasks.h"

using namespace protean;

namespace {

LearnerOptions options(const std::string& name, int steps, double lr) {
  LearnerOptions o;
  o.name = name;
  o.inner_steps = steps;
  o.inner_lr = lr;
  return o;
}

ModelOptions conv() {
  ModelOptions m;
  m.filters = 4;
  return m;
}

ModelOptions perceptron() {
  ModelOptions m;
  m.name = "mlp";
  m.hidden = "12,9";
  m.init = "torch";
  return m;
}

// Which parameters three steps of adaptation have moved, by name.
std::string moved(const Learner& learner, const TaskBatch& batch) {
  const auto meta = initial_meta(learner, 5);
  std::vector<at::Tensor> first;
  std::string out;
  learner.adapt(batch, meta, [&](int k, const Phi& phi) {
    const auto& all = learner.spaces().theta.parameters();
    for (size_t i = 0; i < phi.params.size(); ++i) {
      if (k == 0)
        first.push_back(phi.params[i].detach().clone());
      else if (k == 3 && !at::equal(first[i], phi.params[i]))
        out += all[i].name.substr(0, all[i].name.find('.')) + " ";
    }
  });
  return out;
}

}  // namespace

TEST_CASE("meta-gradients of ANIL, BOIL and Meta-SGD equal central differences",
          "[learners]") {
  const std::string name = GENERATE("anil", "boil", "metasgd");
  const int steps = GENERATE(1, 3);
  INFO(name << ", inner steps " << steps);
  SECTION("conv4") {
    const auto batch = image_tasks(2, 3, 1, 2, 16, 11);
    const auto learner =
        make_learner(options(name, steps, 0.1), conv(), batch.shape);
    CHECK(learner->name() == name);
    check_directions(*learner, batch);
  }
  SECTION("perceptron on values") {
    const auto batch = value_tasks(3, 6, 5, 13);
    check_directions(
        *make_learner(options(name, steps, 0.05), perceptron(), batch.shape),
        batch);
  }
}

TEST_CASE("ANIL moves the head alone, BOIL the body alone", "[learners]") {
  const auto batch = value_tasks(2, 6, 5, 17);
  const auto moves = [&](const char* name) {
    return moved(
        *make_learner(options(name, 3, 0.1), perceptron(), batch.shape), batch);
  };
  CHECK(moves("maml") == "layer1 layer1 layer2 layer2 head head ");
  CHECK(moves("anil") == "head head ");
  CHECK(moves("boil") == "layer1 layer1 layer2 layer2 ");
}

TEST_CASE("Meta-SGD with one rate for all is MAML", "[learners]") {
  const auto batch = image_tasks(2, 3, 1, 2, 16, 19);
  const auto maml = make_learner(options("maml", 2, 0.1), conv(), batch.shape);
  const auto sgd =
      make_learner(options("metasgd", 2, 0.1), conv(), batch.shape);
  const auto meta = initial_meta(*maml, 5);
  const int64_t n = maml->spaces().theta.size();
  REQUIRE(sgd->spaces().theta.size() == 2 * n);
  const auto both = at::cat({meta.theta, at::full({n}, 0.1, at::kDouble)});
  const auto a = run_gradient(*maml, batch, meta);
  const auto b = run_gradient(*sgd, batch, {both, meta.state});
  CHECK(at::allclose(a.losses.loss, b.losses.loss, 1e-12, 1e-12));
  CHECK(at::allclose(a.sums.theta, b.sums.theta.narrow(0, 0, n), 1e-9, 1e-12));
  CHECK(b.sums.theta.narrow(0, n, n).norm().item<double>() > 0);
}

TEST_CASE("Meta-SGD's rates start between 0.05 and 1 times the inner rate",
          "[learners]") {
  const auto batch = value_tasks(1, 4, 4, 1);
  const auto learner =
      make_learner(options("metasgd", 1, 0.1), perceptron(), batch.shape);
  const auto meta = initial_meta(*learner, 5);
  const int64_t n = learner->spaces().theta.size() / 2;
  const auto rates = meta.theta.narrow(0, n, n);
  CHECK(rates.min().item<double>() >= 0.005);
  CHECK(rates.max().item<double>() <= 0.1);
  CHECK(rates.std().item<double>() > 0.02);
  CHECK(learner->spaces().theta.parameters()[6].name == "rate.layer1.weight");
}

TEST_CASE("what Meta-SGD cannot learn rates of is refused", "[learners]") {
  const auto batch = value_tasks(1, 4, 4, 1);
  auto o = options("metasgd", 1, 0.1);
  o.inner_optimizer = "adam";
  CHECK_THROWS_AS(make_learner(o, perceptron(), batch.shape), ConfigError);
  o = options("metasgd", 1, 0.1);
  o.second_order = false;
  CHECK_THROWS_AS(make_learner(o, perceptron(), batch.shape), ConfigError);
  o = options("maml", 1, 0.1);
  o.adapt = "tail";
  CHECK_THROWS_AS(make_learner(o, perceptron(), batch.shape), ConfigError);
}
