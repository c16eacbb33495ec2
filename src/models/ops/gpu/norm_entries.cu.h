// The kernels by name: norm_forward_float, norm_forward_double and so on. One
// block of protean_gpu::kThreads threads per group.
#define PROTEAN_NORM_ENTRIES(Real, type)                                      \
  extern "C" __global__ void __launch_bounds__(protean_gpu::kThreads)         \
      norm_forward_##type(protean_gpu::Shape s, const Real* x,                \
                          const Real* gamma, const Real* beta,                \
                          const Real* weight, Real eps, Real* mean, Real* r,  \
                          Real* variance, unsigned char* choice, Real* y) {   \
    protean_gpu::forward<Real>(s, blockIdx.x, x, gamma, beta, weight, eps,    \
                               mean, r, variance, choice, y);                 \
  }                                                                           \
  extern "C" __global__ void __launch_bounds__(protean_gpu::kThreads)         \
      norm_backward_##type(protean_gpu::Shape s, const Real* x,               \
                           const Real* gamma, const Real* weight,             \
                           const Real* mean, const Real* r,                   \
                           const unsigned char* choice, const Real* gy,       \
                           Real* gx, Real* sum1, Real* sum2) {                \
    protean_gpu::backward<Real>(s, blockIdx.x, x, gamma, weight, mean, r,     \
                                choice, gy, gx, sum1, sum2);                  \
  }                                                                           \
  extern "C" __global__ void __launch_bounds__(protean_gpu::kThreads)         \
      norm_double_backward_##type(                                            \
          protean_gpu::Shape s, const Real* x, const Real* gamma,             \
          const Real* weight, const Real* mean, const Real* r,                \
          const unsigned char* choice, const Real* gy, const Real* sum1,      \
          const Real* sum2, const Real* v, const Real* u_gamma,               \
          const Real* u_beta, Real* to_gy, Real* to_x, Real* to_gamma) {      \
    protean_gpu::double_backward<Real>(s, blockIdx.x, x, gamma, weight, mean, \
                                       r, choice, gy, sum1, sum2, v, u_gamma, \
                                       u_beta, to_gy, to_x, to_gamma);        \
  }

PROTEAN_NORM_ENTRIES(float, float)
PROTEAN_NORM_ENTRIES(double, double)
