// Vectors of the widest kind that the compiler was told to use, in portable
// GCC/Clang vector extensions.
#pragma once

#include <cstdint>
#include <cstring>

namespace protean::ops::simd {

#if defined(__AVX512F__)
constexpr int kBytes = 64;
constexpr int kRegisters = 32;
#elif defined(__AVX__)
constexpr int kBytes = 32;
constexpr int kRegisters = 16;
#elif defined(__aarch64__)
constexpr int kBytes = 16;
constexpr int kRegisters = 32;
#else
constexpr int kBytes = 16;
constexpr int kRegisters = 16;
#endif

template <typename T>
struct VecTypes {
  typedef T type __attribute__((vector_size(kBytes)));
  typedef T unaligned
      __attribute__((vector_size(kBytes), aligned(alignof(T)), may_alias));
};

template <typename T>
using Vec = typename VecTypes<T>::type;

template <typename T>
constexpr int kLanes = kBytes / sizeof(T);

#define PROTEAN_INLINE __attribute__((always_inline)) inline

template <typename T>
PROTEAN_INLINE Vec<T> load(const T* p) {
  return *reinterpret_cast<const typename VecTypes<T>::unaligned*>(p);
}

template <typename T>
PROTEAN_INLINE void store(T* p, Vec<T> v) {
  *reinterpret_cast<typename VecTypes<T>::unaligned*>(p) = v;
}

// x - 0 is x, also for x = -0, so this is a plain broadcast.
template <typename T>
PROTEAN_INLINE Vec<T> broadcast(T x) {
  return x - Vec<T>{};
}

}  // namespace protean::ops::simd
