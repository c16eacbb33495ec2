#include "protean/models/ops/ops.h"

#include "models/ops_agree.h"
#include "support/catch.h"

using namespace protean;
using namespace protean::test;

namespace {

Op fast(int64_t stride) {
  return [=](const Tensors& in) -> Tensors {
    return {ops::conv(in[0], in[1], stride)};
  };
}

Op plain(int64_t stride) {
  return [=](const Tensors& in) -> Tensors {
    return {ops::reference::conv(in[0], in[1], stride)};
  };
}

struct Case {
  int64_t n, tasks, in, out, h, w;
  bool shared = false;
  int64_t kernel = 3;
};

Tensors make(const Case& c, bool image_gradient = true) {
  at::manual_seed(7);
  auto x = at::randn({c.tasks, c.n, c.in, c.h, c.w}, at::kDouble);
  auto w = at::randn({c.shared ? 1 : c.tasks, c.out, c.in, c.kernel, c.kernel},
                     at::kDouble);
  return {ops::to_stack(x).detach().requires_grad_(image_gradient),
          w.requires_grad_()};
}

}  // namespace

TEST_CASE("The fast convolution agrees with the plain one to second order",
          "[models][ops]") {
  // Channels that fill vectors, that do not, and thin ones; sides from one
  // pixel on; images that split evenly over tiles and that do not.
  const std::vector<Case> cases = {
      {1, 1, 16, 16, 5, 5},
      {5, 2, 16, 32, 7, 7},
      {2, 1, 32, 16, 14, 14},
      {7, 2, 16, 16, 3, 3},
      {1, 1, 16, 16, 15, 13},
      {4, 2, 16, 48, 4, 4},
      {2, 3, 16, 16, 2, 2},
      {2, 2, 16, 16, 1, 1},
      {2, 2, 16, 16, 9, 6},
      {3, 2, 16, 16, 6, 11},
      {2, 2, 3, 5, 7, 7},
      {2, 2, 1, 16, 28, 28},
      {3, 4, 1, 64, 9, 9},
      {2, 2, 3, 32, 8, 7},
      {3, 4, 16, 16, 7, 7, true},
      {2, 3, 1, 16, 7, 7, true},
      {2, 3, 4, 6, 5, 5, true},
      {40, 1, 16, 16, 5, 5},
      {1, 1, 80, 112, 5, 5},
      // Other squares than 3x3.
      {2, 2, 16, 16, 7, 7, false, 1},
      {2, 3, 4, 6, 5, 5, true, 1},
      {2, 2, 3, 16, 9, 8, false, 7},
      {2, 2, 1, 5, 6, 6, true, 5},
  };
  for (const auto& c : cases)
    for (int64_t stride : {1, 2}) {
      CAPTURE(c.n, c.tasks, c.in, c.out, c.h, c.w, c.shared, stride);
      const auto e = disagreement(fast(stride), plain(stride), make(c));
      CHECK(e.values < 1e-12);
      CHECK(e.first < 1e-12);
      CHECK(e.second < 1e-12);
    }
}

TEST_CASE("The fast convolution rounds like a float sum", "[models][ops]") {
  for (const Case& c : std::vector<Case>{{5, 2, 64, 64, 14, 14},
                                         {5, 2, 64, 64, 7, 7},
                                         {5, 2, 64, 64, 3, 3},
                                         {3, 2, 1, 64, 28, 28}})
    for (int64_t stride : {1, 2}) {
      CAPTURE(c.in, c.h, stride);
      const auto e = rounding(fast(stride), plain(stride), make(c));
      CHECK(e.worst() < 3e-6);
    }
}

TEST_CASE("Images need no gradient", "[models][ops]") {
  for (int64_t in : {1, 16}) {
    const auto inputs = make({3, 2, in, 16, 7, 7}, /*image_gradient=*/false);
    CHECK(disagreement(fast(1), plain(1), inputs).worst() < 1e-12);
  }
}

TEST_CASE("Weights may be an expanded view", "[models][ops]") {
  auto inputs = make({3, 4, 16, 16, 7, 7, true});
  auto expanded = [](const Op& op) {
    return Op([=](const Tensors& in) {
      return op({in[0], in[1].expand({4, -1, -1, -1, -1})});
    });
  };
  CHECK(disagreement(expanded(fast(1)), plain(1), inputs).worst() < 1e-12);
}

TEST_CASE("The convolution's gradient is its slope", "[models][ops]") {
  CHECK(central_difference_error(fast(1), make({2, 2, 16, 16, 7, 7})) < 1e-6);
  CHECK(central_difference_error(fast(2), make({2, 2, 16, 16, 7, 7})) < 1e-6);
}

TEST_CASE("The convolution has a third derivative", "[models][ops]") {
  auto first = [](const Op& op) {
    return Op([=](const Tensors& in) {
      auto y = op({in[0], in[1]})[0];
      return torch::autograd::grad({y.square().sum()}, {in[0], in[1]}, {}, true,
                                   true);
    });
  };
  const auto inputs = make({2, 2, 16, 16, 5, 5});
  CHECK(disagreement(first(fast(1)), first(plain(1)), inputs).worst() < 1e-12);
}

TEST_CASE("Equal inputs give equal bits", "[models][ops]") {
  auto inputs = make({5, 3, 16, 16, 7, 7});
  auto a = differentiate(fast(1), inputs), b = differentiate(fast(1), inputs);
  for (size_t i = 0; i < a.second.size(); ++i)
    CHECK(at::equal(a.second[i], b.second[i]));
}

TEST_CASE("A convolution names shapes that do not fit", "[models][ops]") {
  auto x = at::zeros({2, 3, 4, 5, 5});
  CHECK_THROWS_WITH(ops::conv(x, at::zeros({2, 8, 4, 3, 3}), 1),
                    contains("[2, 3, 4, 5, 5]"));
  CHECK_THROWS_WITH(ops::conv(x, at::zeros({3, 8, 5, 3, 3}), 1),
                    contains("weights [3, 8, 5, 3, 3]"));
  CHECK_THROWS_WITH(ops::conv(x, at::zeros({3, 8, 4, 3, 3}), 3),
                    contains("stride 3; expected 1 or 2"));
}
