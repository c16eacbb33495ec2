// Ranks as threads, for tests: every rank's result or error comes back to the
// test's own thread, where Catch may look at it.
#pragma once

#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "protean/comm/world.h"

namespace protean {

template <typename T>
struct WorldResult {
  int exit_code = 0;
  std::vector<std::optional<T>> value;  // per rank; none: it threw
  std::vector<std::string> error;       // per rank; empty: it returned
  bool ok() const { return exit_code == 0; }
};

// body(World&) returns T (bool for void) on each of `ranks` threads. A call
// that takes longer than timeout_s fails the ranks that wait in it.
template <typename Body>
auto run_ranks(int ranks, Body body, double timeout_s = 20) {
  using Returned = std::invoke_result_t<Body, World&>;
  using T = std::conditional_t<std::is_void_v<Returned>, bool, Returned>;
  WorldResult<T> result;
  result.value.resize(static_cast<size_t>(ranks));
  result.error.resize(static_cast<size_t>(ranks));
  CommOptions options;
  options.backend = "inproc";
  options.ranks = ranks;
  options.timeout_s = timeout_s;
  result.exit_code = run_world(options, [&](World& world) {
    const auto me = static_cast<size_t>(world.control->rank());
    try {
      if constexpr (std::is_void_v<Returned>) {
        body(world);
        result.value[me] = true;
      } else {
        result.value[me] = body(world);
      }
    } catch (const std::exception& e) {
      result.error[me] = e.what();
      throw;
    }
    return 0;
  });
  return result;
}

}  // namespace protean
