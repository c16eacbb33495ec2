#include "protean/trainer/reduction.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <limits>

#include "protean/core/error.h"
#include "protean/experiment/config.h"

#include "trainer/half_wire.h"
#include "trainer/rank_slot.h"

namespace protean {
namespace {

// Sums stay below 2^62, so that nothing that int64 holds is lost.
constexpr int kSumBits = 62;
// How much a stack's largest element may grow from one step to the next.
constexpr int kHeadroomBits = 8;
// Before anything is known: elements up to 2^14.
constexpr int kFirstMagnitudeBits = 14;

constexpr int64_t kLossValues = 3;  // loss sum, accuracy sum, task count

int64_t exponent_for(int magnitude_bits, int64_t stacks) {
  return kSumBits - magnitude_bits -
         std::bit_width(static_cast<uint64_t>(stacks));
}

}  // namespace

ReductionLevel reduction_from_name(const std::string& name) {
  if (name == "fast") return ReductionLevel::fast;
  if (name == "fixed") return ReductionLevel::fixed;
  if (name == "exact") return ReductionLevel::exact;
  throw ConfigError(concat("comm.reduction = \"", name,
                           "\"; expected one of: fast, fixed, exact"));
}

ReductionOptions reduction_options(const Config& config) {
  ReductionOptions o;
  o.level = reduction_from_name(config.reduction);
  o.overlap = config.overlap;
  if (config.wire == "bf16")
    o.wire = DType::bf16;
  else if (config.wire == "fp16")
    o.wire = DType::f16;
  else if (config.wire != "fp32")
    throw ConfigError(concat("comm.wire = \"", config.wire,
                             "\"; expected one of: fp32, bf16, fp16"));
  if (o.level == ReductionLevel::exact && o.wire != DType::f32)
    throw ConfigError(
        concat("comm.wire = ", config.wire,
               ", but comm.reduction = exact sends all bits; "
               "expected fp32, or comm.reduction = fast or fixed"));
  return o;
}

StepReducer::StepReducer(Communicator& comm, const ReductionOptions& options,
                         int64_t theta_size, int64_t state_size,
                         at::Device device)
    : comm_(comm),
      options_(options),
      theta_size_(theta_size),
      state_size_(state_size),
      device_(device) {
  if (options.wire != DType::f32)
    half_ = std::make_unique<HalfWire>(options.wire, theta_size, comm.size(),
                                       device);
  sums_ = at::zeros({values()}, at::device(device).dtype(at::kFloat));
  // On a GPU what travels is staged through the host unless the communicator
  // takes device memory.
  const auto wide = at::device(comm.on_device() ? device : at::Device(at::kCPU))
                        .dtype(exact() ? at::kLong : at::kFloat);
  const int64_t sums = values() - wide_begin();
  const int64_t slot = exact() ? RankSlot::kWords : RankSlot::kFloats;
  if (options.overlap) early_.wide = at::zeros({sums}, wide);
  late_.wide = at::zeros({sums + comm.size() * slot}, wide);
  exponents_.fill(half_ ? 0 : exponent_for(kFirstMagnitudeBits, 1));
}

StepReducer::~StepReducer() = default;

int64_t StepReducer::values() const {
  return theta_size_ + state_size_ + kLossValues;
}

at::Tensor& StepReducer::residual() {
  static at::Tensor none;
  return half_ ? half_->residual() : none;
}

void StepReducer::begin(int64_t stacks) {
  stacks_ = std::max<int64_t>(stacks, 1);
  for (auto* parcel : {&early_, &late_})
    if (parcel->wide.defined()) parcel->wide.zero_();
  sums_.zero_();
  shipped_ = false;
  largest_.fill(0);
  overflow_ = false;
  bad_task_ = worst_task_ = -1;
  worst_loss_ = -std::numeric_limits<float>::infinity();
}

MetaView StepReducer::stack_sums() {
  if (exact()) sums_.zero_();
  return {sums_.narrow(0, 0, theta_size_),
          sums_.narrow(0, theta_size_, state_size_)};
}

void StepReducer::stack_done(const std::vector<uint32_t>& indices,
                             const TaskLosses& losses) {
  const auto loss = losses.loss.to(at::kCPU, at::kFloat).contiguous();
  const float* values = loss.const_data_ptr<float>();
  std::array<float, kLossValues> tail{};
  for (size_t i = 0; i < indices.size(); ++i) {
    if (!std::isfinite(values[i]) && bad_task_ < 0) bad_task_ = indices[i];
    if (values[i] > worst_loss_) {
      worst_loss_ = values[i];
      worst_task_ = indices[i];
    }
    tail[0] += values[i];
  }
  if (losses.accuracy.defined()) {
    const auto right = losses.accuracy.to(at::kCPU, at::kFloat).contiguous();
    for (size_t i = 0; i < indices.size(); ++i)
      tail[1] += right.const_data_ptr<float>()[i];
  }
  tail[2] = static_cast<float>(indices.size());
  const int64_t begin = theta_size_ + state_size_;
  if (sums_.is_cpu())
    for (int64_t i = 0; i < kLossValues; ++i)
      sums_.data_ptr<float>()[begin + i] += tail[i];
  else
    sums_.narrow(0, begin, kLossValues)
        .add_(at::tensor(at::ArrayRef<float>(tail)).to(device_));
  if (!exact()) return;

  const auto host = sums_.to(at::kCPU);
  const float* in = host.data_ptr<float>();
  auto& parcel = options_.overlap && !shipped_ ? early_ : late_;
  int64_t* out = parcel.wide.data_ptr<int64_t>();
  quantise(in, theta_size_, 0, out);
  quantise(in + theta_size_, state_size_, 1, out + theta_size_);
  quantise(in + theta_size_ + state_size_, kLossValues, 2,
           out + theta_size_ + state_size_);
  // Non-finite values are caught above by their loss, or here.
  if (bad_task_ < 0 && !(largest_[0] <= std::numeric_limits<float>::max() &&
                         largest_[1] <= std::numeric_limits<float>::max()))
    bad_task_ = indices.front();
}

void StepReducer::quantise(const float* in, int64_t size, int segment,
                           int64_t* out) {
  float largest = 0;
  bool finite = true;
  for (int64_t i = 0; i < size; ++i) {
    const float a = std::abs(in[i]);
    finite &= a <= std::numeric_limits<float>::max();
    largest = a > largest ? a : largest;
  }
  if (!finite) {
    largest_[segment] = std::numeric_limits<float>::infinity();
    return;
  }
  largest_[segment] = std::max(largest_[segment], largest);
  const double scale = std::ldexp(1.0, static_cast<int>(exponents_[segment]));
  const double limit = std::ldexp(1.0, kSumBits) / static_cast<double>(stacks_);
  if (largest * scale >= limit) {
    overflow_ = true;
    return;
  }
  // Adding and taking away 1.5 * 2^52 would round, but only below 2^51; the
  // conversion instruction rounds to nearest even at any size.
  for (int64_t i = 0; i < size; ++i)
    out[i] += std::llrint(static_cast<double>(in[i]) * scale);
}

void StepReducer::load(Parcel& parcel) {
  if (exact()) return;  // stack by stack, by quantise()
  if (half_) {
    const auto theta = sums_.narrow(0, 0, theta_size_);
    largest_[0] = std::max(
        largest_[0], (theta + half_->residual()).abs().max().item<float>());
    parcel.narrow = half_->encode(theta, exponents_[0]);
    if (!comm_.on_device()) parcel.narrow = parcel.narrow.to(at::kCPU);
  }
  const int64_t sums = values() - wide_begin();
  parcel.wide.narrow(0, 0, sums).copy_(sums_.narrow(0, wide_begin(), sums));
}

void StepReducer::send(Parcel& parcel) {
  const auto order = options_.level == ReductionLevel::fixed ? SumOrder::by_rank
                                                             : SumOrder::fast;
  auto start = [&](at::Tensor& t, DType type) {
    parcel.requests.push_back(
        comm_.start_all_reduce(t.data_ptr(), static_cast<size_t>(t.numel()),
                               type, ReduceOp::sum, order));
  };
  if (half_) start(parcel.narrow, half_->type());
  start(parcel.wide, exact() ? DType::i64 : DType::f32);
}

void StepReducer::wait(Parcel& parcel) {
  for (auto& request : parcel.requests) request->wait();
  parcel.requests.clear();
}

void StepReducer::ship() {
  load(early_);
  send(early_);
  sums_.zero_();
  shipped_ = true;
}

at::Tensor StepReducer::received_gradient(const Parcel& parcel) const {
  return half_->decode(parcel.narrow.to(device_), exponents_[0]);
}

bool StepReducer::finish(const RankReport& mine, int64_t step,
                         StepTotals& totals) {
  load(late_);
  RankSlot slot;
  slot.report = mine;
  slot.report.bad_task = bad_task_;
  slot.report.worst_task = worst_task_;
  slot.report.worst_loss = worst_loss_;
  slot.largest = largest_;
  slot.overflow = overflow_;
  const int64_t begin = values() - wide_begin();
  auto own = at::empty({exact() ? RankSlot::kWords : RankSlot::kFloats},
                       exact() ? at::kLong : at::kFloat);
  if (exact())
    slot.write(own.data_ptr<int64_t>());
  else
    slot.write(own.data_ptr<float>());
  late_.wide.narrow(0, begin + comm_.rank() * own.numel(), own.numel())
      .copy_(own);

  const auto start = std::chrono::steady_clock::now();
  send(late_);
  wait(early_);
  wait(late_);
  comm_seconds_ +=
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
          .count();

  received_ = late_.wide.to(at::kCPU);
  if (shipped_) received_.narrow(0, 0, begin).add_(early_.wide.to(at::kCPU));
  if (half_) {
    gradient_ = received_gradient(late_);
    if (shipped_) gradient_ += received_gradient(early_);
  }
  totals.ranks.clear();
  std::array<float, 3> largest{};
  bool overflow = false;
  int64_t bad_task = -1;
  int bad_rank = 0;
  for (int r = 0; r < comm_.size(); ++r) {
    const int64_t at = begin + r * own.numel();
    const RankSlot s =
        exact() ? RankSlot::read(received_.const_data_ptr<int64_t>() + at)
                : RankSlot::read(received_.const_data_ptr<float>() + at);
    totals.ranks.push_back(s.report);
    overflow |= s.overflow != 0;
    for (int i = 0; i < 3; ++i) largest[i] = std::max(largest[i], s.largest[i]);
    // The first task of all, whoever had it.
    if (s.report.bad_task >= 0 &&
        (bad_task < 0 || s.report.bad_task < bad_task)) {
      bad_task = s.report.bad_task;
      bad_rank = r;
    }
  }
  if (bad_task >= 0)
    throw NumericError(concat("step ", step, ": the loss or gradient of task ",
                              bad_task, " is not finite (computed by rank ",
                              bad_rank,
                              "); expected finite values: lower "
                              "learner.inner_lr or optim.lr"));
  // The next scale, or the one to repeat this step with.
  const Exponents used = exponents_;
  if (half_ && largest[0] > 0) exponents_[0] = half_->exponent_for(largest[0]);
  if (exact())
    for (int i = 0; i < 3; ++i)
      if (largest[i] > 0)
        exponents_[i] =
            exponent_for(std::ilogb(largest[i]) + 1 + kHeadroomBits, stacks_);
  if (overflow) {
    ++repeats_;
    return false;
  }

  read_totals(used, totals);
  return true;
}

void StepReducer::read_totals(const Exponents& used, StepTotals& totals) const {
  const int64_t begin = wide_begin();
  const int64_t state = theta_size_ - begin, losses = state + state_size_;
  // What one unit of a segment is worth; sums in float32 are what they are.
  const auto unit = [&](size_t segment) {
    return std::ldexp(1.0, -static_cast<int>(used[segment]));
  };
  const auto value = [&](int64_t i) {
    if (!exact())
      return static_cast<double>(received_.const_data_ptr<float>()[i]);
    return static_cast<double>(received_.const_data_ptr<int64_t>()[i]) *
           unit(2);
  };
  const double count = value(losses + 2);
  totals.loss = value(losses) / count;
  totals.accuracy = value(losses + 1) / count;
  totals.tasks = std::llround(count);
  at::Tensor mean;  // of the wide part
  if (exact()) {
    mean = at::empty({losses}, at::kFloat);
    float* const out = mean.data_ptr<float>();
    const int64_t* const in = received_.const_data_ptr<int64_t>();
    const auto scale = [&](int64_t from, int64_t to, size_t segment) {
      const double worth = unit(segment);
      for (int64_t i = from; i < to; ++i)
        out[i] = static_cast<float>(static_cast<double>(in[i]) * worth / count);
    };
    scale(0, state, 0);
    scale(state, losses, 1);
  } else {
    mean = received_.narrow(0, 0, losses) / count;
  }
  mean = mean.to(device_);
  totals.gradient = half_ ? gradient_ / count : mean.narrow(0, 0, theta_size_);
  totals.state = mean.narrow(0, state, state_size_);
}

}  // namespace protean
