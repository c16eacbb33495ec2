// The sum over all stacks of a meta-step.
//
// One flat buffer carries the gradient, the meta-state, the losses and one slot
// per rank for what ranks tell each other: stop requests, a hash of theta, the
// task that is not finite, the worst task.
//
//   fast   float32 sums in the library's order.
//   fixed  float32 sums in rank order: same ranks, same bits.
//   exact  every stack's sums become int64 fixed point, so the total does not
//          depend on who computed which stack: any ranks, same bits. One scale
//          per segment (gradient, meta-state, losses), a power of two from the
//          last step's largest stack with kHeadroomBits to grow; a stack beyond
//          that makes every rank repeat the step with a larger scale.
//
// overlap: what a rank has summed before its last stack travels while that
// stack computes, in a collective of its own. Pays where buffers are large and
// ranks own several stacks. wire: gradients travel as 16-bit numbers, with
// error feedback (half_wire.h); not in exact.
//
// On a device nothing is read before finish(), which reads once: the sums for a
// communicator of host memory, or what was received by one of device memory
// beside them. The words of the rank's slot that follow from device values are
// written there.
//
// Not thread-safe; one per rank.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "protean/comm/communicator.h"
#include "protean/learners/learner.h"

namespace protean {

enum class ReductionLevel { fast, fixed, exact };
// comm.reduction; throws ConfigError naming the values.
ReductionLevel reduction_from_name(const std::string& name);

struct ReductionOptions {
  ReductionLevel level = ReductionLevel::exact;
  DType wire = DType::f32;  // f32, bf16 or f16
  bool overlap = false;
};
struct Config;
// comm.reduction, comm.wire, comm.overlap; throws ConfigError naming the key.
ReductionOptions reduction_options(const Config& config);

// Throws AgreedError unless comm can make these sums of tensors on the device:
// NCCL takes no host memory, and offers no order of ranks.
void check_reduction(const ReductionOptions& options, const Communicator& comm,
                     at::Device device);

class HalfWire;
class StepFlags;
struct FixedScale;
struct RankSlot;

// What one rank tells all others in a step.
struct RankReport {
  int64_t stop = 0;  // bits, see trainer
  // Of theta and meta-state at the start of the step; on a device finish()
  // fills it in.
  uint64_t hash = 0;
  int64_t bad_task = -1;  // index of a task whose loss is not finite
  int64_t worst_task = -1;
  float worst_loss = 0;
  float busy_s = 0;           // computing, this step, by the wall's clock
  float cpu_s = 0;            // the same by the processor's
  uint32_t cost_version = 0;  // newest cost table that this rank holds
};

struct StepTotals {
  at::Tensor gradient;  // float32, the mean over the meta-batch
  at::Tensor state;     // float32, likewise
  double loss = 0;      // means over the meta-batch
  double accuracy = 0;  // meaningless for regression
  int64_t tasks = 0;
  std::vector<RankReport> ranks;
};

class StepReducer {
 public:
  // Exponents of the fixed-point scale, by segment; kept in checkpoints.
  using Exponents = std::array<int64_t, 3>;

  // Throws as check_reduction() does.
  StepReducer(Communicator& comm, const ReductionOptions& options,
              int64_t theta_size, int64_t state_size, at::Device device);
  ~StepReducer();

  // stacks: of the whole meta-batch.
  void begin(int64_t stacks);
  // Where the learner adds the next stack's sums.
  MetaView stack_sums();
  // After the learner: indices are the stack's tasks.
  void stack_done(const std::vector<uint32_t>& indices,
                  const TaskLosses& losses);
  // With options.overlap, once per step on every rank, between two stacks or
  // before finish(): the sums so far set out.
  void ship();
  // Collective. meta: what the step started from; looked at on a device alone.
  // False: a scale overflowed; repeat the step from begin().
  // Throws NumericError, the same on every rank, when a loss or gradient is not
  // finite.
  bool finish(const RankReport& mine, const MetaView& meta, int64_t step,
              StepTotals& totals);

  const Exponents& exponents() const { return exponents_; }
  void set_exponents(const Exponents& e) { exponents_ = e; }
  // What this rank has yet to send of earlier gradients, float32 (theta); may
  // be written to. Undefined for a wire of full width.
  at::Tensor& residual();
  // Seconds since construction that finish() waited for collectives: those that
  // no computation hid.
  double comm_seconds() const { return comm_seconds_; }
  int64_t repeats() const { return repeats_; }

 private:
  // A part of the step's sums on its way: all of it, or what ship() sent and
  // the rest.
  struct Parcel {
    at::Tensor wide;  // float32 or int64: sums that are not in `narrow`, slots
    at::Tensor narrow;  // 16-bit gradients
    // What travels of `wide`: itself, or its copy in pinned host memory.
    at::Tensor sent;
    std::vector<std::unique_ptr<CommRequest>> requests;
  };
  bool exact() const { return options_.level == ReductionLevel::exact; }
  // Of the sums, where the wide part begins.
  int64_t wide_begin() const { return half_ ? theta_size_ : 0; }
  int64_t values() const;
  bool staged() const { return !device_.is_cpu() && !comm_.on_device(); }
  FixedScale scale(size_t segment) const;
  void add_stack(at::Tensor& out, const TaskLosses& losses, uint32_t first);
  void add_losses(const TaskLosses& losses);
  void load(Parcel& parcel);
  void write_slot(const RankReport& mine, const MetaView& meta);
  void send(Parcel& parcel);
  void wait(Parcel& parcel);
  void receive();
  bool read_slots(int64_t step, StepTotals& totals);
  at::Tensor received_gradient(const Parcel& parcel) const;
  void read_totals(const Exponents& used, StepTotals& totals);
  at::Tensor mean_of(const Exponents& used, double count);

  Communicator& comm_;
  const ReductionOptions options_;
  int64_t theta_size_, state_size_;
  at::Device device_;
  std::unique_ptr<HalfWire> half_;  // null: full width
  at::Tensor sums_;  // float32: theta, state, losses; one stack's in exact
  Parcel early_, late_;
  bool shipped_ = false;
  // The wide parts' sum after the collective, where it was received, and on the
  // host from losses on.
  at::Tensor received_, told_;
  at::Tensor gradient_;  // of the narrow ones, float32, on the device
  at::Tensor mean_;      // pinned, where staged
  Exponents exponents_{};
  int64_t stacks_ = 1;
  std::unique_ptr<StepFlags> flags_;
  double comm_seconds_ = 0;
  int64_t repeats_ = 0;
};

}  // namespace protean
