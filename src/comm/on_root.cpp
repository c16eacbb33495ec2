#include "protean/comm/on_root.h"

#include <string>

#include "protean/comm/preflight.h"

namespace protean {

void on_root(Communicator& comm, const std::function<void()>& work) {
  std::string why;
  struct {
    int64_t exit_code = kExitDone, size = 0;
  } outcome;
  if (comm.rank() == 0) try {
      work();
    } catch (const Error& e) {
      why = e.what();
      outcome = {e.exit_code(), static_cast<int64_t>(why.size())};
    } catch (const std::exception& e) {
      why = e.what();
      outcome = {kExitFailed, static_cast<int64_t>(why.size())};
    }
  comm.broadcast(&outcome, sizeof outcome, 0);
  if (outcome.exit_code == kExitDone) return;
  why.resize(static_cast<size_t>(outcome.size));
  comm.broadcast(why.data(), why.size(), 0);
  throw AgreedError(why, static_cast<int>(outcome.exit_code));
}

}  // namespace protean
