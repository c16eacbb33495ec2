#include "protean/trainer/reduction.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>

#include "protean/core/error.h"

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

// A slot travels as 64-bit words; in a float32 buffer each word is four 16-bit
// numbers, which float32 holds exactly. Every rank writes its own slot and
// zeros elsewhere, so the sum is a gather.
struct StepReducer::Slot {
  RankReport report;
  std::array<float, 3> largest{};
  int64_t overflow = 0;

  static constexpr int64_t kWords = 10;
  std::array<uint64_t, kWords> pack() const {
    auto bits = [](float f) -> uint64_t { return std::bit_cast<uint32_t>(f); };
    return {static_cast<uint64_t>(report.stop),
            report.hash,
            static_cast<uint64_t>(report.bad_task),
            static_cast<uint64_t>(report.worst_task),
            bits(report.worst_loss) | bits(report.busy_s) << 32,
            bits(report.cpu_s) | uint64_t{report.cost_version} << 32,
            bits(largest[0]),
            bits(largest[1]),
            bits(largest[2]),
            static_cast<uint64_t>(overflow)};
  }
  static Slot unpack(const std::array<uint64_t, kWords>& w) {
    auto number = [](uint64_t bits) {
      return std::bit_cast<float>(static_cast<uint32_t>(bits));
    };
    Slot s;
    s.report.stop = static_cast<int64_t>(w[0]);
    s.report.hash = w[1];
    s.report.bad_task = static_cast<int64_t>(w[2]);
    s.report.worst_task = static_cast<int64_t>(w[3]);
    s.report.worst_loss = number(w[4]);
    s.report.busy_s = number(w[4] >> 32);
    s.report.cpu_s = number(w[5]);
    s.report.cost_version = static_cast<uint32_t>(w[5] >> 32);
    for (int i = 0; i < 3; ++i) s.largest[i] = number(w[6 + i]);
    s.overflow = static_cast<int64_t>(w[9]);
    return s;
  }
};

StepReducer::StepReducer(Communicator& comm, ReductionLevel level,
                         int64_t theta_size, int64_t state_size,
                         at::Device device)
    : comm_(comm),
      level_(level),
      theta_size_(theta_size),
      state_size_(state_size),
      device_(device) {
  const int64_t values = theta_size + state_size + kLossValues;
  const bool exact = level == ReductionLevel::exact;
  const int64_t slots = comm.size() * Slot::kWords * (exact ? 1 : 4);
  // On a GPU the wire is staged through the host unless the communicator takes
  // device memory.
  const auto where = comm.on_device() ? device : at::Device(at::kCPU);
  wire_ = at::zeros({values + slots},
                    at::device(where).dtype(exact ? at::kLong : at::kFloat));
  sums_ = exact || where != device
              ? at::zeros({values}, at::device(device).dtype(at::kFloat))
              : wire_.narrow(0, 0, values);
  exponents_.fill(exponent_for(kFirstMagnitudeBits, 1));
}

void StepReducer::begin(int64_t stacks) {
  stacks_ = std::max<int64_t>(stacks, 1);
  wire_.zero_();
  sums_.zero_();
  largest_.fill(0);
  overflow_ = false;
  bad_task_ = worst_task_ = -1;
  worst_loss_ = -std::numeric_limits<float>::infinity();
}

MetaView StepReducer::stack_sums() {
  if (level_ == ReductionLevel::exact) sums_.zero_();
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
  if (level_ != ReductionLevel::exact) return;

  const auto host = sums_.to(at::kCPU);
  const float* in = host.data_ptr<float>();
  int64_t* out = wire_.data_ptr<int64_t>();
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

void StepReducer::write_slot(Slot slot) {
  const int64_t begin = theta_size_ + state_size_ + kLossValues;
  const auto words = slot.pack();
  if (level_ == ReductionLevel::exact) {
    const int64_t at = begin + comm_.rank() * Slot::kWords;
    if (wire_.is_cpu()) {
      std::memcpy(wire_.data_ptr<int64_t>() + at, words.data(), sizeof words);
      return;
    }
    auto host = at::empty({Slot::kWords}, at::kLong);
    std::memcpy(host.data_ptr<int64_t>(), words.data(), sizeof words);
    wire_.narrow(0, at, Slot::kWords).copy_(host);
    return;
  }
  auto host = at::empty({Slot::kWords * 4}, at::kFloat);
  float* out = host.data_ptr<float>();
  for (uint64_t word : words)
    for (int shift = 0; shift < 64; shift += 16)
      *out++ = static_cast<float>(word >> shift & 0xFFFF);
  wire_.narrow(0, begin + comm_.rank() * Slot::kWords * 4, Slot::kWords * 4)
      .copy_(host);
}

StepReducer::Slot StepReducer::read_slot(int rank) const {
  const int64_t begin = theta_size_ + state_size_ + kLossValues;
  std::array<uint64_t, Slot::kWords> words{};
  if (level_ == ReductionLevel::exact) {
    const int64_t* in =
        received_.data_ptr<int64_t>() + begin + rank * Slot::kWords;
    std::memcpy(words.data(), in, sizeof words);
  } else {
    const float* in =
        received_.data_ptr<float>() + begin + rank * Slot::kWords * 4;
    for (auto& word : words)
      for (int shift = 0; shift < 64; shift += 16)
        word |= static_cast<uint64_t>(*in++) << shift;
  }
  return Slot::unpack(words);
}

bool StepReducer::finish(const RankReport& mine, int64_t step,
                         StepTotals& totals) {
  const bool exact = level_ == ReductionLevel::exact;
  const int64_t values = theta_size_ + state_size_ + kLossValues;
  if (!exact && wire_.device() != device_)
    wire_.narrow(0, 0, values).copy_(sums_);
  Slot slot;
  slot.report = mine;
  slot.report.bad_task = bad_task_;
  slot.report.worst_task = worst_task_;
  slot.report.worst_loss = worst_loss_;
  slot.largest = largest_;
  slot.overflow = overflow_;
  write_slot(slot);

  const auto start = std::chrono::steady_clock::now();
  comm_.all_reduce(
      wire_.data_ptr(), static_cast<size_t>(wire_.numel()),
      exact ? DType::i64 : DType::f32, ReduceOp::sum,
      level_ == ReductionLevel::fixed ? SumOrder::by_rank : SumOrder::fast);
  comm_seconds_ +=
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
          .count();

  received_ = wire_.to(at::kCPU);
  totals.ranks.clear();
  std::array<float, 3> largest{};
  bool overflow = false;
  int64_t bad_task = -1;
  int bad_rank = 0;
  for (int r = 0; r < comm_.size(); ++r) {
    const Slot s = read_slot(r);
    totals.ranks.push_back(s.report);
    overflow |= s.overflow != 0;
    for (int i = 0; i < 3; ++i) largest[i] = std::max(largest[i], s.largest[i]);
    if (s.report.bad_task >= 0 && bad_task < 0) {
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
  if (exact)
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
  const int64_t means = theta_size_ + state_size_;
  const bool exact = level_ == ReductionLevel::exact;
  // What one unit of a segment is worth; sums in float32 are what they are.
  const auto value = [&](int64_t i, int segment) {
    if (!exact)
      return static_cast<double>(received_.const_data_ptr<float>()[i]);
    return static_cast<double>(received_.const_data_ptr<int64_t>()[i]) *
           std::ldexp(1.0, -static_cast<int>(used[segment]));
  };
  const double count = value(means + 2, 2);
  totals.loss = value(means, 2) / count;
  totals.accuracy = value(means + 1, 2) / count;
  totals.tasks = std::llround(count);
  at::Tensor mean;
  if (exact) {
    mean = at::empty({means}, at::kFloat);
    float* const out = mean.data_ptr<float>();
    const int64_t* const in = received_.const_data_ptr<int64_t>();
    const auto scale = [&](int64_t begin, int64_t end, int segment) {
      const double unit = std::ldexp(1.0, -static_cast<int>(used[segment]));
      for (int64_t i = begin; i < end; ++i)
        out[i] = static_cast<float>(static_cast<double>(in[i]) * unit / count);
    };
    scale(0, theta_size_, 0);
    scale(theta_size_, means, 1);
  } else {
    mean = received_.narrow(0, 0, means) / count;
  }
  mean = mean.to(device_);
  totals.gradient = mean.narrow(0, 0, theta_size_);
  totals.state = mean.narrow(0, theta_size_, state_size_);
}

}  // namespace protean
