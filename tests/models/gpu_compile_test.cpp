// The GPU kernels through NVRTC, which needs no GPU and no toolkit. Skipped
// (77) where there is no NVRTC; PROTEAN_NVRTC names its library.
#include <cstdio>
#include <cstdlib>
#include <string>

#include <dlfcn.h>

#include "protean/core/atomic_file.h"

#include "support/catch.h"

namespace protean {
namespace {

// Before main(): Catch2 2 has no way to skip.
void* const kNvrtc = [] {
  const char* given = std::getenv("PROTEAN_NVRTC");
  for (const std::string name :
       {given ? given : "", "libnvrtc.so.13", "libnvrtc.so.12",
        "/usr/local/cuda/lib64/libnvrtc.so"})
    if (!name.empty())
      if (void* library = ::dlopen(name.c_str(), RTLD_NOW)) return library;
  std::puts("skipped: no NVRTC here; PROTEAN_NVRTC names its library");
  std::fflush(stdout);
  std::_Exit(77);
}();

TEST_CASE("GPU kernels compile for every architecture that we name",
          "[models][gpu_kernels]") {
  using Program = void*;
  const auto find = [&](const char* name) {
    void* f = ::dlsym(kNvrtc, name);
    REQUIRE(f);
    return f;
  };
  const auto create =
      reinterpret_cast<int (*)(Program*, const char*, const char*, int,
                               const char* const*, const char* const*)>(
          find("nvrtcCreateProgram"));
  const auto compile =
      reinterpret_cast<int (*)(Program, int, const char* const*)>(
          find("nvrtcCompileProgram"));
  const auto log_size = reinterpret_cast<int (*)(Program, size_t*)>(
      find("nvrtcGetProgramLogSize"));
  const auto log =
      reinterpret_cast<int (*)(Program, char*)>(find("nvrtcGetProgramLog"));
  const auto cubin_size =
      reinterpret_cast<int (*)(Program, size_t*)>(find("nvrtcGetCUBINSize"));
  const std::string folder = PROTEAN_GPU_KERNELS "/";
  const auto text = read_file(folder + "cuda_threads.cu.h") +
                    read_file(folder + "norm_relu_pool.cu.h") +
                    read_file(folder + "norm_entries.cu.h");
  for (const char* architecture :
       {"--gpu-architecture=sm_80", "--gpu-architecture=sm_90",
        "--gpu-architecture=sm_100"}) {
    INFO(architecture);
    Program program = nullptr;
    REQUIRE(create(&program, text.c_str(), "norm.cu", 0, nullptr, nullptr) ==
            0);
    const int result = compile(program, 1, &architecture);
    size_t size = 0;
    log_size(program, &size);
    std::string words(size, '\0');
    log(program, words.data());
    INFO(words);
    REQUIRE(result == 0);
    REQUIRE(cubin_size(program, &size) == 0);
    CHECK(size > 1000);
  }
}

}  // namespace
}  // namespace protean
