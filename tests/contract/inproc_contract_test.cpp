#include <string>

#include "contract/contract_suite.h"
#include "support/catch.h"
#include "support/run_world.h"

namespace protean {
namespace {

TEST_CASE("inproc keeps the contract", "[contract][inproc]") {
  for (int ranks = 1; ranks <= 4; ++ranks)
    for (const ContractCase& contract : contract_cases()) {
      auto out = run_ranks(ranks, [&](World& world) {
        Notes notes;
        contract.body({*world.control, host_memory(), true, 1000}, notes);
        return notes.lines();
      });
      INFO(contract.name << " on " << ranks << " ranks");
      CHECK(out.exit_code == 0);
      for (int r = 0; r < ranks; ++r) {
        INFO("rank " << r);
        CHECK(out.error[static_cast<size_t>(r)] == "");
        CHECK(out.value[static_cast<size_t>(r)] == std::vector<std::string>{});
      }
    }
}

TEST_CASE("inproc delivers mail", "[contract][inproc]") {
  for (int ranks = 1; ranks <= 4; ++ranks) {
    auto out = run_ranks(ranks, [&](World& world) {
      Notes notes;
      mailbox_case(*world.control, *world.mail, notes);
      return notes.lines();
    });
    for (const auto& lines : out.value)
      CHECK(lines == std::vector<std::string>{});
  }
}

}  // namespace
}  // namespace protean
