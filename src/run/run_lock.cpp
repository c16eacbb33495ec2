#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <ctime>
#include <fstream>
#include <mutex>
#include <optional>
#include <thread>

#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"
#include "protean/core/log.h"
#include "protean/run/run_directory.h"

namespace protean {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

std::string first_line(const char* path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

std::string host_name() {
  char name[256] = "";
  ::gethostname(name, sizeof name - 1);
  return name;
}

// Two processes see each other when they share kernel and process namespace;
// containers may share a host name and nothing else.
std::string machine() {
  char ns[64] = "";
  [[maybe_unused]] auto n = ::readlink("/proc/self/ns/pid", ns, sizeof ns - 1);
  return first_line("/proc/sys/kernel/random/boot_id") + " " + ns;
}

// Start time of a process in clock ticks since boot; "" when it is gone. Tells
// a process from a later one with the same id.
std::string process_start(pid_t pid) {
  auto stat = first_line(("/proc/" + std::to_string(pid) + "/stat").c_str());
  // The name, field 2, may hold blanks and brackets; it ends at the last one.
  const auto name_end = stat.rfind(')');
  if (name_end == std::string::npos) return "";
  std::istringstream fields(stat.substr(name_end + 1));
  std::string field;
  for (int i = 3; i <= 22; ++i)
    if (!(fields >> field)) return "";
    // A zombie holds nothing any more.
    else if (i == 3 && (field == "Z" || field == "X"))
      return "";
  return field;
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::string utc_now() {
  const std::time_t t = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&t, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

Json own_entry() {
  return {{"host", host_name()},
          {"pid", ::getpid()},
          {"process_start", process_start(::getpid())},
          {"machine", machine()},
          {"started", utc_now()},
          {"job", environment("SLURM_JOB_ID")},
          {"restart", environment("SLURM_RESTART_COUNT")}};
}

std::string text_of(const Json& entry, const char* key) {
  const auto it = entry.find(key);
  if (it == entry.end()) return "";
  return it->is_string() ? it->get<std::string>() : it->dump();
}

double seconds(const timespec& t) {
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

struct Seen {
  ino_t inode;
  double touched;  // by the clock of the file system
  Json entry;      // an object; empty when the content is torn
};

// The lock that stands; nullopt when there is none.
std::optional<Seen> look(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  struct stat info;
  std::optional<Seen> seen;
  if (::fstat(fd, &info) == 0) {
    char text[4096];
    const auto n = ::read(fd, text, sizeof text);
    auto entry = n > 0 ? Json::parse(text, text + n, nullptr, false) : Json();
    if (!entry.is_object()) entry = Json::object();
    seen = Seen{info.st_ino, seconds(info.st_mtim), std::move(entry)};
  }
  ::close(fd);
  return seen;
}

// Why the lock may be taken over; "" while its holder lives.
std::string stale_reason(const Seen& seen, const Json& own, double now,
                         const LockOptions& options) {
  const auto same = [&](const char* key) {
    return !text_of(own, key).empty() &&
           text_of(own, key) == text_of(seen.entry, key);
  };
  if (same("machine") && same("host")) {
    const auto pid = seen.entry.value("pid", Json());
    if (pid.is_number_integer() &&
        process_start(pid.get<pid_t>()) == text_of(seen.entry, "process_start"))
      return "";
    return "that process is gone";
  }
  if (same("job") && text_of(own, "restart") != text_of(seen.entry, "restart"))
    return "this job was started again";
  const double silent = now - seen.touched;
  if (silent < options.stale_s) return "";
  return concat("silent for ", static_cast<int64_t>(silent), " s");
}

std::string holder_name(const Json& entry) {
  if (entry.empty()) return "an unknown process";
  std::string text =
      "host " + text_of(entry, "host") + ", process " + text_of(entry, "pid");
  if (!text_of(entry, "job").empty()) text += ", job " + text_of(entry, "job");
  if (!text_of(entry, "started").empty())
    text += ", since " + text_of(entry, "started");
  return text;
}

// One process of this host at a time decides about a stale lock. Where folders
// cannot be locked, the checks of take_over() remain.
class Guard {
 public:
  explicit Guard(const fs::path& folder)
      : fd_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    for (int i = 0; fd_ >= 0 && i < 100; ++i) {
      if (::flock(fd_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
  ~Guard() {
    if (fd_ >= 0) ::close(fd_);
  }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

 private:
  int fd_;
};

// Puts `mine`, a finished file, at `path` unless something is there.
bool claim(const fs::path& mine, const fs::path& path) {
  if (::link(mine.c_str(), path.c_str()) == 0) return true;
  if (errno == EEXIST) return false;
  // No hard links here; the content then follows the name by a moment.
  const int fd =
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0) {
    if (errno == EEXIST) return false;
    throw ConfigError(path.string() +
                      ": cannot create: " + std::strerror(errno));
  }
  const auto text = read_file(mine);
  const auto n = ::write(fd, text.data(), text.size());
  ::close(fd);
  if (n == static_cast<ssize_t>(text.size())) return true;
  ::unlink(path.c_str());
  throw ConfigError(path.string() + ": cannot write");
}

// Removes the stale lock with this inode; leaves any other one in place.
void take_over(const fs::path& path, const fs::path& aside, ino_t inode) {
  if (::rename(path.c_str(), aside.c_str()) != 0) return;
  const auto seen = look(aside);
  // A faster process may have put its own lock there since we looked.
  if (seen && seen->inode != inode) [[maybe_unused]]
    int rc = ::link(aside.c_str(), path.c_str());
  ::unlink(aside.c_str());
}

}  // namespace

struct RunLock::Heart {
  int fd = -1;  // the lock file: stays ours even when its name is taken
  ino_t inode = 0;
  pid_t owner = ::getpid();
  std::mutex mutex;
  std::condition_variable stop;
  bool stopping = false;
  std::thread thread;

  bool owns(const fs::path& path) const {
    struct stat info;
    return ::stat(path.c_str(), &info) == 0 && info.st_ino == inode;
  }

  void beat(const fs::path& path, double every) {
    std::unique_lock lock(mutex);
    bool warned = false;
    while (!stop.wait_for(lock, std::chrono::duration<double>(every),
                          [&] { return stopping; })) {
      ::futimens(fd, nullptr);
      if (!warned && !owns(path)) {
        warned = true;
        log_error(path.string() +
                  ": another run has taken this folder over; two runs must "
                  "not write to one run.dir");
      }
    }
  }
};

namespace {

// mine: an entry of this process, that becomes `lock`. Throws ConfigError when
// another run holds it.
void acquire(const fs::path& folder, const fs::path& mine, const fs::path& lock,
             const Json& own, const LockOptions& options) {
  const fs::path aside = mine.string() + ".stale";
  Guard guard(folder);
  bool held = false;
  // Each round either claims the lock or removes one stale lock; somebody
  // else may claim in between.
  for (int round = 0; !held && round < 10; ++round) {
    held = claim(mine, lock);
    if (held) break;
    const auto seen = look(lock);
    if (!seen) continue;
    // The file system's own clock: clocks of hosts differ.
    ::utimensat(AT_FDCWD, mine.c_str(), nullptr, 0);
    const auto now = look(mine);
    const auto reason =
        stale_reason(*seen, own, now ? now->touched : seen->touched, options);
    if (reason.empty())
      throw ConfigError(
          "run.dir = " + folder.string() + " is in use by another run (" +
          holder_name(seen->entry) + "); stop it, or give another run.dir");
    log_info("run.dir " + folder.string() + ": taking over from " +
             holder_name(seen->entry) + ": " + reason);
    take_over(lock, aside, seen->inode);
  }
  if (!held)
    throw ConfigError("run.dir = " + folder.string() +
                      ": other runs keep taking its lock");
}

}  // namespace

RunLock::RunLock(const fs::path& folder, LockOptions options)
    : path_(folder / "lock"), heart_(std::make_unique<Heart>()) {
  const auto own = own_entry();
  static std::atomic<int> count{0};
  const fs::path mine = concat(path_.string(), ".", text_of(own, "host"), ".",
                               ::getpid(), ".", count++);
  try {
    write_file_synced(mine, own.dump() + "\n");
  } catch (const DataError& e) {
    ::unlink(mine.c_str());
    throw ConfigError("run.dir = " + folder.string() +
                      " cannot be written to: " + e.what());
  }
  const auto done_with_mine = [&] { ::unlink(mine.c_str()); };

  try {
    acquire(folder, mine, path_, own, options);
  } catch (...) {
    done_with_mine();
    throw;
  }
  done_with_mine();

  heart_->fd = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
  struct stat info;
  if (heart_->fd < 0 || ::fstat(heart_->fd, &info) != 0) {
    const int error = errno;
    if (heart_->fd >= 0) ::close(heart_->fd);
    throw ConfigError(path_.string() +
                      ": cannot open: " + std::strerror(error));
  }
  heart_->inode = info.st_ino;
  sigset_t all, before;  // signals are for the main thread
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  heart_->thread =
      std::thread([heart = heart_.get(), path = path_,
                   every = options.heartbeat_s] { heart->beat(path, every); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

RunLock::~RunLock() {
  if (::getpid() != heart_->owner) {  // a forked child: not its lock
    heart_->thread.detach();
    ::close(heart_->fd);
    return;
  }
  {
    std::lock_guard lock(heart_->mutex);
    heart_->stopping = true;
  }
  heart_->stop.notify_all();
  heart_->thread.join();
  if (held()) ::unlink(path_.c_str());
  ::close(heart_->fd);
}

bool RunLock::held() const { return heart_->owns(path_); }

}  // namespace protean
