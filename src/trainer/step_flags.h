// What a rank has seen of a step's stacks beside their sums: the first task
// that is not finite, the worst task, how large numbers became. On a device it
// stays there, and nothing is read.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "trainer/fixed_point.h"
#include "trainer/rank_slot.h"

namespace protean {

class StepFlags {
 public:
  explicit StepFlags(at::Device device);

  void clear();
  // losses: (T) float32, of the tasks `indices`.
  void add_losses(const std::vector<uint32_t>& indices,
                  const at::Tensor& losses);
  // Of a segment of a stack's sums; `first` is the stack's first task, which
  // stands for one that is not known.
  void add_fit(size_t segment, const Fit& fit, uint32_t first);
  void add_fit(size_t segment, const DeviceFit& fit, uint32_t first);
  // Of numbers that nothing rounds: float32 ().
  void add_largest(size_t segment, const at::Tensor& largest);

  // On the host: into the slot.
  void write(RankSlot& slot) const;
  // On a device: the slot's words from RankSlot::kFlags on, int64.
  at::Tensor words() const;

 private:
  void add_bad(const at::Tensor& task);

  at::Device device_;
  RankSlot host_;
  // The same on the device.
  at::Tensor bad_task_, worst_task_, overflow_;  // int64 ()
  at::Tensor worst_loss_, largest_;              // float32 (), (3)
};

}  // namespace protean
