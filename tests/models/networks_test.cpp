// Norms, residual networks and FiLM: against formulas, and their derivatives.
#include <cmath>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include "protean/core/error.h"
#include "protean/core/philox.h"
#include "protean/models/initialise.h"
#include "protean/models/make_network.h"
#include "protean/models/norm_layer.h"
#include "protean/models/params.h"

#include "support/catch.h"

using namespace protean;

namespace {

at::Tensor noise(at::IntArrayRef shape, uint64_t seed) {
  auto t = at::empty(shape, at::kDouble);
  Draws draws(seed, {}, Purpose::test);
  for (int64_t i = 0; i < t.numel(); ++i)
    t.data_ptr<double>()[i] = draws.normal();
  return t;
}

Params initial(const Network& net, bool gradients = false) {
  auto flat = at::empty({net.params().size()}, at::kFloat);
  fill_initial(net.params(), flat.data_ptr<float>(), 3);
  auto wide = flat.to(at::kDouble);
  wide += 0.05 * noise(wide.sizes(), 4);
  auto params = shared_params(net.params(), wide);
  if (gradients)
    for (auto& p : params) p = p.detach().requires_grad_();
  return params;
}

ModelOptions options(const std::string& name, const std::string& norm,
                     int64_t context = 0) {
  ModelOptions m;
  m.name = name;
  m.filters = 2;
  m.norm = norm;
  m.context = context;
  return m;
}

// (n, T, C, H, W) -> y of one layer with scale 1 and shift 0, before ReLU.
at::Tensor standardised(const std::string& kind, const at::Tensor& h,
                        Norm& norm, double blend = 0) {
  ParameterSpace space;
  ModelOptions o;
  o.norm = kind;
  const NormLayer layer(space, "norm", h.size(2), o, 0);
  Params p{at::ones({1, h.size(2)}, at::kDouble),
           at::zeros({1, h.size(2)}, at::kDouble)};
  if (kind == "task")
    p.push_back(at::tensor({0.0, blend}, at::kDouble).unsqueeze(0));
  const auto y = layer.linear(p, h, norm, {});
  Norm again = norm;
  again.moments.clear();
  if (norm.mode == Norm::Mode::given) again.moments = norm.moments;
  // What is fused with ReLU and pooling is the same.
  CHECK(at::allclose(layer(p, h, ops::Pool::none, again, {}), y.relu(), 1e-9,
                     1e-9));
  Norm third = again;
  if (norm.mode == Norm::Mode::batch) third.moments.clear();
  CHECK(at::allclose(layer(p, h, ops::Pool::max2, third, {}),
                     relu_pool(y, ops::Pool::max2), 1e-9, 1e-9));
  return y;
}

}  // namespace

TEST_CASE("norms standardise over what they are named after", "[models]") {
  const auto h = 3 * noise({4, 2, 3, 6, 6}, 1) + 2;
  const auto over = [&](const char* kind, std::vector<int64_t> dims) {
    Norm norm;
    const auto y = standardised(kind, h, norm);
    CHECK(y.mean(dims).abs().max().item<double>() < 1e-9);
    CHECK((y.var(dims, /*unbiased=*/false) - 1).abs().max().item<double>() <
          1e-4);  // eps
    return y;
  };
  const auto batch = over("batch", {0, 3, 4});
  const auto instance = over("instance", {3, 4});
  over("layer", {2, 3, 4});
  Norm norm;
  CHECK(at::allclose(standardised("none", h, norm), h));
  // TaskNorm lies between its two ends.
  CHECK(at::allclose(standardised("task", h, norm, 60), batch, 1e-9, 1e-9));
  CHECK(at::allclose(standardised("task", h, norm, -60), instance, 1e-9, 1e-9));
  const auto between = standardised("task", h, norm, 0.5);
  CHECK_FALSE(at::allclose(between, batch, 1e-2, 1e-2));
  CHECK_FALSE(at::allclose(between, instance, 1e-2, 1e-2));
}

TEST_CASE("given moments take the place of batch moments", "[models]") {
  const std::string kind = GENERATE("batch", "task");
  INFO(kind);
  const auto support = noise({4, 2, 3, 6, 6}, 1),
             query = noise({5, 2, 3, 6, 6}, 2);
  Norm norm;
  norm.record = true;
  standardised(kind, support, norm, 0.5);
  REQUIRE(norm.moments.size() == 1);
  norm.mode = Norm::Mode::given;
  const auto all = standardised(kind, query, norm, 0.5);
  // Each query by itself.
  const auto one = standardised(kind, query.narrow(0, 2, 1), norm, 0.5);
  CHECK(at::allclose(one, all.narrow(0, 2, 1), 1e-10, 1e-10));
  if (kind == "batch") {
    const auto m = support.mean({0, 3, 4}), v = support.var({0, 3, 4}, false);
    const auto want =
        (query - m.unsqueeze(0).unsqueeze(-1).unsqueeze(-1)) /
        (v + 1e-5).sqrt().unsqueeze(0).unsqueeze(-1).unsqueeze(-1);
    CHECK(at::allclose(all, want, 1e-9, 1e-9));
  }
}

TEST_CASE("networks: shapes, stacks, layers that look at a task's images",
          "[models]") {
  const std::string name = GENERATE("conv4", "resnet12", "resnet18");
  const std::string kind =
      GENERATE("batch", "layer", "instance", "task", "none");
  INFO(name << ", " << kind);
  const auto net = make_network(options(name, kind), {1, 16, 16}, 5);
  const auto params = initial(*net);
  const auto x = noise({3, 4, 1, 16, 16}, 5);
  Norm norm;
  norm.record = true;
  const auto features = net->body(params, {x, {}, {}}, norm);
  int64_t f = 1;
  for (int64_t d : net->feature_shape()) f *= d;
  CHECK(features.sizes().vec() == std::vector<int64_t>{3, 4, f});
  CHECK(net->head(params, features).sizes().vec() ==
        std::vector<int64_t>{3, 4, 5});
  const bool batch = kind == "batch" || kind == "task";
  CHECK(net->norm_channels().empty() == !batch);
  REQUIRE(norm.moments.size() == net->norm_channels().size());
  for (size_t i = 0; i < norm.moments.size(); ++i)
    CHECK(norm.moments[i].mean.size(1) == net->norm_channels()[i]);

  // Tasks do not see each other; images do where norms look at them.
  Norm alone;
  CHECK(at::allclose(net->body(params, {x.narrow(0, 1, 1), {}, {}}, alone),
                     features.narrow(0, 1, 1), 1e-9, 1e-10));
  Norm single;
  const bool same =
      at::allclose(net->body(params, {x.narrow(1, 1, 1), {}, {}}, single),
                   features.narrow(1, 1, 1), 1e-9, 1e-10);
  CHECK(same == !batch);

  // Parameters of each task's own give the same.
  Params own;
  for (const auto& p : params) {
    auto shape = p.sizes().vec();
    shape[0] = 3;
    own.push_back(p.expand(shape).contiguous());
  }
  Norm stacked;
  CHECK(at::allclose(net->body(own, {x, {}, {}}, stacked), features, 1e-9,
                     1e-10));
}

TEST_CASE("padded images stay out of a task's moments", "[models]") {
  const std::string name = GENERATE("conv4", "resnet12");
  const std::string kind = GENERATE("batch", "task");
  INFO(name << ", " << kind);
  const auto net = make_network(options(name, kind), {1, 16, 16}, 5);
  const auto params = initial(*net);
  const auto x = noise({2, 4, 1, 16, 16}, 5);
  auto weight = at::ones({2, 4}, at::kDouble);
  weight.select(1, 3).zero_();
  Norm a, b;
  CHECK(at::allclose(net->body(params, {x, weight, {}}, a).narrow(1, 0, 3),
                     net->body(params, {x.narrow(1, 0, 3), {}, {}}, b), 1e-9,
                     1e-10));
}

TEST_CASE("FiLM modulates by task, and is nothing at zero", "[models]") {
  const std::string name = GENERATE("conv4", "resnet12", "resnet18");
  INFO(name);
  const auto with = make_network(options(name, "batch", 3), {1, 16, 16}, 5);
  const auto without = make_network(options(name, "batch"), {1, 16, 16}, 5);
  CHECK(with->context_size() == 3);
  const auto params = initial(*with);
  Params plain;
  for (const auto& p : without->params().parameters())
    plain.push_back(params[with->params().index(p.name)]);
  const auto x = noise({2, 4, 1, 16, 16}, 5);
  auto context = at::zeros({2, 3}, at::kDouble);
  // A zero context leaves the biases, which start at zero.
  auto level = params;
  for (size_t i = 0; i < level.size(); ++i)
    if (with->params().parameters()[i].name.ends_with("film.bias"))
      level[i] = at::zeros_like(level[i]);
  Norm a, b, c;
  const auto base = without->body(plain, {x, {}, {}}, a);
  CHECK(
      at::allclose(with->body(level, {x, {}, context}, b), base, 1e-10, 1e-10));
  context[1] += 1;
  const auto moved = with->body(level, {x, {}, context}, c);
  CHECK(at::allclose(moved[0], base[0], 1e-10, 1e-10));
  CHECK_FALSE(at::allclose(moved[1], base[1], 1e-3, 1e-3));
}

TEST_CASE("second derivatives of networks equal central differences",
          "[models]") {
  const std::string name = GENERATE("conv4", "resnet12", "resnet18");
  const std::string kind = GENERATE("batch", "layer", "task");
  INFO(name << ", " << kind);
  const auto net = make_network(options(name, kind, 2), {1, 16, 16}, 3);
  const auto x = noise({2, 3, 1, 16, 16}, 6), u = noise({2, 3, 3}, 7);
  const auto context = noise({2, 2}, 8);
  const auto params = initial(*net, true);
  Params d;
  for (size_t i = 0; i < params.size(); ++i)
    d.push_back(noise(params[i].sizes(), 20 + i) /
                std::sqrt(static_cast<double>(net->params().size())));
  // s = <grad f, d>; its derivative along d by its graph and by differences.
  const auto slope = [&](const Params& p, bool graph) {
    Norm norm;
    const auto f = (net->forward(p, {x, {}, context}, norm) * u).sum().tanh();
    const auto g = torch::autograd::grad({f}, p, {}, graph, graph);
    auto s = at::zeros({}, at::kDouble);
    for (size_t i = 0; i < g.size(); ++i) s = s + (g[i] * d[i]).sum();
    return s;
  };
  const auto second =
      torch::autograd::grad({slope(params, true)}, params, {}, {}, false, true);
  double analytic = 0;
  for (size_t i = 0; i < params.size(); ++i)
    if (second[i].defined())
      analytic += (second[i] * d[i]).sum().item<double>();
  double best = 1;
  for (double h : {1e-4, 1e-5, 1e-6}) {
    const auto moved = [&](double step) {
      Params p;
      for (size_t i = 0; i < params.size(); ++i)
        p.push_back((params[i] + step * d[i]).detach().requires_grad_());
      return slope(p, false).item<double>();
    };
    const double numeric = (moved(h) - moved(-h)) / (2 * h);
    best = std::min(best, std::abs(numeric - analytic) /
                              std::max(std::abs(analytic), 1e-3));
  }
  CHECK(best < 1e-5);
}

TEST_CASE("impossible networks name their key", "[models]") {
  CHECK_THROWS_WITH(make_network(options("conv4", "group"), {1, 28, 28}, 5),
                    contains("model.norm = \"group\"; expected one of"));
  ModelOptions dense;
  dense.name = "mlp";
  dense.norm = "layer";
  CHECK_THROWS_WITH(make_network(dense, {1}, 1),
                    contains("model.norm = \"layer\""));
  CHECK_THROWS_WITH(make_network(options("resnet18", "batch"), {1, 8, 8}, 5),
                    contains("at least 16x16"));
  CHECK_THROWS_WITH(make_network(options("resnet50", "batch"), {1, 28, 28}, 5),
                    contains("expected one of: conv4, resnet12, resnet18"));
}
