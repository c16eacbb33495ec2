#include <string>

#include "contract/contract_suite.h"
#include "support/catch.h"
#include "support/mpi_main.h"

namespace protean {
namespace {

TEST_CASE("mpi keeps the contract", "[contract][mpi]") {
  for (const ContractCase& contract : contract_cases()) {
    Notes notes;
    contract.body({*test_world().control, host_memory(), true, 1000}, notes);
    INFO(contract.name << " on rank " << test_world().control->rank());
    CHECK(notes.lines() == std::vector<std::string>{});
  }
}

TEST_CASE("mpi delivers mail", "[contract][mpi]") {
  Notes notes;
  mailbox_case(*test_world().control, *test_world().mail, notes);
  CHECK(notes.lines() == std::vector<std::string>{});
}

}  // namespace
}  // namespace protean
