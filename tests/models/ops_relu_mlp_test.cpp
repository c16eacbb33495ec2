#include "protean/models/ops/ops.h"

#include "models/ops_agree.h"
#include "support/catch.h"

using namespace protean;
using namespace protean::test;

namespace {

struct Case {
  int64_t tasks, n;
  std::vector<int64_t> width;
  bool shared = false, input_gradient = true;
};

// x, then weights, then biases.
Tensors make(const Case& c) {
  at::manual_seed(5);
  Tensors in{at::randn({c.tasks, c.n, c.width[0]}, at::kDouble)};
  in[0].requires_grad_(c.input_gradient);
  const int64_t sets = c.shared ? 1 : c.tasks;
  const size_t layers = c.width.size() - 1;
  for (size_t l = 1; l <= layers; ++l)
    in.push_back(at::randn({sets, c.width[l], c.width[l - 1]}, at::kDouble)
                     .requires_grad_());
  for (size_t l = 1; l <= layers; ++l)
    in.push_back(at::randn({sets, c.width[l]}, at::kDouble).requires_grad_());
  return in;
}

template <typename Function>
Op network(Function f) {
  return [=](const Tensors& in) -> Tensors {
    const auto middle = in.begin() + 1 + (in.size() - 1) / 2;
    return {
        f(in[0], Tensors(in.begin() + 1, middle), Tensors(middle, in.end()))};
  };
}

const Op kFast = network(ops::relu_mlp);
const Op kPlain = network(ops::reference::relu_mlp);

}  // namespace

TEST_CASE("The fused network agrees with the plain one to second order",
          "[models][ops]") {
  for (const auto& c : std::vector<Case>{
           {25, 10, {1, 40, 40, 1}, false, false},
           {3, 10, {1, 40, 40, 1}},
           {1, 1, {3, 5, 2}},
           {4, 7, {16, 32, 16}},
           {2, 3, {5, 4}},
           {2, 3, {5, 4}, false, false},
           {3, 6, {2, 17, 9, 33, 3}},
           {3, 6, {2, 17, 9, 33, 3}, true},
           {25, 10, {1, 40, 40, 1}, true, false},
           {2, 5, {100, 64, 64, 5}},
           {2, 5, {150, 64, 7}},
       }) {
    CAPTURE(c.tasks, c.n, c.width, c.shared, c.input_gradient);
    const auto e = disagreement(kFast, kPlain, make(c));
    CHECK(e.values < 1e-12);
    CHECK(e.first < 1e-11);
    CHECK(e.second < 1e-11);
  }
}

TEST_CASE("Tasks may share some of the parameters, by size or by stride",
          "[models][ops]") {
  auto in = make({4, 6, {2, 17, 3}});
  in[1] = in[1].detach().narrow(0, 0, 1).clone().requires_grad_();
  in[4] = in[4].detach().narrow(0, 0, 1).clone().requires_grad_();
  CHECK(disagreement(kFast, kPlain, in).worst() < 1e-11);
  auto expanded = [](const Op& op) {
    return Op([=](const Tensors& in) {
      auto out = in;
      for (size_t i = 1; i < out.size(); ++i) {
        auto sizes = out[i].sizes().vec();
        sizes[0] = in[0].size(0);
        out[i] = out[i].expand(sizes);
      }
      return op(out);
    });
  };
  in = make({4, 6, {2, 17, 3}, true});
  CHECK(disagreement(expanded(kFast), kPlain, in).worst() < 1e-11);
}

TEST_CASE("Only some parameters need a gradient", "[models][ops]") {
  auto in = make({3, 6, {2, 17, 9, 3}, false, false});
  for (size_t i : {1, 4, 5}) in[i] = in[i].detach();
  CHECK(disagreement(kFast, kPlain, in).worst() < 1e-11);
}

TEST_CASE("The fused network rounds like floats", "[models][ops]") {
  const auto e =
      rounding(kFast, kPlain, make({25, 10, {1, 40, 40, 1}, false, false}));
  CHECK(e.worst() < 1e-5);
}

TEST_CASE("The network's gradient is its slope", "[models][ops]") {
  CHECK(central_difference_error(kFast, make({3, 5, {3, 20, 8, 2}})) < 1e-5);
}

TEST_CASE("The fused network has a third derivative", "[models][ops]") {
  auto first = [](const Op& op) {
    return Op([=](const Tensors& in) {
      return torch::autograd::grad({op(in)[0].square().sum()}, in, {}, true,
                                   true);
    });
  };
  CHECK(disagreement(first(kFast), first(kPlain), make({2, 5, {3, 20, 8, 2}}))
            .worst() < 1e-9);
}

TEST_CASE("A network names the layer that does not fit", "[models][ops]") {
  auto in = make({3, 6, {2, 17, 3}});
  CHECK_THROWS_WITH(
      ops::relu_mlp(in[0], {in[1], at::zeros({3, 3, 16})}, {in[3], in[4]}),
      contains("layer 1 has weights [3, 3, 16]"));
}

namespace {

// The inputs of a network, then targets of its outputs.
Tensors with_targets(Tensors in) {
  const auto middle = in.size() / 2;
  in.push_back(at::randn({in[0].size(0), in[0].size(1), in[middle].size(1)},
                         at::kDouble));
  return in;
}

template <typename Function>
Op descent(Function f, at::Tensor weight = {}) {
  return [=](const Tensors& in) -> Tensors {
    const auto middle = in.begin() + 1 + (in.size() - 2) / 2;
    return f(in[0], in.back(), weight, Tensors(in.begin() + 1, middle),
             Tensors(middle, in.end() - 1), 0.3);
  };
}

}  // namespace

TEST_CASE("The fused descent agrees with the plain one to second order",
          "[models][ops]") {
  for (const auto& c : std::vector<Case>{
           {25, 10, {1, 40, 40, 1}, false, false},
           {25, 10, {1, 40, 40, 1}, true, false},
           {1, 1, {3, 5, 2}, false, false},
           {2, 3, {5, 4}, false, false},
           {3, 6, {2, 17, 9, 33, 3}, false, false},
           {3, 6, {2, 17, 3}},
           {2, 5, {150, 64, 7}, false, false},
       }) {
    CAPTURE(c.tasks, c.n, c.width, c.shared, c.input_gradient);
    auto weight = at::ones({c.tasks, c.n});
    if (c.n > 1) weight.select(1, c.n - 1).zero_();
    for (const auto& w : {at::Tensor(), weight}) {
      const auto e = disagreement(descent(ops::relu_mlp_descent, w),
                                  descent(ops::reference::relu_mlp_descent, w),
                                  with_targets(make(c)));
      CHECK(e.values < 1e-12);
      CHECK(e.first < 1e-11);
      CHECK(e.second < 1e-11);
    }
  }
}

TEST_CASE("The fused squared error agrees with the plain one to second order",
          "[models][ops]") {
  auto error = [](auto f, at::Tensor weight) -> Op {
    return [=](const Tensors& in) -> Tensors {
      const auto middle = in.begin() + 1 + (in.size() - 2) / 2;
      return {f(in[0], in.back(), weight, Tensors(in.begin() + 1, middle),
                Tensors(middle, in.end() - 1))};
    };
  };
  auto plain = [](const at::Tensor& x, const at::Tensor& y,
                  const at::Tensor& weight, const Tensors& w,
                  const Tensors& b) {
    return ops::reference::mean_squared_error(ops::reference::relu_mlp(x, w, b),
                                              y, weight);
  };
  for (const auto& c : std::vector<Case>{
           {25, 10, {1, 40, 40, 1}, false, false},
           {25, 10, {1, 40, 40, 1}, true, false},
           {2, 3, {5, 4}, false, false},
           {3, 6, {2, 17, 3}},
           {2, 5, {150, 64, 7}, false, false},
       }) {
    CAPTURE(c.tasks, c.n, c.width, c.shared, c.input_gradient);
    auto weight = at::ones({c.tasks, c.n});
    weight.select(1, c.n - 1).zero_();
    for (const auto& w : {at::Tensor(), weight}) {
      const auto e = disagreement(error(ops::relu_mlp_squared_error, w),
                                  error(plain, w), with_targets(make(c)));
      CHECK(e.values < 1e-12);
      CHECK(e.first < 1e-11);
      CHECK(e.second < 1e-11);
    }
  }
}

TEST_CASE("A descent without gradients takes the same step", "[models][ops]") {
  auto in = with_targets(make({3, 6, {2, 17, 3}, false, false}));
  auto with = descent(ops::relu_mlp_descent)(in);
  at::NoGradGuard no_grad;
  auto without = descent(ops::relu_mlp_descent)(in);
  auto plain = descent(ops::reference::relu_mlp_descent)(in);
  for (size_t i = 0; i < with.size(); ++i) {
    CHECK_FALSE(without[i].requires_grad());
    CHECK(at::equal(with[i], without[i]));
    CHECK(relative_error(plain[i], without[i]) < 1e-12);
  }
}

TEST_CASE("The descent's gradient is its slope", "[models][ops]") {
  CHECK(central_difference_error(
            descent(ops::relu_mlp_descent),
            with_targets(make({3, 5, {3, 20, 8, 2}, false, false}))) < 1e-5);
}

TEST_CASE("A linear layer agrees with the plain one to second order",
          "[models][ops]") {
  auto op = [](auto f, bool bias) {
    return Op([=](const Tensors& in) -> Tensors {
      return {f(in[0], in[1], bias ? in[2] : at::Tensor())};
    });
  };
  for (bool shared : {false, true})
    for (bool bias : {false, true}) {
      auto in = make({3, 6, {7, 4}, shared});
      if (!bias) in.pop_back();
      CHECK(disagreement(op(ops::linear, bias),
                         op(ops::reference::linear, bias), in)
                .worst() < 1e-12);
    }
}

TEST_CASE("Losses agree with the plain ones to second order", "[models][ops]") {
  at::manual_seed(2);
  auto p = at::randn({3, 6, 4}, at::kDouble).requires_grad_();
  auto y = at::randn({3, 6, 4}, at::kDouble).requires_grad_();
  auto labels = at::randint(4, {3, 6}, at::kLong);
  auto weight = at::ones({3, 6});
  weight[0][5] = 0;
  weight[2][1] = 0;
  for (const auto& w : {at::Tensor(), weight}) {
    auto squared = [&](auto f) {
      return Op(
          [=](const Tensors& in) -> Tensors { return {f(in[0], in[1], w)}; });
    };
    auto entropy = [&](auto f) {
      return Op(
          [=](const Tensors& in) -> Tensors { return {f(in[0], labels, w)}; });
    };
    CHECK(disagreement(squared(ops::mean_squared_error),
                       squared(ops::reference::mean_squared_error), {p, y})
              .worst() < 1e-12);
    CHECK(disagreement(entropy(ops::cross_entropy),
                       entropy(ops::reference::cross_entropy), {p})
              .worst() < 1e-12);
  }
}
