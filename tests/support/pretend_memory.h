// Memory of pretend accelerators: it is the host's, at an address where the
// host cannot reach it.
//
// A device address is a host address with a bit set that no host address has,
// and the device's index above it. Reading or writing there is a segmentation
// fault at the line that does it, on every thread and at any time; what stands
// for the device works through host_of(). Up to 16 devices, x86-64 and AArch64.
// Thread-safe. Knows nothing of LibTorch, so that tests of the communicator can
// use it alone.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace protean::pretend {

constexpr int kMostDevices = 16;
constexpr int kDeviceBit = 52;  // user addresses end below it
constexpr int kIndexShift = kDeviceBit + 1;

inline uint64_t bits_of(const void* p) { return reinterpret_cast<uint64_t>(p); }

inline bool on_device(const void* p) {
  return (bits_of(p) >> kDeviceBit & 1) != 0;
}

// Of a device address.
inline int index_of(const void* p) {
  return static_cast<int>(bits_of(p) >> kIndexShift);
}

// Where the device finds what p names; nullptr stays nullptr.
template <typename T>
T* host_of(T* p) {
  constexpr uint64_t kHost = (uint64_t{1} << kDeviceBit) - 1;
  return reinterpret_cast<T*>(bits_of(p) & kHost);
}

struct Memory {
  std::atomic<int64_t> bytes{0};  // given out now
  std::atomic<int64_t> most{0};   // the largest that bytes has been
  std::atomic<int64_t> limit{int64_t{1} << 50};
};

inline Memory& memory_of(int index) {
  static std::array<Memory, kMostDevices> all;
  return all[static_cast<size_t>(index)];
}

// nullptr: the device's limit is reached. Zero bytes are nullptr too.
inline void* allocate(size_t bytes, int index) {
  constexpr size_t kAlign = 64;  // the size stands in front
  if (bytes == 0) return nullptr;
  const auto n = static_cast<int64_t>(bytes);
  auto& memory = memory_of(index);
  const int64_t now = memory.bytes += n;
  if (now > memory.limit) {
    memory.bytes -= n;
    return nullptr;
  }
  for (int64_t most = memory.most;
       now > most && !memory.most.compare_exchange_weak(most, now);) {
  }
  char* const whole = static_cast<char*>(
      std::aligned_alloc(kAlign, (bytes + 2 * kAlign - 1) / kAlign * kAlign));
  if (!whole) throw std::bad_alloc();
  *reinterpret_cast<int64_t*>(whole) = n;
  const uint64_t tag = uint64_t{1} << kDeviceBit | static_cast<uint64_t>(index)
                                                       << kIndexShift;
  return reinterpret_cast<void*>(bits_of(whole + kAlign) | tag);
}

inline void release(void* p) {
  if (!p) return;
  char* const whole = static_cast<char*>(host_of(p)) - 64;
  memory_of(index_of(p)).bytes -= *reinterpret_cast<int64_t*>(whole);
  std::free(whole);
}

}  // namespace protean::pretend
