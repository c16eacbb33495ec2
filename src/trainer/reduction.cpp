#include "protean/trainer/reduction.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "protean/comm/preflight.h"
#include "protean/core/clock.h"
#include "protean/core/error.h"
#include "protean/experiment/config.h"
#include "protean/tasks/upload.h"

#include "trainer/fixed_point.h"
#include "trainer/half_wire.h"
#include "trainer/rank_slot.h"
#include "trainer/step_flags.h"

namespace protean {
namespace {

// How much a stack's largest element may grow from one step to the next.
constexpr int kHeadroomBits = 8;
// Before anything is known: elements up to 2^14.
constexpr int kFirstMagnitudeBits = 14;

constexpr int64_t kLossValues = 3;  // loss sum, accuracy sum, task count

at::Tensor as_floats(const at::Tensor& t) {
  return t.defined() ? t.to(at::kFloat).contiguous() : t;
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

void check_reduction(const ReductionOptions& options, const Communicator& comm,
                     at::Device device) {
  if (!comm.on_device()) return;
  if (device.is_cpu())
    throw AgreedError(
        concat("comm.backend = ", comm.backend(),
               " moves GPU memory, but run.device = cpu; expected run.device = "
               "cuda, or comm.backend = mpi"));
  if (options.level == ReductionLevel::fixed)
    throw AgreedError(
        concat("comm.reduction = fixed sums in the order of "
               "ranks, which comm.backend = ",
               comm.backend(),
               " does not offer; expected comm.reduction = exact "
               "or fast, or comm.backend = mpi"));
}

StepReducer::StepReducer(Communicator& comm, const ReductionOptions& options,
                         int64_t theta_size, int64_t state_size,
                         at::Device device)
    : comm_(comm),
      options_(options),
      theta_size_(theta_size),
      state_size_(state_size),
      device_(device),
      flags_(std::make_unique<StepFlags>(device)) {
  check_reduction(options, comm, device);
  if (options.wire != DType::f32)
    half_ = std::make_unique<HalfWire>(options.wire, theta_size, comm.size(),
                                       device);
  sums_ = at::zeros({values()}, at::device(device).dtype(at::kFloat));
  const auto wide = at::device(device).dtype(exact() ? at::kLong : at::kFloat);
  const int64_t sums = values() - wide_begin();
  const int64_t slot = exact() ? RankSlot::kWords : RankSlot::kFloats;
  if (options.overlap) early_.wide = at::zeros({sums}, wide);
  late_.wide = at::zeros({sums + comm.size() * slot}, wide);
  const auto pinned = at::device(at::kCPU).pinned_memory(true);
  for (auto* parcel : {&early_, &late_})
    if (parcel->wide.defined())
      parcel->sent =
          staged() ? at::empty(parcel->wide.sizes(), pinned.dtype(wide.dtype()))
                   : parcel->wide;
  if (staged())
    mean_ = at::empty({theta_size_ + state_size_ - wide_begin()},
                      pinned.dtype(at::kFloat));
  exponents_.fill(half_ ? 0 : exponent_for(kFirstMagnitudeBits, 1));
}

StepReducer::~StepReducer() = default;

int64_t StepReducer::values() const {
  return theta_size_ + state_size_ + kLossValues;
}

FixedScale StepReducer::scale(size_t segment) const {
  return {exponents_[segment], stacks_};
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
  flags_->clear();
}

MetaView StepReducer::stack_sums() {
  if (exact()) sums_.zero_();
  return {sums_.narrow(0, 0, theta_size_),
          sums_.narrow(0, theta_size_, state_size_)};
}

void StepReducer::stack_done(const std::vector<uint32_t>& indices,
                             const TaskLosses& given) {
  const TaskLosses losses{as_floats(given.loss), as_floats(given.accuracy)};
  flags_->add_losses(indices, losses.loss);
  if (exact())
    add_stack((options_.overlap && !shipped_ ? early_ : late_).wide, losses,
              indices.front());
  else
    add_losses(losses);
}

// A stack's sums, rounded, to those of the others.
void StepReducer::add_stack(at::Tensor& out, const TaskLosses& losses,
                            uint32_t first) {
  const int64_t losses_at = theta_size_ + state_size_;
  if (!device_.is_cpu()) {
    const auto add = [&](int64_t begin, int64_t size, size_t segment) {
      flags_->add_fit(segment,
                      add_fixed(sums_.narrow(0, begin, size), scale(segment),
                                out.narrow(0, begin, size)),
                      first);
    };
    add(0, theta_size_, 0);
    add(theta_size_, state_size_, 1);
    flags_->add_fit(2,
                    add_fixed_losses(losses.loss, losses.accuracy, scale(2),
                                     out.narrow(0, losses_at, kLossValues)),
                    first);
    return;
  }
  const float* in = sums_.const_data_ptr<float>();
  int64_t* to = out.data_ptr<int64_t>();
  flags_->add_fit(0, add_fixed(in, theta_size_, scale(0), to), first);
  flags_->add_fit(
      1, add_fixed(in + theta_size_, state_size_, scale(1), to + theta_size_),
      first);
  flags_->add_fit(
      2,
      add_fixed_losses(losses.loss, losses.accuracy, scale(2), to + losses_at),
      first);
}

void StepReducer::add_losses(const TaskLosses& losses) {
  auto tail = sums_.narrow(0, theta_size_ + state_size_, kLossValues);
  const int64_t tasks = losses.loss.numel();
  if (!device_.is_cpu()) {
    tail.select(0, 0).add_(losses.loss.sum());
    if (losses.accuracy.defined())
      tail.select(0, 1).add_(losses.accuracy.sum());
    tail.select(0, 2).add_(static_cast<double>(tasks));
    return;
  }
  std::array<float, kLossValues> sums{};
  for (int64_t i = 0; i < tasks; ++i) {
    sums[0] += losses.loss.const_data_ptr<float>()[i];
    if (losses.accuracy.defined())
      sums[1] += losses.accuracy.const_data_ptr<float>()[i];
  }
  sums[2] = static_cast<float>(tasks);
  for (size_t i = 0; i < sums.size(); ++i) tail.data_ptr<float>()[i] += sums[i];
}

void StepReducer::load(Parcel& parcel) {
  if (exact()) return;  // stack by stack
  if (half_) {
    const auto theta = sums_.narrow(0, 0, theta_size_);
    flags_->add_largest(0, (theta + half_->residual()).abs().max());
    parcel.narrow = half_->encode(theta, exponents_[0]);
    if (!comm_.on_device()) parcel.narrow = parcel.narrow.to(at::kCPU);
  }
  const int64_t sums = values() - wide_begin();
  parcel.wide.narrow(0, 0, sums).copy_(sums_.narrow(0, wide_begin(), sums));
}

void StepReducer::write_slot(const RankReport& mine, const MetaView& meta) {
  RankSlot slot;
  slot.report = mine;
  flags_->write(slot);
  const int64_t size = exact() ? RankSlot::kWords : RankSlot::kFloats;
  auto own = at::empty({size}, exact() ? at::kLong : at::kFloat);
  if (exact())
    slot.write(own.data_ptr<int64_t>());
  else
    slot.write(own.data_ptr<float>());
  auto place =
      late_.wide.narrow(0, values() - wide_begin() + comm_.rank() * size, size);
  place.copy_(upload(own, device_));
  if (device_.is_cpu()) return;
  auto words = at::cat({fingerprint(meta).unsqueeze(0), flags_->words()});
  if (!exact()) words = as_sixteenths(words);
  const int64_t begin = RankSlot::kHash * (size / RankSlot::kWords);
  place.narrow(0, begin, words.numel()).copy_(words);
}

void StepReducer::send(Parcel& parcel) {
  const auto order = options_.level == ReductionLevel::fixed ? SumOrder::by_rank
                                                             : SumOrder::fast;
  auto start = [&](at::Tensor& t, DType type) {
    parcel.requests.push_back(
        comm_.start_all_reduce(t.data_ptr(), static_cast<size_t>(t.numel()),
                               type, ReduceOp::sum, order));
  };
  if (staged()) parcel.sent.copy_(parcel.wide);
  if (half_) start(parcel.narrow, half_->type());
  start(parcel.sent, exact() ? DType::i64 : DType::f32);
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
  return half_->decode(upload(parcel.narrow, device_), exponents_[0]);
}

void StepReducer::receive() {
  const int64_t losses_at = theta_size_ + state_size_ - wide_begin();
  received_ = late_.sent;
  if (shipped_)
    received_.narrow(0, 0, values() - wide_begin()).add_(early_.sent);
  told_ = received_.narrow(0, losses_at, received_.numel() - losses_at)
              .to(at::kCPU);
  if (!half_) return;
  gradient_ = received_gradient(late_);
  if (shipped_) gradient_ += received_gradient(early_);
}

bool StepReducer::finish(const RankReport& mine, const MetaView& meta,
                         int64_t step, StepTotals& totals) {
  load(late_);
  write_slot(mine, meta);
  const auto start = std::chrono::steady_clock::now();
  send(late_);
  wait(early_);
  wait(late_);
  comm_seconds_ += seconds_since(start);
  receive();
  const Exponents used = exponents_;
  if (!read_slots(step, totals)) {
    ++repeats_;
    return false;
  }
  read_totals(used, totals);
  return true;
}

// What ranks have told; the scale of the next step, or the one to repeat this
// step with. False: repeat it.
bool StepReducer::read_slots(int64_t step, StepTotals& totals) {
  totals.ranks.clear();
  std::array<float, 3> largest{};
  bool overflow = false;
  int64_t bad_task = -1;
  int bad_rank = 0;
  for (int r = 0; r < comm_.size(); ++r) {
    const RankSlot s =
        exact() ? RankSlot::read(told_.const_data_ptr<int64_t>() + kLossValues +
                                 r * RankSlot::kWords)
                : RankSlot::read(told_.const_data_ptr<float>() + kLossValues +
                                 r * RankSlot::kFloats);
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
  if (half_ && largest[0] > 0) exponents_[0] = half_->exponent_for(largest[0]);
  if (exact())
    for (int i = 0; i < 3; ++i)
      if (largest[i] > 0)
        exponents_[i] =
            exponent_for(std::ilogb(largest[i]) + 1 + kHeadroomBits, stacks_);
  return !overflow;
}

void StepReducer::read_totals(const Exponents& used, StepTotals& totals) {
  const auto value = [&](int64_t i) {
    if (!exact()) return static_cast<double>(told_.const_data_ptr<float>()[i]);
    return std::ldexp(static_cast<double>(told_.const_data_ptr<int64_t>()[i]),
                      -static_cast<int>(used[2]));
  };
  const double count = value(2);
  totals.loss = value(0) / count;
  totals.accuracy = value(1) / count;
  totals.tasks = std::llround(count);
  const auto mean = mean_of(used, count);
  totals.gradient = half_ ? gradient_ / count : mean.narrow(0, 0, theta_size_);
  totals.state = mean.narrow(0, theta_size_ - wide_begin(), state_size_);
}

// Of the received sums of gradient and meta-state, float32, on the device.
at::Tensor StepReducer::mean_of(const Exponents& used, double count) {
  const int64_t state = theta_size_ - wide_begin();
  const auto sums = received_.narrow(0, 0, state + state_size_);
  if (!exact()) {
    if (!staged()) return sums / count;
    mean_.copy_(sums / count);
    return upload(mean_, device_);
  }
  // What one unit of a segment is worth.
  const auto unit = [&](size_t segment) {
    return std::ldexp(1.0, -static_cast<int>(used[segment]));
  };
  if (!sums.is_cpu()) {
    const auto part = [&](int64_t begin, int64_t size, size_t segment) {
      return sums.narrow(0, begin, size)
          .to(at::kDouble)
          .mul_(unit(segment))
          .div_(count);
    };
    return at::cat({part(0, state, 0), part(state, state_size_, 1)})
        .to(at::kFloat);
  }
  const auto mean = staged() ? mean_ : at::empty(sums.sizes(), at::kFloat);
  float* const out = mean.data_ptr<float>();
  const int64_t* const in = sums.const_data_ptr<int64_t>();
  const auto divide = [&](int64_t from, int64_t to, size_t segment) {
    const double worth = unit(segment);
    for (int64_t i = from; i < to; ++i)
      out[i] = static_cast<float>(static_cast<double>(in[i]) * worth / count);
  };
  divide(0, state, 0);
  divide(state, state + state_size_, 1);
  return upload(mean, device_);
}

}  // namespace protean
