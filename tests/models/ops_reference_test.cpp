#include "protean/models/ops/ops.h"

#include "support/catch.h"

using namespace protean;

// The plain versions are the yardstick of every other ops test, so they are
// held against textbook loops.

TEST_CASE("The plain convolution is the textbook sum", "[models][ops]") {
  const int64_t n = 2, tasks = 3, in = 2, out = 4, side = 5;
  auto x = at::randn({n, tasks, in, side, side}, at::kDouble);
  for (int64_t shared : {0, 1})
    for (int64_t stride : {1, 2}) {
      auto w = at::randn({shared ? 1 : tasks, out, in, 3, 3}, at::kDouble);
      auto y = ops::reference::conv(x, w, stride);
      const int64_t side_out = (side - 1) / stride + 1;
      REQUIRE(y.sizes() ==
              at::IntArrayRef({n, tasks, out, side_out, side_out}));
      auto padded = at::constant_pad_nd(x, {1, 1, 1, 1});
      for (int64_t t = 0; t < tasks; ++t)
        for (int64_t i = 0; i < side_out; ++i)
          for (int64_t j = 0; j < side_out; ++j) {
            auto window = padded.select(1, t)
                              .narrow(2, i * stride, 3)
                              .narrow(3, j * stride, 3);
            auto want =
                at::tensordot(window, w[shared ? 0 : t], {1, 2, 3}, {1, 2, 3});
            CHECK(at::allclose(y.select(1, t).select(2, i).select(2, j), want,
                               1e-10, 1e-12));
          }
    }
}

TEST_CASE("Padding leaves the moments of real images alone", "[models][ops]") {
  auto x = at::randn({4, 2, 3, 6, 6}, at::kDouble);
  auto beta = at::randn({2, 3}, at::kDouble);
  auto weight = at::ones({2, 4}, at::kDouble);
  weight.select(1, 3).zero_();
  auto padded = ops::reference::norm_relu_pool(x, {}, beta, 1e-5,
                                               ops::Pool::max2, weight);
  auto real = ops::reference::norm_relu_pool(x.narrow(0, 0, 3), {}, beta, 1e-5,
                                             ops::Pool::max2);
  CHECK(at::allclose(padded.mean, real.mean, 1e-12, 1e-14));
  CHECK(at::allclose(padded.variance, real.variance, 1e-12, 1e-14));
  CHECK(at::allclose(padded.y.narrow(0, 0, 3), real.y, 1e-12, 1e-14));
}

TEST_CASE("The batch moments normalise to mean 0 and variance 1",
          "[models][ops]") {
  auto x = at::randn({5, 2, 3, 7, 7}, at::kDouble) * 3 + 1;
  auto shift = at::full({1, 3}, 10.0, at::kDouble);  // keeps the ReLU open
  auto y = ops::reference::norm_relu_pool(x, {}, shift, 0, ops::Pool::none).y;
  CHECK(at::allclose(y.mean({0, 3, 4}), shift.expand({2, 3}), 1e-10, 1e-12));
  CHECK(at::allclose(y.var({0, 3, 4}, false), at::ones({2, 3}, at::kDouble),
                     1e-10, 1e-12));
}

TEST_CASE("Stack layout and back gives features in C, H, W order",
          "[models][ops]") {
  auto x = at::randn({3, 4, 2, 5, 5});
  CHECK(ops::to_stack(x).sizes() == at::IntArrayRef({4, 3, 2, 5, 5}));
  CHECK(at::equal(ops::from_stack(ops::to_stack(x)), x.flatten(2)));
}

TEST_CASE("Losses are means over real examples", "[models][ops]") {
  auto logits = at::randn({2, 4, 5}, at::kDouble);
  auto y = at::randint(5, {2, 4}, at::kLong);
  auto p = at::softmax(logits, -1);
  auto nll = -p.gather(2, y.unsqueeze(2)).squeeze(2).log();
  CHECK(at::allclose(ops::cross_entropy(logits, y, {}), nll.mean(1)));
  auto weight = at::ones({2, 4});
  weight[1][2] = 0;
  auto got = ops::cross_entropy(logits, y, weight);
  CHECK(at::allclose(got[0], nll[0].mean()));
  CHECK(at::allclose(got[1], (nll[1].sum() - nll[1][2]) / 3));

  auto target = at::randn({2, 4, 5}, at::kDouble);
  auto square = (logits - target).square().mean(2);
  CHECK(at::allclose(ops::mean_squared_error(logits, target, {}),
                     square.mean(1)));
  CHECK(at::allclose(ops::mean_squared_error(logits, target, weight)[1],
                     (square[1].sum() - square[1][2]) / 3));
}
