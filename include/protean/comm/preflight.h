// Before the first step: do all ranks run the same thing?
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "protean/comm/communicator.h"

namespace protean {

// Thrown by every rank of a communicator at once with the same text, so the job
// can end in order and one line tells it all. Exit 2 unless it says otherwise.
class AgreedError : public Error {
 public:
  explicit AgreedError(const std::string& what, int exit_code = kExitUsage)
      : Error(what, exit_code) {}
};

using Facts = std::vector<std::pair<std::string, std::string>>;

// Collective. facts: (name, value) pairs that must be equal on every rank
// (config hash, build id, data checksum, instruction set, ...). Where they are
// not, every rank throws the same AgreedError, one line per call:
//   ranks differ: task.ways is 5 on rank 0 and 20 on rank 2
// A fact that a rank does not have counts as a difference. Where all agree, two
// numbers travel; the facts themselves travel when they do not.
void preflight(Communicator& comm, const Facts& facts);

// Collective. Runs check on every rank; when it throws Error on any of them,
// every rank throws the same AgreedError with the message of the lowest such
// rank, which is named unless all ranks failed alike. For what each rank checks
// by itself before the first step: configuration, files.
void agree(Communicator& comm, const std::function<void()>& check);

// Every rank's facts, in rank order (collective).
std::vector<Facts> gather_facts(Communicator& comm, const Facts& facts);

}  // namespace protean
