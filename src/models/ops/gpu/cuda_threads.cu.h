// What the kernels' text means to NVRTC: a phase is one pass of a block's
// threads, with a barrier behind it. Stands before norm_relu_pool.cu.h and
// norm_entries.cu.h in the text that is compiled.
#define PROTEAN_DEVICE __device__
#define PROTEAN_SHARED __shared__
#define PROTEAN_SQRT sqrt
#define PROTEAN_FOR_THREADS(thread) \
  {                                 \
    const int thread = threadIdx.x;
#define PROTEAN_END_THREADS \
  }                         \
  __syncthreads();
