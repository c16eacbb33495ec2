#include <string>

#include "comm/nccl/nccl_communicator.h"
#include "contract/contract_suite.h"
#include "support/catch.h"
#include "support/fake_nccl.h"
#include "support/run_world.h"

namespace protean {
namespace {

class FakeMemory final : public TestMemory {
 public:
  explicit FakeMemory(const nccl::Api& api) : api_(api) {}
  void* allocate(size_t bytes) override {
    void* p = nullptr;
    api_.allocate(&p, bytes);
    return p;
  }
  void release(void* p) override { api_.release(p); }
  void to_device(void* to, const void* from, size_t bytes) override {
    api_.copy(to, from, bytes);
  }
  void to_host(void* to, const void* from, size_t bytes) override {
    api_.copy(to, from, bytes);
  }

 private:
  const nccl::Api& api_;
};

TEST_CASE("nccl keeps the contract, on a fake library", "[contract][nccl]") {
  for (int ranks = 1; ranks <= 4; ++ranks)
    for (const ContractCase& contract : contract_cases()) {
      FakeNccl fake(ranks);
      for (int r = 0; r < ranks; ++r) fake.faults(r).in_progress = r % 2;
      auto out = run_ranks(ranks, [&](World& world) {
        const int rank = world.control->rank();
        auto comm = nccl::make(fake.api(rank), world, {});
        FakeMemory memory(fake.api(rank));
        Notes notes;
        contract.body({*comm, memory, false, 1000}, notes);
        return notes.lines();
      });
      INFO(contract.name << " on " << ranks << " ranks");
      CHECK(out.exit_code == 0);
      for (int r = 0; r < ranks; ++r) {
        INFO("rank " << r);
        CHECK(out.error[static_cast<size_t>(r)] == "");
        CHECK(out.value[static_cast<size_t>(r)] == std::vector<std::string>{});
      }
      CHECK(fake.violations() == std::vector<std::string>{});
      CHECK(fake.live_objects() == 0);
    }
}

}  // namespace
}  // namespace protean
