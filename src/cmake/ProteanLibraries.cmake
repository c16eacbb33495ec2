# Libraries from the system, each linked by one module only.

find_package(Threads REQUIRED)
find_package(nlohmann_json 3.9 REQUIRED)
find_package(PNG REQUIRED)
find_package(ZLIB REQUIRED)
find_package(JPEG REQUIRED)
find_package(Boost 1.71 REQUIRED COMPONENTS program_options)
find_package(PkgConfig REQUIRED)
pkg_check_modules(LIBZIP REQUIRED IMPORTED_TARGET libzip)
find_package(MPI REQUIRED COMPONENTS CXX)

# nccl.h comes with LibTorch's wheel or from the system; without it the NCCL
# backend is left out and says so at run time.
find_path(NCCL_INCLUDE_DIR nccl.h
  HINTS ${PROTEAN_NVIDIA}/nccl/include $ENV{NCCL_HOME}/include)
set(cuda_includes ${PROTEAN_NVIDIA}/cu13/include
    ${PROTEAN_NVIDIA}/cuda_runtime/include $ENV{CUDA_HOME}/include)
find_path(CUDART_INCLUDE_DIR cuda_runtime_api.h HINTS ${cuda_includes})
# Part of every toolkit but not of the run-time's wheel, which includes it.
find_path(CUDA_CRT_INCLUDE_DIR crt/host_defines.h HINTS ${cuda_includes})
if(NOT CUDA_CRT_INCLUDE_DIR)
  set(CUDART_INCLUDE_DIR CUDART_INCLUDE_DIR-NOTFOUND)
endif()

# Catch2 2.13 (Debian 12, Ubuntu 22.04) or 3.x.
if(PROTEAN_TESTS)
  find_package(Catch2 REQUIRED)
endif()
