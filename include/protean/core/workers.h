// Work on many equal items by a few threads, started for it and gone after it.
#pragma once

#include <cstddef>
#include <functional>

namespace protean {

// Cores that this process may run on (its affinity mask), at least 1.
int usable_cores();

// Calls work(0) to work(count - 1), each once, in any order, on `threads`
// threads, the caller's among them. The exception of the least item that failed
// is thrown once all threads have ended; items behind a failed one may be left
// out.
void run_workers(size_t count, int threads,
                 const std::function<void(size_t item)>& work);

}  // namespace protean
