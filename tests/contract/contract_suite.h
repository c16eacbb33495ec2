// What every Communicator must do: one list of cases, run on every backend.
//
// Values are closed forms in rank and size, so no case needs another backend
// for comparison. A case runs on all ranks at once and notes what is wrong; the
// caller reports it, since Catch assertions are not for several threads.
#pragma once

#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "protean/comm/communicator.h"
#include "protean/comm/mailbox.h"

namespace protean {

// Memory that a communicator can work on: plain for host backends, a device
// allocation with copies for NCCL.
class TestMemory {
 public:
  virtual ~TestMemory() = default;
  virtual void* allocate(size_t bytes) = 0;
  virtual void release(void* p) = 0;
  virtual void to_device(void* to, const void* from, size_t bytes) = 0;
  virtual void to_host(void* to, const void* from, size_t bytes) = 0;
};

TestMemory& host_memory();

struct ContractContext {
  Communicator& comm;
  TestMemory& memory;
  bool by_rank;        // whether SumOrder::by_rank is offered
  size_t chunk_bytes;  // the communicator's, to go beyond it
};

// Notes of one rank; the first few are enough.
class Notes {
 public:
  template <typename... Args>
  void check(bool fact, const Args&... what) {
    if (fact || lines_.size() >= 5) return;
    std::ostringstream line;
    (line << ... << what);
    lines_.push_back(line.str());
  }
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  std::vector<std::string> lines_;
};

struct ContractCase {
  const char* name;
  std::function<void(const ContractContext&, Notes&)> body;
};

const std::vector<ContractCase>& contract_cases();

// What a Mailbox must do; comm: over the same ranks.
void mailbox_case(Communicator& comm, Mailbox& mail, Notes& notes);

}  // namespace protean
