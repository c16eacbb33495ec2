// Options of unrolled inner loops: recomputed steps, truncation, annealing of
// the order, the proximal term.
#include "protean/core/error.h"
#include "protean/learners/make_learner.h"

#include "learners/central_differences.h"
#include "support/catch.h"
#include "support/toy_tasks.h"

using namespace protean;

namespace {

LearnerOptions options(const std::string& name) {
  LearnerOptions o;
  o.name = name;
  o.inner_steps = 3;
  o.inner_lr = 0.05;
  return o;
}

ModelOptions conv() {
  ModelOptions m;
  m.filters = 4;
  return m;
}

ModelOptions perceptron(int64_t context = 0) {
  ModelOptions m;
  m.name = "mlp";
  m.hidden = "12,9";
  m.init = "torch";
  m.context = context;
  return m;
}

at::Tensor gradient(const LearnerOptions& o, const ModelOptions& m,
                    const TaskBatch& batch) {
  const auto learner = make_learner(o, m, batch.shape);
  return run_gradient(*learner, batch,
                      initial_meta(*learner, 3, batch.support.x.scalar_type()))
      .sums.theta;
}

}  // namespace

TEST_CASE("recomputed inner steps give the same bits", "[learners]") {
  const std::string name = GENERATE("maml", "anil", "boil", "metasgd", "mamlpp",
                                    "protomaml", "metalstm", "cavia");
  const std::string optimizer = GENERATE("sgd", "adam");
  const bool own_steps =
      name == "metasgd" || name == "mamlpp" || name == "metalstm";
  if (own_steps && optimizer == "adam") return;
  INFO(name << ", " << optimizer);
  auto o = options(name);
  o.inner_optimizer = optimizer;
  if (name == "metalstm") o.width = 5;
  auto kept = o;
  kept.checkpoint = true;
  const int64_t context = name == "cavia" ? 3 : 0;
  if (name != "cavia") {
    const auto images = image_tasks(2, 3, 1, 2, 16, 11, at::kFloat);
    const auto a = gradient(o, conv(), images);
    CHECK(at::equal(a, gradient(kept, conv(), images)));
    CHECK(a.norm().item<double>() > 0);
  }
  if (name == "protomaml") return;
  const auto values = value_tasks(3, 6, 5, 13, at::kFloat);
  CHECK(at::equal(gradient(o, perceptron(context), values),
                  gradient(kept, perceptron(context), values)));
}

TEST_CASE("a truncated unroll runs from first order to exact", "[learners]") {
  const auto batch = image_tasks(2, 3, 1, 2, 16, 12);
  auto o = options("maml");
  const auto exact = gradient(o, conv(), batch);
  o.truncate = 3;
  CHECK(at::equal(exact, gradient(o, conv(), batch)));
  o.truncate = 1;
  const auto one = gradient(o, conv(), batch);
  o.truncate = 2;
  const auto two = gradient(o, conv(), batch);
  const auto none = gradient(options("fomaml"), conv(), batch);
  const auto away = [&](const at::Tensor& g) {
    return (g - exact).norm().item<double>();
  };
  CHECK(away(two) > 0);
  CHECK(away(two) < away(one));
  CHECK(away(one) < away(none));

  // By hand: first-order steps to phi_2, and MAML of one step from there.
  const auto walk = make_learner(options("maml"), conv(), batch.shape);
  const auto meta = initial_meta(*walk, 3);
  for (int64_t t = 0; t < 2; ++t) {
    const auto task = some_tasks(batch, t, 1);
    at::Tensor phi;
    walk->adapt(task, meta, [&](int k, const Phi& p) {
      if (k != 2) return;
      std::vector<at::Tensor> flat;
      for (const auto& x : p.params) flat.push_back(x.detach().flatten());
      phi = at::cat(flat);
    });
    auto last = options("maml");
    last.inner_steps = 1;
    const auto step = make_learner(last, conv(), batch.shape);
    o.truncate = 1;
    CHECK(at::allclose(gradient(o, conv(), task),
                       run_gradient(*step, task, {phi, meta.state}).sums.theta,
                       1e-9, 1e-12));
  }
}

TEST_CASE("the first meta-steps are first order when asked", "[learners]") {
  auto batch = value_tasks(2, 6, 5, 14);
  auto o = options("maml");
  o.first_order_steps = 10;
  const auto plain = [&](const char* name) {
    return gradient(options(name), perceptron(), batch);
  };
  CHECK(at::equal(gradient(o, perceptron(), batch), plain("fomaml")));
  for (auto& id : batch.ids) id.step = 10;
  CHECK(at::equal(gradient(o, perceptron(), batch), plain("maml")));
}

TEST_CASE("the proximal term pulls phi to theta", "[learners]") {
  const auto batch = value_tasks(2, 6, 5, 15);
  auto o = options("maml");
  o.proximal = 2;
  check_directions(*make_learner(o, perceptron(), batch.shape), batch);
  const auto moved = [&](double strength) {
    o.proximal = strength;
    const auto learner = make_learner(o, perceptron(), batch.shape);
    at::Tensor first, last;
    learner->adapt(batch, initial_meta(*learner, 3), [&](int k, const Phi& p) {
      (k == 0 ? first : last) = p.params[0].detach().clone();
    });
    return (last - first).norm().item<double>();
  };
  CHECK(moved(5) < moved(0.5));
  CHECK(moved(0.5) < moved(0));
}

TEST_CASE("options of unrolled loops are refused where they do nothing",
          "[learners]") {
  const auto values = value_tasks(1, 4, 4, 1);
  const auto refused = [&](const LearnerOptions& o, const char* key) {
    CHECK_THROWS_WITH(make_learner(o, perceptron(), values.shape),
                      contains(key));
  };
  auto o = options("fomaml");
  o.checkpoint = true;
  refused(o, "learner.checkpoint = true");
  o = options("fomaml");
  o.truncate = 1;
  refused(o, "learner.truncate = 1");
  o = options("maml");
  o.truncate = 4;
  refused(o, "learner.truncate = 4; expected 0 to learner.inner_steps = 3");
  o = options("reptile");
  o.checkpoint = true;
  refused(o,
          "learner.checkpoint = true does nothing with learner.name = reptile; "
          "it is read by: maml, anil, boil, metasgd, mamlpp, protomaml, "
          "metalstm, cavia");
  o = options("maml");
  o.temperature = 0.5;
  refused(o, "learner.temperature = 0.5");
  o = options("fomaml");
  o.first_order_steps = 5;
  refused(o, "learner.first_order_steps = 5");
  CHECK_THROWS_WITH(
      make_learner(options("maml"), perceptron(2), values.shape),
      contains("model.context = 2 does nothing with learner.name = maml; it is "
               "read by: cavia"));
}
