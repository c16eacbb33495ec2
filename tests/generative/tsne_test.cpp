#include "protean/generative/analysis/tsne.h"

#include <ATen/Parallel.h>

#include "protean/core/error.h"

#include "support/catch.h"
#include "support/toy_tasks.h"

using namespace protean;

namespace {

// Share of points whose nearest other point has their label.
double neighbours_agree(const at::Tensor& x, const at::Tensor& labels) {
  auto d = at::cdist(x, x);
  d.fill_diagonal_(1e30);
  return labels.index_select(0, d.argmin(1))
      .eq(labels)
      .to(at::kDouble)
      .mean()
      .item<double>();
}

}  // namespace

TEST_CASE("every row of neighbour shares has the perplexity", "[generative]") {
  // Dense and thin places, and scales far from 1.
  const auto x =
      noise({120, 20}, 1) * at::arange(1, 121).to(at::kDouble).unsqueeze(1);
  for (const double scale : {1e-4, 1.0, 1e5})
    for (const double perplexity : {2.0, 12.5, 100.0}) {
      const auto p = neighbour_shares(scale * x, perplexity);
      CHECK(at::allclose(p.sum(1), at::ones({120}, at::kDouble)));
      CHECK(p.diagonal().eq(0).all().item<bool>());
      const auto reached = (-at::xlogy(p, p).sum(1)).exp();
      CHECK(at::allclose(reached, at::full({120}, perplexity, at::kDouble),
                         1e-6));
    }
  // Nearer is likelier.
  const auto line = at::tensor({0.0, 1.0, 3.0, 7.0}).view({4, 1});
  const auto p = neighbour_shares(line, 2);
  CHECK(p[0][1].item<double>() > p[0][2].item<double>());
  CHECK(p[0][2].item<double>() > p[0][3].item<double>());
}

TEST_CASE("groups that are apart in 20 dimensions are apart in the plane",
          "[generative]") {
  // Deviation 1 about six centres that lie 8 apart.
  const auto labels = at::arange(6).repeat_interleave(25);
  const auto centres = 8 / std::sqrt(2.0) * at::eye(6, 20, at::kDouble);
  const auto x = centres.index_select(0, labels) + noise({150, 20}, 2);
  TsneOptions o;
  o.perplexity = 15;
  o.rounds = 400;
  const auto y = tsne(x, o);
  REQUIRE(y.sizes() == at::IntArrayRef({150, 2}));
  CHECK(neighbours_agree(y, labels) > 0.99);
  // Not for want of trying: shuffled labels would agree by chance.
  CHECK(neighbours_agree(y, labels.view({6, 25}).t().flatten()) < 0.4);
  // As a whole, too: no group lies in two parts.
  const auto means = y.view({6, 25, 2}).mean(1);
  CHECK(at::cdist(y, means)
            .argmin(1)
            .eq(labels)
            .to(at::kDouble)
            .mean()
            .item<double>() > 0.95);
  CHECK(y.mean(0).abs().max().item<double>() < 1e-9);

  // Equal seeds give equal bits, whatever the threads.
  const int threads = at::get_num_threads();
  at::set_num_threads(threads == 1 ? 2 : 1);
  CHECK(at::equal(tsne(x, o), y));
  at::set_num_threads(threads);
  o.seed = 1;
  CHECK_FALSE(at::equal(tsne(x, o), y));
}

TEST_CASE("points in one place stay together in the plane, and finite",
          "[generative]") {
  auto x = noise({40, 5}, 3);
  x.narrow(0, 0, 20).copy_(x[0].expand({20, 5}));
  TsneOptions o;
  o.perplexity = 5;  // fewer than lie there
  const auto y = tsne(x, o);
  REQUIRE(at::isfinite(y).all().item<bool>());
  const auto centre = y.narrow(0, 0, 20).mean(0, true);
  const auto inside =
      (y.narrow(0, 0, 20) - centre).norm(2, {1}).max().item<double>();
  const auto outside =
      (y.narrow(0, 20, 20) - centre).norm(2, {1}).min().item<double>();
  CHECK(inside < outside);
}

TEST_CASE("t-SNE refuses what it cannot do", "[generative]") {
  const auto x = noise({10, 3}, 4);
  TsneOptions o;
  o.perplexity = 9;
  CHECK_THROWS_WITH(tsne(x, o), contains("perplexity 9") &&
                                    contains("1 <= perplexity < n - 1"));
  o.perplexity = 0.5;
  CHECK_THROWS_AS(tsne(x, o), Error);
  o.perplexity = 3;
  CHECK_THROWS_AS(tsne(at::zeros({kMostTsnePoints + 1, 2}), o), Error);
  auto broken = x.clone();
  broken[4][1] = NAN;
  CHECK_THROWS_AS(tsne(broken, o), NumericError);
}
