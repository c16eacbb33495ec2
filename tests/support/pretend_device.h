// A pretend accelerator for LibTorch, so that tests walk the whole device path
// without a GPU: several devices, memory that faults when the host touches it
// (pretend_memory.h), and a count of what crosses between host and device.
//
// Every operator runs through LibTorch's CPU kernels, one after the other; the
// tensors of one operator must lie on one device (CPU scalars aside). So
// results are the CPU's up to the order of sums, and wrong order between
// streams does not show.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include <c10/core/Device.h>

namespace protean::pretend {

// Once per process, before the first tensor on a device. 1 to 16 devices.
void install(int devices);

// What the host asked of all devices since the last clear().
struct Counts {
  int64_t operators = 0;  // about one kernel launch each
  // The host waits for the device: a value or tensor read, or an operator that
  // needs one inside (nonzero, equal, a mask as an index).
  int64_t reads = 0;
  int64_t uploads = 0;                     // from pinned memory, not waited for
  int64_t waited_uploads = 0;              // from memory that is not pinned
  std::map<std::string, int64_t> read_by;  // reads by what made them
};
Counts counts();
void clear_counts();

// The device that the calling thread has set.
int current_device();
void set_current_device(int index);

// Allocations beyond this fail as LibTorch's do on a GPU that is full.
void limit_memory(int index, int64_t bytes);

}  // namespace protean::pretend
