#include "generative/code_norm.h"

#include <cmath>

#include <ATen/ATen.h>

#include "protean/models/params.h"

#include "generative/image_sets.h"
#include "support/catch.h"

using namespace protean;

namespace {

constexpr int64_t kChannels = 3, kCodeSize = 2;

struct TestedNorm {
  LayerSpace space;
  CodeNorm norm{space, "norm", kCodeSize, kChannels};
  // Weights (4 channels + 1, code), then biases.
  at::Tensor theta = at::zeros({space.space().size()}, at::kDouble);

  at::Tensor operator()(const at::Tensor& x, const at::Tensor& code) const {
    return norm(shared_params(space.space(), theta), x, code);
  }
  at::Tensor bias(int64_t begin, int64_t count) {
    return theta.narrow(0, (4 * kChannels + 1) * kCodeSize + begin, count);
  }
};

}  // namespace

TEST_CASE("a norm knows the image and what its class's code foretells",
          "[generative]") {
  TestedNorm norm;
  const auto x = 2 + noise({2, 1, kChannels, 4, 5}, 1);  // (n, T, C, H, W)
  const auto code = noise({1, 2, kCodeSize}, 2);
  const auto mean = x.mean({3, 4}, true);
  const auto variance = x.var({3, 4}, /*unbiased=*/false, true);

  SECTION("of an image alone where the code's share is none") {
    norm.bias(4 * kChannels, 1).fill_(-50);
    CHECK(at::allclose(norm(x, code), (x - mean) / (variance + 1e-3).sqrt()));
  }
  SECTION("of the class alone where it is all") {
    norm.bias(4 * kChannels, 1).fill_(50);
    norm.bias(0, kChannels).fill_(0.5);
    norm.bias(kChannels, kChannels).fill_(std::log(4.0));
    norm.bias(2 * kChannels, kChannels).fill_(1);
    norm.bias(3 * kChannels, kChannels).fill_(-3);
    CHECK(at::allclose(norm(x, code), 2 * (x - 0.5) / std::sqrt(4 + 1e-3) - 3));
  }
  SECTION("at the start, half of each: moments of the two as one mixture") {
    const auto middle = mean / 2;
    const auto of_both =
        0.5 * (1 + middle.square()) + 0.5 * (variance + middle.square());
    CHECK(at::allclose(norm(x, code), (x - middle) / (of_both + 1e-3).sqrt()));
  }
  SECTION("no image depends on another") {
    norm.theta.copy_(noise({norm.theta.size(0)}, 3));
    const auto both = norm(x, code);
    CHECK(at::allclose(norm(x.narrow(0, 1, 1), code.narrow(1, 1, 1)),
                       both.narrow(0, 1, 1)));
    CHECK_FALSE(at::allclose(norm(x, code + 1), both));
  }
}
