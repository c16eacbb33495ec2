#include "protean/core/gpu_library.h"

#include <array>
#include <climits>

#include <dlfcn.h>

namespace protean {
namespace {

std::string loader_error() {
  const char* why = ::dlerror();
  return why ? why : "the loader gives no reason";
}

std::string open_once() {
  void* cpu = ::dlopen("libtorch_cpu.so", RTLD_NOW | RTLD_NOLOAD);
  if (!cpu) return "";
  std::array<char, PATH_MAX> folder{};
  const bool found = ::dlinfo(cpu, RTLD_DI_ORIGIN, folder.data()) == 0;
  const std::string why = found ? "" : loader_error();
  ::dlclose(cpu);  // the program's own reference keeps it
  if (!found) return why;
  // Open for good: its threads and static objects do not end before the
  // process.
  const auto path = std::string(folder.data()) + "/libtorch_cuda.so";
  return ::dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL) ? "" : loader_error();
}

}  // namespace

const std::string& open_gpu_library() {
  static const std::string why = open_once();
  return why;
}

bool has_gpu_driver() {
  // Open for good, as the run-time would have it.
  static const bool found = ::dlopen("libcuda.so.1", RTLD_LAZY) != nullptr;
  return found;
}

}  // namespace protean
