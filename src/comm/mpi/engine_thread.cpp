// What the engine's own thread does: all of MPI.
#include <algorithm>
#include <utility>

#include <sched.h>

#include "comm/mpi/engine.h"
#include "comm/mpi/engine_messages.h"

namespace protean::mpi {

void Engine::serve() {
  for (;;) {
    if (queued_) take_submissions();
    test_requests();
    poll_mail();
    {
      std::lock_guard lock(mutex_);
      if (stop_ && !queued_) return;
    }
    rest();
  }
}

void Engine::take_submissions() {
  std::vector<std::shared_ptr<Operation>> operations;
  std::vector<std::function<void()>> jobs;
  {
    std::lock_guard lock(mutex_);
    operations.swap(submitted_);
    jobs.swap(jobs_);
    queued_ = false;
  }
  last_event_ = Clock::now();
  for (auto& op : operations) {
    Channel& channel = op->channel_;
    channel.queue.push_back(std::move(op));
    if (channel.queue.size() == 1) advance(channel);
  }
  if (broken_) {
    // Requests of a broken job are neither tested nor freed, and what they
    // point to stays: a late message may still arrive.
    for (size_t i = 1; i < owners_.size(); ++i)
      if (owners_[i]) complete(*owners_[i]);
    std::lock_guard lock(mutex_);
    for (auto& weak : channels_)
      if (auto channel = weak.lock())
        for (auto& op : channel->queue) complete(*op);
  }
  for (auto& job : jobs) {
    try {
      job();
    } catch (const Error& e) {
      break_down({rank_, e.what(), e.exit_code()});
    }
  }
}

// Posts phases until one has to be waited for. Operations behind the front one
// start once its last phase is posted: their requests then come in the same
// order on every rank.
void Engine::advance(Channel& channel) {
  try {
    while (!channel.queue.empty() && !broken_) {
      auto op = channel.queue.front();
      if (op->open_ > 0) return;
      const size_t before = requests_.size();
      {
        std::lock_guard lock(op->mutex_);
        if (op->abandoned_) return;  // its data may be gone; see submit()
        op->last_posted_ = op->post(*this, requests_);
      }
      op->open_ = static_cast<int>(requests_.size() - before);
      owners_.resize(requests_.size(), op);
      if (op->last_posted_) {
        channel.queue.pop_front();
        if (op->open_ == 0) complete(*op);
      }
    }
  } catch (const Error& e) {
    break_down({rank_, e.what(), e.exit_code()});
  }
}

void Engine::test_requests() {
  if (torn_down_) return;
  int count = 0;
  const int testable = broken_ ? 1 : static_cast<int>(requests_.size());
  finished_.resize(requests_.size());
  const int code = MPI_Testsome(testable, requests_.data(), &count,
                                finished_.data(), MPI_STATUSES_IGNORE);
  if (code != MPI_SUCCESS && !broken_) {
    try {
      check(code, "MPI_Testsome");
    } catch (const Error& e) {
      break_down({rank_, e.what(), e.exit_code()});
    }
    return;
  }
  std::erase_if(outgoing_, [this](auto& out) {
    int done = 0;
    MPI_Test(&out->request, &done, MPI_STATUS_IGNORE);
    if (done && out->is_mail) {
      std::lock_guard lock(mutex_);
      --unsent_;
      changed_.notify_all();
    }
    return done != 0;
  });
  if (count <= 0) return;
  last_event_ = Clock::now();
  bool noticed = false;
  std::vector<std::shared_ptr<Operation>> idle;
  for (int i = 0; i < count; ++i) {
    const auto at = static_cast<size_t>(finished_[static_cast<size_t>(i)]);
    if (at == 0) {
      noticed = true;
      continue;
    }
    auto op = std::move(owners_[at]);
    if (--op->open_ == 0) idle.push_back(std::move(op));
  }
  // Finished requests have become null; close the gaps.
  size_t kept = 1;
  for (size_t i = 1; i < requests_.size(); ++i) {
    if (!owners_[i]) continue;
    requests_[kept] = requests_[i];
    if (kept != i) owners_[kept] = std::move(owners_[i]);
    ++kept;
  }
  requests_.resize(kept);
  owners_.resize(kept);
  for (auto& op : idle) {
    if (op->last_posted_)
      complete(*op);
    else
      advance(op->channel_);
  }
  if (noticed) {
    const Notice notice = *incoming_;
    listen();
    handle_notice(notice);
  }
}

void Engine::complete(Operation& op) {
  std::lock_guard lock(op.mutex_);
  if (op.over_) return;
  op.ok_ = !broken_ && !op.abandoned_;
  if (op.ok_) op.deliver();
  op.over_ = true;
  op.changed_.notify_all();
}

// Spins while something small may finish, then naps in proportion to the time
// waited, so that a wait grows by an eighth at most and costs no core.
void Engine::rest() {
  const auto waited = Clock::now() - last_event_;
  const bool busy =
      requests_.size() > 1 || !outgoing_.empty() || !arriving_.empty();
  using std::chrono::microseconds;
  Clock::duration spin = microseconds(0), longest = microseconds(20000);
  if (busy) {
    spin =
        waiting_ ? microseconds(spare_cores_ ? 2000 : 500) : microseconds(50);
    longest = microseconds(1000);
  } else if (spare_cores_) {
    spin = microseconds(50);
  }
  if (waited < spin) {
    // Giving way may cost a whole time slice on a busy machine.
    if (!own_core_) ::sched_yield();
    return;
  }
  const Clock::duration nap =
      std::clamp<Clock::duration>(waited / 8, microseconds(20), longest);
  std::unique_lock lock(mutex_);
  work_.wait_for(lock, nap, [&] { return queued_ || stop_; });
}

void Engine::poll_mail() {
  if (broken_ || size_ == 1) return;
  int found = 1;
  while (found) {
    MPI_Message message;
    MPI_Status status;
    if (MPI_Improbe(MPI_ANY_SOURCE, kMailTag, mail_comm_, &found, &message,
                    &status) != MPI_SUCCESS ||
        !found)
      break;
    int size = 0;
    MPI_Get_count(&status, MPI_BYTE, &size);
    auto in = std::make_unique<Incoming>();
    in->mail.from = status.MPI_SOURCE;
    in->mail.bytes.resize(static_cast<size_t>(size));
    MPI_Imrecv(in->mail.bytes.data(), size, MPI_BYTE, &message, &in->request);
    arriving_.push_back(std::move(in));
    last_event_ = Clock::now();
  }
  if (arriving_.empty()) return;
  // In order per sender: one that hangs half way holds up only its own.
  std::vector<int> held;
  std::erase_if(arriving_, [&](auto& in) {
    int done = 0;
    if (std::find(held.begin(), held.end(), in->mail.from) == held.end())
      MPI_Test(&in->request, &done, MPI_STATUS_IGNORE);
    if (!done) {
      held.push_back(in->mail.from);
      return false;
    }
    std::lock_guard lock(mutex_);
    mail_.push_back(std::move(in->mail));
    changed_.notify_all();
    return true;
  });
}

void Engine::listen() {
  check(MPI_Irecv(incoming_.get(), sizeof(Notice), MPI_BYTE, MPI_ANY_SOURCE,
                  kNoticeTag, notice_comm_, &requests_[0]),
        "MPI_Irecv");
}

void Engine::send_notice(int to, const Notice& notice) {
  auto out = std::make_unique<Outgoing>();
  out->notice = notice;
  // A peer that cannot be reached cannot be told.
  if (MPI_Isend(&out->notice, sizeof(Notice), MPI_BYTE, to, kNoticeTag,
                notice_comm_, &out->request) == MPI_SUCCESS)
    outgoing_.push_back(std::move(out));
}

void Engine::tell_failure() {
  Notice notice;
  notice.kind = Notice::failure;
  notice.from = rank_;
  {
    std::lock_guard lock(mutex_);
    notice.exit_code = failure_->exit_code;
    notice.set_text(failure_->why);
  }
  for (int r = 0; r < size_; ++r)
    if (r != rank_) send_notice(r, notice);
}

void Engine::handle_notice(const Notice& notice) {
  switch (notice.kind) {
    case Notice::failure:
      break_down({notice.from, notice.text, notice.exit_code});
      return;
    case Notice::informed: {
      std::lock_guard lock(mutex_);
      ++informed_;
      changed_.notify_all();
      return;
    }
    case Notice::question:
      answer(notice);
      return;
    case Notice::reply: {
      std::lock_guard lock(mutex_);
      if (notice.question_number == question_)
        answers_[static_cast<size_t>(notice.from)] = notice.text;
      changed_.notify_all();
      return;
    }
  }
}

void Engine::answer(const Notice& question) {
  std::string text = "does not have that communicator";
  {
    std::lock_guard lock(mutex_);
    for (auto& weak : channels_) {
      auto channel = weak.lock();
      if (!channel || channel->id != question.channel) continue;
      text = compare_calls(question.noted ? channel->noted : channel->called,
                           question.text, question.call);
    }
    if (!text.empty() && !activity_.empty())
      text = concat("(", activity_, ") ", text);
  }
  Notice reply;
  reply.kind = Notice::reply;
  reply.from = rank_;
  reply.question_number = question.question_number;
  reply.set_text(text);
  send_notice(question.from, reply);
}

}  // namespace protean::mpi
