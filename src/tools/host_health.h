// What a rank reads off its host: limits, disks, interfaces. No collectives.
#pragma once

#include <string>

#include "protean/tools/doctor.h"

namespace protean {

void read_limits(RankHealth& health);
void read_interfaces(RankHealth& health);
// Writes, syncs and removes a small file in `folder`.
void measure_disk(const std::string& folder, RankHealth& health);

// Copies what fits, always terminated.
template <size_t N>
void assign(char (&to)[N], const std::string& from) {
  const size_t n = from.copy(to, N - 1);
  to[n] = '\0';
}

}  // namespace protean
