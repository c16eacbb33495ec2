// The pretend device itself: what it computes, refuses and counts.
#include "support/pretend_device.h"

#include <csignal>

#include <ATen/ATen.h>
#include <sys/wait.h>
#include <torch/csrc/autograd/autograd.h>
#include <unistd.h>

#include "device/pretend.h"
#include "support/catch.h"
#include "support/pretend_memory.h"

namespace protean {
namespace {

// d/dw |d/dw loss|^2 of a small convolution.
at::Tensor second_order(const at::Tensor& x, const at::Tensor& w0) {
  const auto w = w0.detach().requires_grad_();
  const auto loss = at::conv2d(x, w, {}, 1, 1).relu().pow(2).mean();
  const auto g = torch::autograd::grad({loss}, {w}, {}, true, true)[0];
  return torch::autograd::grad({g.pow(2).sum()}, {w})[0].detach();
}

TEST_CASE("second derivatives on the pretend device are the CPU's",
          "[device]") {
  pretend_devices();
  const auto x = at::rand({4, 3, 8, 8}), w = at::rand({5, 3, 3, 3}) - 0.5;
  const auto want = second_order(x, w);
  for (int index : {0, 3}) {
    const auto d = pretend_at(index);
    const auto got = second_order(x.to(d), w.to(d));
    CHECK(got.device() == d);
    CHECK(at::allclose(got.cpu(), want, 1e-5, 1e-7));
  }
}

// The signal that ends a child which runs body.
int signal_of(const std::function<void()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGSEGV, SIG_DFL);
    ::signal(SIGBUS, SIG_DFL);
    body();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

TEST_CASE("a host that touches device memory faults", "[device]") {
  pretend_devices();
  const auto t = at::ones({10}).to(pretend_at(1));
  volatile float* p = t.data_ptr<float>();
  CHECK(signal_of([&] { (void)p[3]; }) == SIGSEGV);
  CHECK(signal_of([&] { p[3] = 2; }) == SIGSEGV);
  CHECK(signal_of([] {}) == 0);
  // What stands for the device sees it.
  CHECK(pretend::on_device(t.data_ptr()));
  CHECK(pretend::index_of(t.data_ptr()) == 1);
  CHECK(*pretend::host_of(t.data_ptr<float>() + 3) == 1);
}

TEST_CASE("an operator's tensors lie on one device", "[device]") {
  pretend_devices();
  const auto a = at::ones({3}).to(pretend_at(0)),
             b = at::ones({3}).to(pretend_at(2)), host = at::ones({3});
  CHECK_THROWS_WITH(a.add(b), contains("same device"));
  CHECK_THROWS_WITH(a.add(host), contains("same device"));
  CHECK(a.add(1).sum().item<float>() == 6);  // a number travels along
}

TEST_CASE("views share the device's memory", "[device]") {
  pretend_devices();
  const auto t = at::zeros({2, 6}, at::device(pretend_at(1)));
  t.view({3, 4}).select(0, 1).fill_(5);
  t.t().narrow(0, 0, 1).add_(1);
  // Row 1 of (3, 4) is elements 4 to 7; column 0 of (2, 6) is 0 and 6.
  const auto want =
      at::tensor({1., 0., 0., 0., 5., 5., 6., 5., 0., 0., 0., 0.});
  CHECK(at::equal(t.cpu().view({12}), want.to(at::kFloat)));
}

TEST_CASE("what crosses between host and device is counted", "[device]") {
  pretend_devices();
  const auto d = pretend_at(0);
  const auto host = at::arange(8, at::kFloat);
  pretend::clear_counts();
  auto t = host.to(d);  // not pinned: waited for
  t = t * 2 + t;        // two operators, no crossing
  CHECK(pretend::counts().waited_uploads == 1);
  CHECK(pretend::counts().reads == 0);
  CHECK(pretend::counts().operators == 2);
  CHECK(t.sum().item<float>() == 84);    // a read
  CHECK(t.cpu()[1].item<float>() == 3);  // one; the item is the host's
  CHECK(t.nonzero().size(0) == 7);       // waits for a size
  CHECK(t.index({t > 6}).size(0) == 5);  // a mask as an index
  for (const auto& [what, n] : pretend::counts().read_by)
    UNSCOPED_INFO(what << ": " << n);
  CHECK(pretend::counts().reads == 4);
  const auto pinned = at::empty({8}, at::device(at::kCPU).pinned_memory(true));
  pinned.fill_(1);
  CHECK(pinned.is_pinned());
  t.copy_(pinned, true);
  t.copy_(host, true);  // asked not to wait, but it is not pinned
  CHECK(pretend::counts().uploads == 1);
  CHECK(pretend::counts().waited_uploads == 2);
  CHECK(pretend::counts().reads == 4);
}

TEST_CASE("a full device says so, and memory comes back", "[device]") {
  pretend_devices();
  const auto d = pretend_at(5);
  pretend::limit_memory(5, 1 << 20);
  {
    const auto half = at::zeros({1 << 17}, at::device(d));
    CHECK_THROWS_AS(at::zeros({1 << 18}, at::device(d)), c10::OutOfMemoryError);
    CHECK(pretend::memory_of(5).bytes == 4 << 17);
  }
  CHECK(pretend::memory_of(5).bytes == 0);
  CHECK(at::zeros({1 << 18}, at::device(d)).numel() == 1 << 18);
}

}  // namespace
}  // namespace protean
