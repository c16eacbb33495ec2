// Rounding to 64-bit integers on a device and on the host.
#include "trainer/fixed_point.h"

#include <cmath>
#include <limits>

#include <ATen/ATen.h>

#include "device/pretend.h"
#include "support/catch.h"
#include "support/toy_tasks.h"
#include "trainer/slot_words.h"

namespace protean {
namespace {

struct Sum {
  std::vector<int64_t> total;
  float largest;
  bool overflow;
  bool operator==(const Sum&) const = default;
};

std::vector<int64_t> integers(const at::Tensor& t) {
  const auto host = t.cpu().contiguous();
  return {host.data_ptr<int64_t>(), host.data_ptr<int64_t>() + host.numel()};
}

Sum on_host(const at::Tensor& in, const FixedScale& scale) {
  auto out = at::full({in.numel()}, 5, at::kLong);
  const auto fit = add_fixed(in.const_data_ptr<float>(), in.numel(), scale,
                             out.data_ptr<int64_t>());
  return {integers(out), fit.largest, fit.overflow};
}

Sum on_device(const at::Tensor& in, const FixedScale& scale) {
  const auto d = pretend_at(1);
  const auto there = in.to(d);
  auto out = at::full({in.numel()}, 5, at::device(d).dtype(at::kLong));
  pretend::clear_counts();
  const auto fit = add_fixed(there, scale, out);
  CHECK(pretend::counts().reads == 0);
  CHECK(pretend::counts().waited_uploads == 0);
  return {integers(out), fit.largest.item<float>(), fit.overflow.item<bool>()};
}

TEST_CASE("a device rounds to the host's integers", "[device]") {
  pretend_devices();
  // Many magnitudes; whole halves, which round to even; what is rounded away.
  auto x = noise({4000}, 1, at::kFloat) *
           at::pow(10.0, noise({4000}, 2, at::kFloat) * 3);
  x.narrow(0, 0, 8).copy_(
      at::tensor({0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f, 1e-30f, 0.f}));
  for (int64_t exponent : {0, 1, 20, 38}) {
    const FixedScale scale{exponent, 7};
    CHECK(on_host(x, scale) == on_device(x, scale));
  }
  const auto halves = on_device(x.narrow(0, 0, 6), {0, 1});
  CHECK(halves.total == std::vector<int64_t>{5, 7, 7, 5, 3, 3});
  CHECK(on_device(at::empty({0}), {0, 1}) == on_host(at::empty({0}), {0, 1}));
}

TEST_CASE("what has no integer is told, not added, on a device as on the host",
          "[device]") {
  pretend_devices();
  constexpr float kInfinite = std::numeric_limits<float>::infinity();
  const std::vector<int64_t> untouched(3, 5);
  for (float bad :
       {kInfinite, -kInfinite, std::numeric_limits<float>::quiet_NaN()}) {
    const auto x = at::tensor({1.f, bad, 2.f});
    CHECK(on_host(x, {20, 3}) == Sum{untouched, kInfinite, false});
    CHECK(on_device(x, {20, 3}) == Sum{untouched, kInfinite, false});
  }
  // 2^40 * 2^21 is the limit of 2^62 for two stacks.
  for (const auto& [exponent, fits] : {std::pair(20, true), {21, false}}) {
    const auto x = at::tensor({1.f, 0x1p40f, 2.f});
    const auto host = on_host(x, {exponent, 2});
    CHECK(host == on_device(x, {exponent, 2}));
    CHECK(host.overflow == !fits);
    CHECK((host.total == untouched) == !fits);
  }
}

TEST_CASE("losses are rounded task by task, in whatever stack", "[device]") {
  pretend_devices();
  const auto loss = noise({6}, 3, at::kFloat),
             right = noise({6}, 4, at::kFloat);
  const FixedScale scale{30, 6};
  auto host = at::zeros({3}, at::kLong), parts = at::zeros({3}, at::kLong);
  const auto fit =
      add_fixed_losses(loss, right, scale, host.data_ptr<int64_t>());
  for (int64_t begin : {0, 2})
    add_fixed_losses(loss.narrow(0, begin, begin + 2),
                     right.narrow(0, begin, begin + 2), scale,
                     parts.data_ptr<int64_t>());
  CHECK(integers(host) == integers(parts));
  CHECK(integers(host)[2] == int64_t{6} << 30);
  const auto d = pretend_at(0);
  auto there = at::zeros({3}, at::device(d).dtype(at::kLong));
  const auto seen = add_fixed_losses(loss.to(d), right.to(d), scale, there);
  CHECK(integers(host) == integers(there));
  CHECK(fit.largest == seen.largest.item<float>());
  // Without accuracies: regression.
  auto alone = at::zeros({3}, at::kLong);
  add_fixed_losses(loss, {}, scale, alone.data_ptr<int64_t>());
  CHECK(integers(alone)[0] == integers(host)[0]);
  CHECK(integers(alone)[1] == 0);
  there.zero_();
  add_fixed_losses(loss.to(d), {}, scale, there);
  CHECK(integers(there) == integers(alone));
}

TEST_CASE("a float32 travels as a whole number and comes back", "[device]") {
  pretend_devices();
  const std::vector<float> numbers = {0.f,       1.f,          -1.f,   0.3f,
                                      -2.5e-7f,  3.4e38f,      1e-45f, -1e-40f,
                                      0x1p-126f, 0x1.fffffep5f};
  const auto words = integers(
      words_of(at::tensor(at::ArrayRef<float>(numbers)).to(pretend_at(2))));
  for (size_t i = 0; i < numbers.size(); ++i) {
    CHECK(number_of(word_of(numbers[i])) == numbers[i]);
    CHECK(words[i] == word_of(numbers[i]));
  }
  constexpr float kMost = std::numeric_limits<float>::max();
  CHECK(number_of(word_of(-std::numeric_limits<float>::infinity())) == -kMost);
  const auto sixteenths =
      as_sixteenths(at::tensor({int64_t{-2}, int64_t{0x123456789ABCDEF0}}));
  CHECK(at::equal(sixteenths, at::tensor({65534.f, 65535.f, 65535.f, 65535.f,
                                          57072.f, 39612.f, 22136.f, 4660.f})));
}

TEST_CASE("another bit of theta is another fingerprint", "[device]") {
  pretend_devices();
  const auto d = pretend_at(0);
  const auto theta = noise({300}, 8, at::kFloat);
  const auto print = [&](const at::Tensor& t, const at::Tensor& state) {
    return fingerprint({t.to(d), state.to(d)}).item<int64_t>();
  };
  const auto state = at::zeros({4});
  const auto own = print(theta, state);
  CHECK(own == print(theta.clone(), state));
  for (int64_t i : {0, 7, 299}) {
    auto other = theta.clone();
    other[i] = std::nextafter(theta[i].item<float>(), 100.f);
    CHECK(print(other, state) != own);
  }
  auto swapped = theta.clone();
  swapped[3] = theta[4];
  swapped[4] = theta[3];
  CHECK(print(swapped, state) != own);
  CHECK(print(theta, at::tensor({0.f, 0.f, 0x1p-149f, 0.f})) != own);
}

}  // namespace
}  // namespace protean
