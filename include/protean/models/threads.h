// The threads of one rank, and the loops that are cut over them.
//
// Only loops of ours run on several threads, and they are cut so that no sum
// is: a result has the same bits on any number of threads. LibTorch's own
// operations, which cut sums by threads, stay on the thread that calls them.
#pragma once

#include <cstdint>

#include <c10/util/FunctionRef.h>

namespace protean {

// For every loop of this process from now on; 1 until it is called. LibTorch
// keeps to one thread. Call before a rank's work starts.
void set_threads(int threads);
int threads();

// The OpenMP run-time that makes them, or "" where the program was built
// without one: loops then run on the thread that calls, whatever threads() is.
const char* thread_library();

// f(begin, end) over [0, n), cut evenly over threads() threads of at least
// grain each; in one call where it is called from inside of another loop.
// Blocks until all are done; the first exception of f is thrown on.
void parallel_for(int64_t n, int64_t grain,
                  c10::function_ref<void(int64_t, int64_t)> f);

}  // namespace protean
