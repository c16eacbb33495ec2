#include "comm/recorded.h"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <utility>

#include "protean/core/log.h"
#include "protean/core/trace.h"

#include "comm/call.h"

namespace protean {
namespace {

struct Entry {
  const char* communicator = "";
  Call call;
  int64_t begin_us = 0;
  int64_t end_us = -1;  // -1: not done
};

// Of one rank. Ranks of one process are threads, each with its own.
class History {
 public:
  uint64_t begin(const char* communicator, const Call& call) {
    std::lock_guard lock(mutex_);
    entries_[calls_ % kMostCalls] = {communicator, call, trace_now(), -1};
    return calls_++;
  }
  void end(uint64_t number) {
    Entry done;
    {
      std::lock_guard lock(mutex_);
      if (number + kMostCalls < calls_) return;  // overwritten
      auto& entry = entries_[number % kMostCalls];
      entry.end_us = trace_now();
      if (!tracing()) return;
      done = entry;
    }
    trace_span("comm", concat(done.communicator, ": ", done.call.text()),
               done.begin_us, done.end_us);
  }
  std::string text() {
    std::lock_guard lock(mutex_);
    const uint64_t kept = std::min<uint64_t>(calls_, kMostCalls);
    std::string text = concat("the last ", kept, " of ", calls_,
                              " collectives (microseconds: begin, duration):");
    for (uint64_t i = calls_ - kept; i < calls_; ++i) {
      const auto& e = entries_[i % kMostCalls];
      text += concat("\n  ", i + 1, " ", e.communicator, " ", e.call.text(),
                     " ", e.begin_us, " ");
      text += e.end_us < 0 ? std::string("not done")
                           : std::to_string(e.end_us - e.begin_us);
    }
    return text;
  }
  bool dump_once() {
    std::lock_guard lock(mutex_);
    return !std::exchange(dumped_, true);
  }

 private:
  std::mutex mutex_;
  std::array<Entry, kMostCalls> entries_;
  uint64_t calls_ = 0;
  bool dumped_ = false;
};

// By rank; made at its first call and never destroyed: a process that calls
// exit() dumps it after the destruction of statics has begun.
History& history_of(int rank) {
  static auto& mutex = *new std::mutex;
  static auto& histories = *new std::map<int, History>;
  std::lock_guard lock(mutex);
  return histories[rank];
}

class RecordedRequest final : public CommRequest {
 public:
  RecordedRequest(std::unique_ptr<CommRequest> inner, History& history,
                  uint64_t number)
      : inner_(std::move(inner)), history_(history), number_(number) {}
  bool done() override {
    const bool done = inner_->done();
    if (done) note_end();
    return done;
  }
  void wait() override {
    inner_->wait();
    note_end();
  }

 private:
  void note_end() {
    if (!std::exchange(ended_, true)) history_.end(number_);
  }
  std::unique_ptr<CommRequest> inner_;
  History& history_;
  uint64_t number_;
  bool ended_ = false;
};

class Recorded final : public Communicator {
 public:
  Recorded(std::unique_ptr<Communicator> inner, const char* name,
           History& history)
      : inner_(std::move(inner)), name_(name), history_(history) {}

  int rank() const override { return inner_->rank(); }
  int size() const override { return inner_->size(); }
  const char* backend() const override { return inner_->backend(); }
  bool on_device() const override { return inner_->on_device(); }

  void all_reduce(void* data, size_t count, DType type, ReduceOp op,
                  SumOrder order) override {
    const auto n = begin({CallKind::all_reduce, count, type, op, order, 0});
    inner_->all_reduce(data, count, type, op, order);
    history_.end(n);
  }
  std::unique_ptr<CommRequest> start_all_reduce(void* data, size_t count,
                                                DType type, ReduceOp op,
                                                SumOrder order) override {
    const auto n = begin({CallKind::all_reduce, count, type, op, order, 0});
    return std::make_unique<RecordedRequest>(
        inner_->start_all_reduce(data, count, type, op, order), history_, n);
  }
  void broadcast(void* data, size_t bytes, int root) override {
    Call call{CallKind::broadcast, bytes};
    call.root = root;
    const auto n = begin(call);
    inner_->broadcast(data, bytes, root);
    history_.end(n);
  }
  void all_gather(const void* in, void* out, size_t bytes) override {
    const auto n = begin({CallKind::all_gather, bytes});
    inner_->all_gather(in, out, bytes);
    history_.end(n);
  }
  void barrier() override {
    const auto n = begin({CallKind::barrier});
    inner_->barrier();
    history_.end(n);
  }
  std::unique_ptr<Communicator> split(int color, int key) override {
    const auto n = begin({CallKind::split});
    auto part = inner_->split(color, key);
    history_.end(n);
    if (!part) return part;
    return std::make_unique<Recorded>(std::move(part), "split", history_);
  }
  void check() override { inner_->check(); }
  void fail(const std::string& why, int exit_code) override {
    inner_->fail(why, exit_code);
  }
  void set_activity(const std::string& activity) override {
    inner_->set_activity(activity);
  }
  void follow_stream(void* stream) override { inner_->follow_stream(stream); }
  Communicator& inner() { return *inner_; }

 private:
  uint64_t begin(const Call& call) { return history_.begin(name_, call); }

  std::unique_ptr<Communicator> inner_;
  const char* name_;
  History& history_;
};

}  // namespace

std::unique_ptr<Communicator> recorded(std::unique_ptr<Communicator> inner,
                                       const char* name) {
  auto& history = history_of(inner->rank());
  return std::make_unique<Recorded>(std::move(inner), name, history);
}

CallBoard* call_board_of(Communicator& communicator) {
  auto* const wrapper = dynamic_cast<Recorded*>(&communicator);
  return dynamic_cast<CallBoard*>(wrapper ? &wrapper->inner() : &communicator);
}

void dump_calls() {
  auto& history = history_of(log_rank());
  if (history.dump_once()) log_to_file(history.text());
}

}  // namespace protean
