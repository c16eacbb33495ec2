#include "protean/core/memory_use.h"

#include <algorithm>
#include <fstream>

namespace protean {
namespace {

namespace fs = std::filesystem;

struct Files {
  const char *limit, *used, *peak, *droppable, *events;
};
constexpr Files kV1{"memory.limit_in_bytes", "memory.usage_in_bytes",
                    "memory.max_usage_in_bytes", "total_inactive_file",
                    "memory.oom_control"};
constexpr Files kV2{"memory.max", "memory.current", "memory.peak",
                    "inactive_file", "memory.events"};
// Version 1 says "none" by a number near 2^63.
constexpr uint64_t kNoLimit = uint64_t{1} << 60;

// 0 when the file is missing or holds no number ("max").
uint64_t number_in(const fs::path& file) {
  uint64_t value = 0;
  std::ifstream in(file);
  return in >> value ? value : 0;
}

// The number behind `key` in a file of such pairs; 0 when there is none.
uint64_t number_of(const std::string& key, const fs::path& file) {
  std::ifstream in(file);
  std::string word;
  uint64_t value = 0;
  while (in >> word >> value)
    if (word == key) return value;
  return 0;
}

// The nearest limit from `group` up to `top`.
std::optional<MemoryUse> limited(const fs::path& top, fs::path group,
                                 const Files& files) {
  // Inside a container the path may be that of the host.
  if (!fs::exists(group / files.used)) group = top;
  // Version 1 counts only in the group that the victim itself was in.
  const uint64_t killed = number_of("oom_kill", group / files.events);
  for (;; group = group.parent_path()) {
    const uint64_t limit = number_in(group / files.limit);
    if (limit > 0 && limit < kNoLimit) {
      const uint64_t used = number_in(group / files.used);
      const uint64_t files_only =
          number_of(files.droppable, group / "memory.stat");
      return MemoryUse{
          used - std::min(used, files_only), number_in(group / files.peak),
          limit, std::max(killed, number_of("oom_kill", group / files.events)),
          group.string()};
    }
    if (group == top || !group.has_relative_path()) return std::nullopt;
  }
}

}  // namespace

std::optional<MemoryUse> memory_use(const fs::path& membership,
                                    const fs::path& root) {
  std::ifstream in(membership);
  std::optional<MemoryUse> found;
  for (std::string line; std::getline(in, line);) {
    // hierarchy:controllers:/path
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos || second + 1 >= line.size()) continue;
    const auto controllers = line.substr(first + 1, second - first - 1);
    const auto path = line.substr(second + 2);  // without the slash
    if (controllers == "memory")
      found = limited(root / "memory", root / "memory" / path, kV1);
    else if (controllers.empty() && !found)
      found = limited(root, root / path, kV2);
  }
  return found;
}

}  // namespace protean
