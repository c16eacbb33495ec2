#include "generative/code_norm.h"

#include <ATen/ATen.h>

namespace protean {
namespace {

constexpr double kEps = 1e-3;
// What the code says of each channel: mean, log variance, scale and shift.
constexpr int64_t kOfChannel = 4;

}  // namespace

CodeNorm::CodeNorm(LayerSpace& space, const std::string& name, int64_t code,
                   int64_t channels)
    : channels_(channels),
      of_code_(space, name, code, kOfChannel * channels + 1, 0) {}

at::Tensor CodeNorm::operator()(const Params& p, const at::Tensor& x,
                                const at::Tensor& code) const {
  const auto said =
      of_code_(p, code).transpose(0, 1).unsqueeze(-1).unsqueeze(-1);
  const auto of_channel = [&](int64_t i) {
    return said.narrow(2, i * channels_, channels_);
  };
  const auto class_mean = of_channel(0), class_variance = of_channel(1).exp();
  const auto share = at::sigmoid(said.narrow(2, kOfChannel * channels_, 1));
  const auto image_mean = x.mean({3, 4}, true);
  const auto image_variance = (x - image_mean).square().mean({3, 4}, true);
  const auto mean = share * class_mean + (1 - share) * image_mean;
  const auto variance =
      share * (class_variance + (class_mean - mean).square()) +
      (1 - share) * (image_variance + (image_mean - mean).square());
  return (x - mean) * (variance + kEps).rsqrt() * (1 + of_channel(2)) +
         of_channel(3);
}

}  // namespace protean
