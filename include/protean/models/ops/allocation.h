// How the process allocates large buffers.
#pragma once

namespace protean::ops {

// Tells the C library to keep freed memory instead of handing it back to the
// kernel. A second-order step frees and takes the same large buffers again and
// again; returned and faulted in anew each time they cost 8-30 % of the run.
// Call once at the start of main, before there are other threads. Resident
// memory then stays at its peak. Does nothing where the C library is not glibc.
void keep_freed_memory();

}  // namespace protean::ops
