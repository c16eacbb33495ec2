#include "protean/models/ops/allocation.h"

#include <cstdlib>
#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace protean::ops {

void keep_freed_memory() {
#ifdef __GLIBC__
  // Blocks come from the heap rather than from mmap (glibc caps the threshold
  // at half a heap, 32 MiB; larger values are refused), and the top of the heap
  // is not trimmed.
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, -1);
  // Arenas of other threads unmap their heaps whatever the threshold says, and
  // hold no block above 64 MiB.
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_TOP_PAD, 64 << 20);
#endif
}

}  // namespace protean::ops
