// The contract on the GPUs of this machine: alone, or under mpirun. Ranks that
// share a GPU pretend to be different hosts, which NCCL then accepts. Exit 77
// where there is no GPU.
#include <cstdio>
#include <cstdlib>

#include "protean/comm/world.h"

#include "comm/launcher.h"
#include "comm/nccl/api.h"
#include "contract/contract_suite.h"

using namespace protean;

namespace {

class DeviceMemory final : public TestMemory {
 public:
  void* allocate(size_t bytes) override {
    void* p = nullptr;
    check(api_.allocate(&p, bytes));
    return p;
  }
  void release(void* p) override { check(api_.release(p)); }
  void to_device(void* to, const void* from, size_t bytes) override {
    if (bytes) check(api_.copy(to, from, bytes));
  }
  void to_host(void* to, const void* from, size_t bytes) override {
    if (bytes) check(api_.copy(to, from, bytes));
  }

 private:
  void check(int result) {
    if (result != nccl::kCudaSuccess) throw Error(api_.cuda_text(result));
  }
  const nccl::Api& api_ = nccl::load();
};

}  // namespace

int main() {
  ::setenv("NCCL_HOSTID", std::to_string(find_launcher().rank).c_str(), 1);
  std::string reason;
  if (!nccl_available(&reason)) {
    std::fprintf(stderr, "skipped: %s\n", reason.c_str());
    return 77;
  }
  CommOptions options;
  options.backend = "nccl";
  options.timeout_s = 60;
  try {
    return run_world(options, [](World& world) {
      DeviceMemory memory;
      int64_t failed = 0;
      for (const ContractCase& contract : contract_cases()) {
        Notes notes;
        contract.body({*world.data, memory, false, 1 << 20}, notes);
        for (const auto& line : notes.lines()) {
          std::fprintf(stderr, "FAILED rank %d, %s: %s\n",
                       world.control->rank(), contract.name, line.c_str());
          failed = 1;
        }
      }
      if (world.control->rank() == 0 && !failed)
        std::fprintf(stderr, "nccl %s, %d ranks: contract kept\n",
                     nccl_version().c_str(), world.control->size());
      return static_cast<int>(failed);
    });
  } catch (const Error& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return e.exit_code();
  }
}
