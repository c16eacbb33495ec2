// Small messages from rank to rank, apart from the collectives: heartbeats,
// plans, votes.
//
// Any thread may call at any time, also while others are in collectives; the
// ranks need not agree on anything. Messages from one rank to another arrive in
// the order they were sent, within some tens of milliseconds when nothing else
// happens. Sending never waits; a message that nobody reads stays with its
// receiver. Once the job is broken every call throws, as a Communicator does.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace protean {

struct Mail {
  int from = 0;
  std::string bytes;
};

class Mailbox {
 public:
  static constexpr size_t kMostBytes = size_t{1} << 20;

  virtual ~Mailbox() = default;
  // to: any rank of the job, also this one. At most kMostBytes.
  virtual void send(int to, std::string bytes) = 0;
  // The next one that has arrived, whoever sent it. Waits up to `seconds`;
  // none: nobody wrote.
  virtual std::optional<Mail> receive(double seconds = 0) = 0;
};

}  // namespace protean
