// NCCL without a GPU: ranks as threads, pretend device memory
// (pretend_memory.h), and every way to fail.
//
// Takes device memory of the rank's own device alone: the host's, or another
// device's, is a violation and an invalid argument, where NCCL would crash.
// Operations meet like the real ones: they complete when the last rank has
// issued its own, in the order of each stream. The fake also watches the
// caller: a stream touched while NCCL is still taking an operation in is a
// violation.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "protean/comm/world.h"

#include "comm/nccl/api.h"

namespace protean {

class FakeNccl {
 public:
  // What one rank does wrong. Calls count from 1: the first barrier, at start,
  // is call 1.
  struct Faults {
    int in_progress = 0;      // answers of in_progress before each success
    bool init_fails = false;  // system_error
    bool init_hangs = false;  // in_progress for ever
    int remote_error_at = 0;  // from this call on, 0: never
    int call_fails_at = 0;    // internal_error from the call itself
    int stuck_at = 0;         // this call never completes on this rank
    int cuda_error_at = 0;    // the event query fails
    bool set_device_fails = false;
    bool count_fails = false;  // cudaGetDeviceCount: no driver
    bool finalize_fails = false;
    bool abort_hangs = false;  // until release()
  };

  explicit FakeNccl(int ranks, int devices = 16);
  ~FakeNccl();  // release()

  Faults& faults(int rank) { return faults_[static_cast<size_t>(rank)]; }
  // What comm.backend = nccl gives a rank of this world.
  std::unique_ptr<Communicator> connect(World& world) const;
  // The table of one rank; lives as long as the fake.
  const nccl::Api& api(int rank) const {
    return api_[static_cast<size_t>(rank)];
  }

  int aborted() const;       // communicators ended by abort
  int destroyed() const;     // by finalize and destroy
  int live_objects() const;  // streams, events, allocations not given back
  std::vector<std::string> violations() const;
  // The calls of one rank so far, e.g. "record", "all_reduce".
  std::vector<std::string> log(int rank) const;
  // Lets hanging aborts go and waits until they are gone.
  void release();

 private:
  struct Meeting;
  struct Group;
  struct FakeComm;
  struct FakeStream;
  struct FakeEvent;

  void fill(nccl::Api& api, int rank);
  // The calling thread's device.
  static int& current_device();
  // Whether memory of the calling thread's device starts at p; else noted.
  bool check_memory(const char* call, const void* p, size_t bytes);
  nccl::Result issue(int rank, void* comm, void* stream, const char* name,
                     const void* in, void* out, std::function<void(Meeting&)>);
  void note(int rank, const char* what);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Faults> faults_;
  std::vector<nccl::Api> api_;
  std::vector<std::vector<std::string>> logs_;
  std::map<std::string, std::shared_ptr<Group>> groups_;
  std::vector<std::unique_ptr<FakeComm>> comms_;
  std::map<void*, std::shared_ptr<void>> live_;
  std::vector<std::string> violations_;
  int devices_;
  int ids_ = 0;
  int aborted_ = 0;
  int destroyed_ = 0;
  int hanging_ = 0;
  bool released_ = false;
};

// comm.backend = nccl finds this from now on: one fake for all ranks of the
// process. make: once per rank; throws ConfigError where there is none.
void install_fake_nccl(std::function<const FakeNccl&()> make);

}  // namespace protean
