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

# nccl.h and the CUDA run-time's headers come with LibTorch's wheels or from the
# system; where they are missing or incomplete the NCCL backend is left out and
# says so at run time.
include(CheckCXXSourceCompiles)
find_path(NCCL_INCLUDE_DIR nccl.h
  HINTS ${PROTEAN_NVIDIA}/nccl/include $ENV{NCCL_HOME}/include)
find_path(CUDART_INCLUDE_DIR cuda_runtime_api.h
  HINTS ${PROTEAN_NVIDIA}/cu13/include ${PROTEAN_NVIDIA}/cuda_runtime/include
        $ENV{CUDA_HOME}/include)
if(NCCL_INCLUDE_DIR AND CUDART_INCLUDE_DIR)
  set(CMAKE_REQUIRED_INCLUDES ${NCCL_INCLUDE_DIR} ${CUDART_INCLUDE_DIR})
  check_cxx_source_compiles(
    "#include <cuda_runtime_api.h>
     #include <nccl.h>
     int main() {}" PROTEAN_NCCL_COMPILES)
  unset(CMAKE_REQUIRED_INCLUDES)
  if(NOT PROTEAN_NCCL_COMPILES)
    set(NCCL_INCLUDE_DIR NCCL_INCLUDE_DIR-NOTFOUND)
    message(STATUS "NCCL: nccl.h does not compile with ${CUDART_INCLUDE_DIR}; "
                   "left out")
  endif()
endif()

# Catch2 2.13 (Debian 12, Ubuntu 22.04) or 3.x.
if(PROTEAN_TESTS)
  find_package(Catch2 REQUIRED)
  # A file without a case is a failure; 3.x sees it so by itself.
  set(PROTEAN_CATCH_OPTIONS "")
  if(Catch2_VERSION VERSION_LESS 3)
    set(PROTEAN_CATCH_OPTIONS --warn NoTests)
  endif()
endif()

# The Python module is for the Python that is found, whose nanobind builds it.
if(PROTEAN_PYTHON)
  find_package(Python 3.9 REQUIRED COMPONENTS Interpreter Development.Module)
  if(NOT nanobind_ROOT)
    execute_process(COMMAND ${Python_EXECUTABLE} -m nanobind --cmake_dir
                    OUTPUT_VARIABLE found OUTPUT_STRIP_TRAILING_WHITESPACE
                    RESULT_VARIABLE missing)
    if(missing)
      message(FATAL_ERROR "${Python_EXECUTABLE} has no nanobind; expected "
                          "python -m pip install nanobind")
    endif()
    set(nanobind_ROOT ${found} CACHE PATH "nanobind's CMake package")
  endif()
endif()
