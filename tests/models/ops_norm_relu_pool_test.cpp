#include "protean/models/ops/ops.h"

#include "models/ops_agree.h"
#include "support/catch.h"

using namespace protean;
using namespace protean::test;
using ops::Pool;

namespace {

constexpr double kEps = 1e-5;

enum class Scale { positive, negative, mixed, none };

struct Case {
  int64_t n, tasks, channels, h, w;
  bool shared = false;
};

// x, gamma, beta. A fixed seed; differences between values are then far larger
// than what central differences move.
Tensors make(const Case& c, Scale scale) {
  at::manual_seed(3);
  const int64_t sets = c.shared ? 1 : c.tasks;
  auto x = ops::to_stack(
               at::randn({c.tasks, c.n, c.channels, c.h, c.w}, at::kDouble))
               .detach();
  auto gamma = at::rand({sets, c.channels}, at::kDouble) + 0.5;
  if (scale == Scale::negative) gamma = -gamma;
  if (scale == Scale::mixed) gamma = gamma * at::randn_like(gamma).sign();
  auto beta = at::randn({sets, c.channels}, at::kDouble) * 0.3;
  if (scale == Scale::none)
    return {x.requires_grad_(), {}, beta.requires_grad_()};
  return {x.requires_grad_(), gamma.requires_grad_(), beta.requires_grad_()};
}

template <typename Function>
Op batch(Function f, Pool pool, bool moments = false) {
  return [=](const Tensors& in) -> Tensors {
    auto r = f(in[0], in[1], in[2], kEps, pool, at::Tensor());
    if (moments) return {r.y, r.mean, r.variance};
    return {r.y};
  };
}

const std::vector<Case> kCases = {
    {5, 3, 16, 28, 28}, {1, 1, 16, 14, 14}, {7, 2, 32, 7, 7},
    {2, 4, 16, 3, 3},   {3, 2, 48, 5, 8},   {3, 2, 16, 2, 2},
    {3, 3, 112, 4, 5},  {4, 2, 5, 6, 7},    {5, 3, 16, 7, 7, true},
    {40, 1, 16, 5, 5},
};

}  // namespace

TEST_CASE("The fused norm agrees with the plain one to second order",
          "[models][ops]") {
  for (const auto& c : kCases)
    for (auto scale :
         {Scale::positive, Scale::negative, Scale::mixed, Scale::none})
      for (auto pool : {Pool::none, Pool::max2}) {
        CAPTURE(c.n, c.tasks, c.channels, c.h, c.w, c.shared,
                static_cast<int>(scale), static_cast<int>(pool));
        const auto e = disagreement(batch(ops::norm_relu_pool, pool),
                                    batch(ops::reference::norm_relu_pool, pool),
                                    make(c, scale));
        CHECK(e.values < 1e-11);
        CHECK(e.first < 1e-10);
        CHECK(e.second < 1e-10);
      }
}

TEST_CASE("Gradients also flow through the returned moments", "[models][ops]") {
  for (auto pool : {Pool::none, Pool::max2}) {
    const auto e =
        disagreement(batch(ops::norm_relu_pool, pool, true),
                     batch(ops::reference::norm_relu_pool, pool, true),
                     make({3, 2, 16, 7, 6}, Scale::mixed));
    CHECK(e.values < 1e-11);
    CHECK(e.first < 1e-10);
    CHECK(e.second < 1e-10);
  }
}

TEST_CASE("The fused norm leaves padding out of the moments", "[models][ops]") {
  for (const auto& c : kCases)
    for (auto pool : {Pool::none, Pool::max2}) {
      auto weight = at::ones({c.tasks, c.n}, at::kFloat);
      for (int64_t t = 0; t < c.tasks; ++t)
        weight[t].narrow(0, c.n - t % c.n, t % c.n).zero_();
      auto padded = [=](auto f) {
        return Op([=](const Tensors& in) -> Tensors {
          auto r = f(in[0], in[1], in[2], kEps, pool, weight);
          return {r.y, r.mean, r.variance};
        });
      };
      CAPTURE(c.n, c.tasks, c.channels, c.h, c.w, static_cast<int>(pool));
      const auto e = disagreement(padded(ops::norm_relu_pool),
                                  padded(ops::reference::norm_relu_pool),
                                  make(c, Scale::mixed));
      CHECK(e.values < 1e-11);
      CHECK(e.first < 1e-10);
      CHECK(e.second < 1e-10);
    }
}

TEST_CASE("The norm with given moments agrees with the plain one",
          "[models][ops]") {
  for (const auto& c : kCases)
    for (auto scale : {Scale::mixed, Scale::none})
      for (auto pool : {Pool::none, Pool::max2}) {
        CAPTURE(c.n, c.tasks, c.channels, c.h, c.w, static_cast<int>(pool));
        auto inputs = make(c, scale);
        const int64_t sets = c.shared ? 1 : c.tasks;
        inputs.push_back(
            at::randn({sets, c.channels}, at::kDouble).requires_grad_());
        inputs.push_back(
            (at::rand({sets, c.channels}, at::kDouble) + 0.5).requires_grad_());
        auto given = [=](auto f) {
          return Op([=](const Tensors& in) -> Tensors {
            return {f(in[0], in[3], in[4], in[1], in[2], kEps, pool)};
          });
        };
        const auto e =
            disagreement(given(ops::norm_relu_pool_given),
                         given(ops::reference::norm_relu_pool_given), inputs);
        CHECK(e.values < 1e-11);
        CHECK(e.first < 1e-10);
        CHECK(e.second < 1e-10);
      }
}

TEST_CASE("The fused norm rounds like floats", "[models][ops]") {
  for (const Case& c : std::vector<Case>{
           {5, 2, 64, 28, 28}, {75, 1, 64, 14, 14}, {5, 2, 64, 3, 3}})
    for (auto pool : {Pool::none, Pool::max2}) {
      CAPTURE(c.n, c.h, static_cast<int>(pool));
      const auto e = rounding(batch(ops::norm_relu_pool, pool),
                              batch(ops::reference::norm_relu_pool, pool),
                              make(c, Scale::mixed));
      CHECK(e.values < 1e-5);
      CHECK(e.first < 1e-5);
      CHECK(e.second < 3e-5);
    }
}

TEST_CASE("A large mean does not drown the variance", "[models][ops]") {
  auto inputs = make({5, 2, 16, 14, 14}, Scale::positive);
  inputs[0] = (inputs[0].detach() * 0.1 + 300).requires_grad_();
  const auto e =
      rounding(batch(ops::norm_relu_pool, Pool::max2, true),
               batch(ops::reference::norm_relu_pool, Pool::max2, true), inputs);
  // The input itself rounds to 3e-5, against a spread of 0.1.
  CHECK(e.values < 3e-3);
}

TEST_CASE("The norm's gradient is its slope", "[models][ops]") {
  for (auto pool : {Pool::none, Pool::max2})
    CHECK(central_difference_error(batch(ops::norm_relu_pool, pool, true),
                                   make({3, 2, 16, 7, 6}, Scale::mixed)) <
          1e-5);
}

TEST_CASE("The fused norm has a third derivative", "[models][ops]") {
  auto first = [](const Op& op) {
    return Op([=](const Tensors& in) {
      auto y = op(in)[0];
      return torch::autograd::grad({y.square().sum()}, {in[0], in[1], in[2]},
                                   {}, true, true);
    });
  };
  for (auto pool : {Pool::none, Pool::max2}) {
    const auto e =
        disagreement(first(batch(ops::norm_relu_pool, pool)),
                     first(batch(ops::reference::norm_relu_pool, pool)),
                     make({2, 2, 16, 5, 4}, Scale::mixed));
    CHECK(e.worst() < 1e-9);
  }
}

TEST_CASE("A norm lets NaN through", "[models][ops]") {
  auto inputs = make({3, 2, 16, 4, 4}, Scale::positive);
  auto x = inputs[0].detach().clone();
  x[1][1][2][0][0] = NAN;
  for (auto pool : {Pool::none, Pool::max2}) {
    auto y = ops::norm_relu_pool(x, inputs[1], inputs[2], kEps, pool).y;
    CHECK(y.select(1, 1).select(1, 2).isnan().all().item<bool>());
    CHECK_FALSE(y.select(1, 0).isnan().any().item<bool>());
  }
}

TEST_CASE("A norm names shapes that do not fit", "[models][ops]") {
  auto x = at::zeros({2, 3, 16, 5, 5}), beta = at::zeros({3, 16});
  CHECK_THROWS_WITH(
      ops::norm_relu_pool(x, {}, at::zeros({2, 16}), kEps, Pool::max2),
      contains("beta [2, 16]"));
  CHECK_THROWS_WITH(ops::norm_relu_pool(at::zeros({2, 3, 16, 1, 5}), {}, beta,
                                        kEps, Pool::max2),
                    contains("at least 2 pixels a side"));
}
