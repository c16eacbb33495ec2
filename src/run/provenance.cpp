#include "protean/run/provenance.h"

#include <fstream>

#include <ATen/Version.h>
#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "build_commit.h"
#include "build_info.h"

namespace protean {
namespace {

using Json = nlohmann::json;

std::string cpu_model() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    const auto colon = line.find(": ");
    if (colon != std::string::npos && line.starts_with("model name"))
      return line.substr(colon + 2);
  }
  return "unknown";
}

// What the compiler was allowed to use.
const char* built_for() {
#if defined(__AVX512F__)
  return "AVX512";
#elif defined(__AVX2__)
  return "AVX2";
#elif defined(__AVX__)
  return "AVX";
#elif defined(__x86_64__)
  return "SSE2";
#else
  return "default";
#endif
}

// Cores this process may use: what a launcher bound it to, not what is there.
int usable_cores() {
  cpu_set_t set;
  return ::sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
}

std::string one_line(std::string text) {
  for (char& c : text)
    if (c == '\n' || c == '\t') c = ' ';
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

}  // namespace

std::string build_commit() { return PROTEAN_BUILD_COMMIT; }

Json numeric_provenance() {
  return {{"compiler", build::kCompiler},
          {"flags", build::kFlags},
          {"built_for", built_for()},
          // What LibTorch chose on this machine (or was told to choose).
          {"instruction_set", at::get_cpu_capability()},
          {"libtorch", build::kLibTorch},
          {"blas", one_line(at::get_mkl_version())},
          {"onednn", one_line(at::get_mkldnn_version())}};
}

Json provenance(const std::string& mpi, const std::string& nccl) {
  auto json = numeric_provenance();
  char host[256] = "";
  ::gethostname(host, sizeof host - 1);
  utsname system{};
  ::uname(&system);
  json["version"] = build::kVersion;
  json["commit"] = build_commit();
  json["build_type"] = build::kBuildType;
  json["mpi"] = mpi.empty() ? "none" : one_line(mpi);
  json["nccl"] = nccl.empty() ? "none" : one_line(nccl);
  json["cpu"] = cpu_model();
  json["cores"] = usable_cores();
  json["host"] = host;
  json["system"] =
      std::string(system.sysname) + " " + system.release + " " + system.machine;
  return json;
}

std::string provenance_difference(const Json& a, const Json& b) {
  std::string text;
  auto all = a;
  all.update(b);
  for (const auto& [key, value] : all.items()) {
    const auto left = a.value(key, Json()), right = b.value(key, Json());
    if (left == right) continue;
    text.append(text.empty() ? "" : "; ")
        .append(key)
        .append(": ")
        .append(left.dump())
        .append(" and ")
        .append(right.dump());
  }
  return text;
}

}  // namespace protean
