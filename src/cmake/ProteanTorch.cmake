# LibTorch as imported targets of our own. The CMake files of a CUDA wheel want
# nvcc; nothing here does, so its libraries are named directly.
#
# Looked for in: LIBTORCH_ROOT (a LibTorch folder or the torch folder of a
# wheel), then PROTEAN_DEPS/torch, then .deps/torch beside this file's project.

foreach(var LIBTORCH_ROOT PROTEAN_DEPS)
  if(NOT ${var} AND DEFINED ENV{${var}})
    set(${var} $ENV{${var}})
  endif()
endforeach()
if(NOT PROTEAN_DEPS)
  set(PROTEAN_DEPS ${CMAKE_SOURCE_DIR}/.deps)
endif()
if(NOT LIBTORCH_ROOT)
  set(LIBTORCH_ROOT ${PROTEAN_DEPS}/torch)
endif()
if(NOT EXISTS ${LIBTORCH_ROOT}/lib/libtorch_cpu.so)
  message(FATAL_ERROR
    "LibTorch: no lib/libtorch_cpu.so under ${LIBTORCH_ROOT}. Run "
    "./launch/setup.sh, or set LIBTORCH_ROOT to a LibTorch >= 2.6.")
endif()
foreach(header torch/headeronly/version.h
               torch/csrc/api/include/torch/version.h)
  if(EXISTS ${LIBTORCH_ROOT}/include/${header})
    file(STRINGS ${LIBTORCH_ROOT}/include/${header} lines
         REGEX "TORCH_VERSION_(MAJOR|MINOR|PATCH) [0-9]+")
    string(REGEX MATCHALL "[0-9]+" numbers "${lines}")
    list(JOIN numbers "." PROTEAN_TORCH_VERSION)
    break()
  endif()
endforeach()

# Imported: whoever uses an installed Protean has a target of this name too.
add_library(protean_torch INTERFACE IMPORTED GLOBAL)
target_include_directories(protean_torch SYSTEM INTERFACE
  ${LIBTORCH_ROOT}/include ${LIBTORCH_ROOT}/include/torch/csrc/api/include)
target_link_options(protean_torch INTERFACE
  -Wl,-rpath,${LIBTORCH_ROOT}/lib)
target_link_libraries(protean_torch INTERFACE
  ${LIBTORCH_ROOT}/lib/libtorch_cpu.so ${LIBTORCH_ROOT}/lib/libc10.so)
# The wheel keeps its CUDA run-time beside it, also in the CPU set: libtorch_cpu
# names it as a dependency.
get_filename_component(PROTEAN_SITE ${LIBTORCH_ROOT} DIRECTORY)
set(PROTEAN_NVIDIA ${PROTEAN_SITE}/nvidia)
if(EXISTS ${PROTEAN_NVIDIA}/cu13/lib)
  target_link_options(protean_torch INTERFACE
    -Wl,-rpath-link,${PROTEAN_NVIDIA}/cu13/lib)
endif()

# Loops on several threads use LibTorch's own OpenMP run-time, as two in one
# process would start a team of threads each. Clang's calls are not in GCC's
# run-time, and ThreadSanitizer does not see how a run-time's threads wait for
# each other: without OpenMP loops run on one thread, and a run says so.
set(PROTEAN_OPENMP_LIBRARY "")
find_package(OpenMP COMPONENTS CXX)
execute_process(COMMAND ${CMAKE_READELF} -d ${LIBTORCH_ROOT}/lib/libtorch_cpu.so
                OUTPUT_VARIABLE needed ERROR_QUIET)
string(REGEX MATCH "lib(gomp|iomp5|omp)[-.][^]]*" PROTEAN_OPENMP_NAME "${needed}")
if(OpenMP_CXX_FOUND AND PROTEAN_OPENMP_NAME
   AND (CMAKE_CXX_COMPILER_ID STREQUAL GNU OR NOT PROTEAN_OPENMP_NAME MATCHES gomp)
   AND NOT PROTEAN_SANITIZE MATCHES thread)
  find_library(PROTEAN_OPENMP NAMES ${PROTEAN_OPENMP_NAME}
    HINTS ${LIBTORCH_ROOT}/lib ${PROTEAN_SITE}/torch.libs ${PROTEAN_SITE}/lib)
  if(PROTEAN_OPENMP)
    set(PROTEAN_OPENMP_LIBRARY ${PROTEAN_OPENMP})
  endif()
endif()
if(NOT PROTEAN_OPENMP_LIBRARY)
  message(STATUS "OpenMP: none of LibTorch's own (${PROTEAN_OPENMP_NAME}); "
                 "run.threads will not be used")
endif()
