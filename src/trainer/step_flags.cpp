#include "trainer/step_flags.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <ATen/ATen.h>

#include "protean/tasks/upload.h"

namespace protean {
namespace {

constexpr float kInfinite = std::numeric_limits<float>::infinity();
// On the device: no task. Above every index.
constexpr int64_t kNone = std::numeric_limits<int64_t>::max();

}  // namespace

StepFlags::StepFlags(at::Device device) : device_(device) {
  if (!device.is_cpu()) {
    const auto whole = at::device(device).dtype(at::kLong);
    const auto real = at::device(device).dtype(at::kFloat);
    bad_task_ = at::empty({}, whole);
    worst_task_ = at::empty({}, whole);
    overflow_ = at::empty({}, whole);
    worst_loss_ = at::empty({}, real);
    largest_ = at::empty({3}, real);
  }
  clear();
}

void StepFlags::clear() {
  host_ = {};
  host_.report.worst_loss = -kInfinite;
  if (device_.is_cpu()) return;
  bad_task_.fill_(kNone);
  worst_task_.fill_(-1);
  overflow_.zero_();
  worst_loss_.fill_(-kInfinite);
  largest_.zero_();
}

void StepFlags::add_losses(const std::vector<uint32_t>& indices,
                           const at::Tensor& losses) {
  if (device_.is_cpu()) {
    auto& r = host_.report;
    const float* values = losses.const_data_ptr<float>();
    for (size_t i = 0; i < indices.size(); ++i) {
      if (!std::isfinite(values[i]) && r.bad_task < 0) r.bad_task = indices[i];
      if (values[i] > r.worst_loss) {
        r.worst_loss = values[i];
        r.worst_task = indices[i];
      }
    }
    return;
  }
  const auto tasks =
      upload(at::tensor(std::vector<int64_t>(indices.begin(), indices.end())),
             device_);
  // The first one in the order of stacks, as on the host.
  const auto bad = at::where(losses.isfinite(), kNone, tasks);
  const auto first = bad.gather(0, bad.ne(kNone).to(at::kLong).argmax(0, true));
  add_bad(first.squeeze(0));
  const auto [worst, at] =
      losses.nan_to_num(-kInfinite, kInfinite).max(0, true);
  const auto worse = worst.squeeze(0).gt(worst_loss_);
  worst_task_ = at::where(worse, tasks.gather(0, at).squeeze(0), worst_task_);
  worst_loss_ = at::where(worse, worst.squeeze(0), worst_loss_);
}

void StepFlags::add_bad(const at::Tensor& task) {
  bad_task_ = at::where(bad_task_.eq(kNone), task, bad_task_);
}

void StepFlags::add_fit(size_t segment, const Fit& fit, uint32_t first) {
  auto& largest = host_.largest[segment];
  largest = std::max(largest, fit.largest);
  host_.overflow |= fit.overflow;
  // Losses are looked at by themselves.
  if (segment < 2 && fit.largest == kInfinite && host_.report.bad_task < 0)
    host_.report.bad_task = first;
}

void StepFlags::add_fit(size_t segment, const DeviceFit& fit, uint32_t first) {
  add_largest(segment, fit.largest);
  overflow_.add_(fit.overflow.to(at::kLong));
  if (segment < 2)
    add_bad(at::where(fit.largest.isfinite(), kNone, int64_t{first}));
}

void StepFlags::add_largest(size_t segment, const at::Tensor& largest) {
  if (device_.is_cpu()) {
    auto& all = host_.largest[segment];
    all = std::max(all, largest.item<float>());
    return;
  }
  auto own = largest_.select(0, static_cast<int64_t>(segment));
  own.copy_(at::maximum(own, largest));
}

void StepFlags::write(RankSlot& slot) const {
  auto& r = slot.report;
  r.bad_task = host_.report.bad_task;
  r.worst_task = host_.report.worst_task;
  r.worst_loss = host_.report.worst_loss;
  slot.largest = host_.largest;
  slot.overflow = host_.overflow;
}

at::Tensor StepFlags::words() const {
  const auto bad = at::where(bad_task_.eq(kNone), -1, bad_task_);
  const auto numbers =
      words_of(at::cat({worst_loss_.unsqueeze(0), largest_}));  // (4)
  return at::cat({at::stack({bad, worst_task_}), numbers,
                  overflow_.clamp_max(1).unsqueeze(0)});
}

}  // namespace protean
