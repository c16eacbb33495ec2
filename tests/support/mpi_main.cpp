#include "support/mpi_main.h"

#if __has_include(<catch2/catch_session.hpp>)
#include <catch2/catch_session.hpp>
#else
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#endif

#include <algorithm>
#include <iostream>
#include <sstream>

namespace protean {
namespace {
World* g_world = nullptr;
}

World& test_world() { return *g_world; }

}  // namespace protean

int main(int argc, char** argv) {
  protean::CommOptions options;
  options.backend = "mpi";
  options.timeout_s = 20;
  options.init_timeout_s = 60;
  // So that small tests see several chunks, and both ways to sum.
  options.chunk_bytes = 1000;
  options.slice_ranks = 2;
  return protean::run_world(options, [&](protean::World& world) {
    protean::g_world = &world;
    const bool quiet = world.control->rank() != 0;
    std::ostringstream kept;
    auto* out = std::cout.rdbuf();
    if (quiet) std::cout.rdbuf(kept.rdbuf());
    const int failed = Catch::Session().run(argc, argv);
    std::cout.rdbuf(out);
    if (quiet && failed)
      std::cout << "rank " << world.control->rank() << ":\n" << kept.str();
    std::cout.flush();
    return std::min(failed, 1);
  });
}
