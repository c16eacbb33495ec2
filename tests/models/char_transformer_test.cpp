// The character model: causal, the same stacked as alone, and its derivatives,
// up to second order, against central differences.
#include <cmath>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include "protean/core/error.h"
#include "protean/models/initialise.h"
#include "protean/models/make_network.h"
#include "protean/models/params.h"

#include "support/catch.h"
#include "support/toy_tasks.h"

using namespace protean;

namespace {

ModelOptions tiny(int64_t context = 0) {
  ModelOptions o;
  o.name = "transformer";
  o.width = 8;
  o.layers = 2;
  o.heads = 2;
  o.context = context;
  return o;
}

at::Tensor theta_of(const Network& net, uint64_t seed) {
  auto theta = at::zeros({net.params().size()}, at::kFloat);
  fill_initial(net.params(), theta.data_ptr<float>(), seed);
  // Off the special values of norms and biases.
  return theta.to(at::kDouble) + 0.1 * noise({net.params().size()}, seed + 1);
}

at::Tensor rows(int64_t tasks, int64_t n, int64_t length) {
  auto x = at::empty({tasks, n, length}, at::kDouble);
  for (int64_t i = 0; i < x.numel(); ++i)
    x.data_ptr<double>()[i] = static_cast<double>((i * 7 + i / 3) % 5);
  return x;
}

}  // namespace

TEST_CASE("a character sees what is before it and nothing after", "[models]") {
  const auto net = make_network(tiny(), {6}, 5);
  const auto p = shared_params(net->params(), theta_of(*net, 3));
  const auto x = rows(1, 2, 6);
  auto other = x.clone();
  other[0][1][3] = 4 - other[0][1][3];
  Norm norm;
  const auto a = net->forward(p, {x, {}, {}}, norm).view({2, 6, 5});
  const auto b = net->forward(p, {other, {}, {}}, norm).view({2, 6, 5});
  CHECK(at::equal(a[0], b[0]));
  CHECK(at::equal(a[1].narrow(0, 0, 3), b[1].narrow(0, 0, 3)));
  for (int64_t i = 3; i < 6; ++i)
    CHECK((a[1][i] - b[1][i]).abs().max().item<double>() > 1e-6);
  // A shorter row is the front of a longer one.
  const auto front =
      net->forward(p, {x.narrow(2, 0, 4).contiguous(), {}, {}}, norm)
          .view({2, 4, 5});
  CHECK(at::allclose(front, a.narrow(1, 0, 4), 1e-12, 1e-12));
}

TEST_CASE("stacked tasks give what each gives alone", "[models]") {
  const auto net = make_network(tiny(3), {4}, 5);
  const auto flat = at::stack({theta_of(*net, 3), theta_of(*net, 9)});
  const auto context = noise({2, 3}, 5);
  const auto x = rows(2, 3, 4);
  Params stacked;
  for (const auto& q : net->params().parameters()) {
    std::vector<int64_t> shape{2};
    shape.insert(shape.end(), q.shape.begin(), q.shape.end());
    stacked.push_back(flat.narrow(1, q.offset, q.size).reshape(shape));
  }
  Norm norm;
  const auto both = net->forward(stacked, {x, {}, context}, norm);
  CHECK(both.sizes() == at::IntArrayRef({2, 12, 5}));
  for (int64_t t = 0; t < 2; ++t) {
    const auto alone =
        net->forward(shared_params(net->params(), flat[t]),
                     {x.narrow(0, t, 1), {}, context.narrow(0, t, 1)}, norm);
    CHECK(at::allclose(alone[0], both[t], 1e-10, 1e-12));
  }
}

TEST_CASE("the derivative of its gradient agrees with differences",
          "[models]") {
  const auto net = make_network(tiny(2), {4}, 5);
  const auto theta = theta_of(*net, 4);
  const auto context = noise({1, 2}, 6);
  const auto x = rows(1, 2, 4);
  const auto weights = noise({1, 8, 5}, 7);
  const auto direction = noise({theta.numel()}, 8);
  // h(theta) = < d loss / d theta, direction >, and its own gradient.
  const auto run = [&](const at::Tensor& at_theta, bool second) {
    auto flat = at_theta.clone().requires_grad_();
    Params p;
    for (const auto& q : net->params().parameters()) {
      std::vector<int64_t> shape{1};
      shape.insert(shape.end(), q.shape.begin(), q.shape.end());
      p.push_back(flat.narrow(0, q.offset, q.size).view(shape));
    }
    Norm norm;
    const auto loss =
        (net->forward(p, {x, {}, context}, norm).tanh() * weights).sum();
    const auto g =
        torch::autograd::grad({loss}, {flat}, {}, true, /*create_graph=*/true);
    const auto h = (g[0] * direction).sum();
    if (!second) return std::pair(h.detach(), at::Tensor());
    return std::pair(h.detach(), torch::autograd::grad({h}, {flat})[0]);
  };
  const auto exact = run(theta, true).second;
  const auto probe = noise({theta.numel()}, 9);
  const double e = 2e-6;
  const double difference = (run(theta + e * probe, false).first -
                             run(theta - e * probe, false).first)
                                .item<double>() /
                            (2 * e);
  CHECK((exact * probe).sum().item<double>() ==
        Approx(difference).epsilon(1e-6));
}

TEST_CASE("sizes that do not fit are refused", "[models]") {
  auto o = tiny();
  o.heads = 3;
  CHECK_THROWS_AS(make_network(o, {4}, 5), ConfigError);
  o = tiny();
  o.layers = 0;
  CHECK_THROWS_AS(make_network(o, {4}, 5), ConfigError);
  CHECK_THROWS_AS(make_network(tiny(), {1, 28, 28}, 5), ConfigError);
  o = tiny();
  o.name = "mlp";
  CHECK_THROWS_AS(make_network(o, {4}, 5), ConfigError);
}
