// ANIL, BOIL, Meta-SGD and Proto-MAML: MAML but for what the inner loop moves,
// how far, and from where.
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

TEST_CASE("Proto-MAML's meta-gradient equals central differences",
          "[learners]") {
  const auto batch = image_tasks(2, 3, 2, 2, 16, 23);
  check_directions(
      *make_learner(options("protomaml", 2, 0.01), conv(), batch.shape), batch);
}

TEST_CASE("Proto-MAML's first prediction is that of its prototypes",
          "[learners]") {
  const auto batch = image_tasks(2, 3, 2, 2, 16, 24);
  const auto learner =
      make_learner(options("protomaml", 1, 0.01), conv(), batch.shape);
  const auto net = make_network(conv(), batch.shape.input, 3);
  const auto meta = initial_meta(*learner, 3);
  // No head among the meta-parameters.
  CHECK(learner->spaces().theta.count() == net->head_begin());
  learner->adapt(batch, meta, [&](int k, const Phi& phi) {
    if (k > 0) return;
    Norm a, b;
    const auto support = net->body(phi.params, {batch.support.x, {}, {}}, a);
    const auto query = net->body(phi.params, {batch.query.x, {}, {}}, b);
    // Two shots, class-major.
    const auto c = support.view({2, 3, 2, -1}).mean(2);
    const auto distance =
        (query.unsqueeze(2) - c.unsqueeze(1)).square().sum(-1);
    CHECK(at::allclose(learner->predict(phi, batch.query).softmax(-1),
                       (-distance).softmax(-1), 1e-9, 1e-12));
  });
}

TEST_CASE("Proto-MAML's inner step takes the head as a variable of its own",
          "[learners]") {
  const auto batch = image_tasks(1, 3, 2, 2, 16, 26);
  auto o = options("protomaml", 1, 0.01);
  o.adapt = "body";
  const auto learner = make_learner(o, conv(), batch.shape);
  const auto maml = make_learner(
      [&] {
        auto same = o;
        same.name = "maml";
        return same;
      }(),
      conv(), batch.shape);
  const auto meta = initial_meta(*learner, 3);
  std::vector<at::Tensor> flat;
  at::Tensor after;
  learner->adapt(batch, meta, [&](int k, const Phi& phi) {
    if (k == 0)
      for (const auto& p : phi.params) flat.push_back(p.detach().flatten());
    else
      after = phi.params[0].detach().clone();
  });
  // MAML from the same parameters makes the same step.
  maml->adapt(batch, {at::cat(flat), meta.state}, [&](int k, const Phi& phi) {
    if (k == 1) CHECK(at::allclose(phi.params[0], after, 1e-10, 1e-12));
  });
}

TEST_CASE("first order passes through where a task starts and through rates",
          "[learners]") {
  // With the inner gradients held fixed the meta-gradient is exact: a step on a
  // loss that is linear in phi has constant gradients. Here instead: one inner
  // step of a vanishing rate, whose second-order term vanishes with it.
  const auto batch = image_tasks(2, 3, 2, 2, 16, 25);
  auto o = options("protomaml", 1, 1e-9);
  const auto exact = make_learner(o, conv(), batch.shape);
  o.second_order = false;
  const auto first = make_learner(o, conv(), batch.shape);
  const auto meta = initial_meta(*exact, 3);
  const auto a = run_gradient(*exact, batch, meta).sums.theta;
  const auto b = run_gradient(*first, batch, meta).sums.theta;
  CHECK((a - b).norm().item<double>() < 1e-6 * a.norm().item<double>());
  CHECK(a.norm().item<double>() > 0);

  // d L_Q(theta - r g) / d r = -<g, d L_Q / d phi>, g a constant.
  auto m = options("metasgd", 1, 0.1);
  m.second_order = false;
  const auto sgd = make_learner(m, conv(), batch.shape);
  m.second_order = true;
  const auto whole = make_learner(m, conv(), batch.shape);
  const auto start = initial_meta(*sgd, 3);
  const int64_t n = start.theta.numel() / 2;
  const auto rates = [&](const LearnerPtr& l) {
    return run_gradient(*l, batch, start).sums.theta.narrow(0, n, n);
  };
  CHECK(at::allclose(rates(sgd), rates(whole), 1e-9, 1e-12));
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
  o = options("maml", 1, 0.1);
  o.adapt = "tail";
  CHECK_THROWS_AS(make_learner(o, perceptron(), batch.shape), ConfigError);
}
