// How much of its memory limit this process's control group uses: what the
// kernel kills for. Reads cgroup v2, or v1's memory controller.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace protean {

struct MemoryUse {
  uint64_t used = 0;   // bytes, without file pages that can be dropped
  uint64_t peak = 0;   // 0: unknown
  uint64_t limit = 0;  // of the nearest group above that has one
  // Processes of this group that the kernel killed for memory, ever.
  uint64_t killed = 0;
  std::string group;  // its folder
};

// nullopt: no group has a limit, or none can be read. The arguments are for
// tests.
std::optional<MemoryUse> memory_use(
    const std::filesystem::path& membership = "/proc/self/cgroup",
    const std::filesystem::path& root = "/sys/fs/cgroup");

}  // namespace protean
