#include "tools/host_health.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "protean/core/clock.h"
#include "protean/core/error.h"

namespace protean {
namespace {

using Clock = std::chrono::steady_clock;

double free_mib(const char* path) {
  struct statvfs s {};
  if (statvfs(path, &s) != 0) return -1;
  return static_cast<double>(s.f_bavail) * static_cast<double>(s.f_frsize) /
         (1 << 20);
}

int64_t limit_of(__rlimit_resource resource, int64_t unit) {
  rlimit limit{};
  getrlimit(resource, &limit);
  return limit.rlim_cur == RLIM_INFINITY
             ? -1
             : static_cast<int64_t>(limit.rlim_cur) / unit;
}

double free_memory_gib() {
  std::ifstream in("/proc/meminfo");
  std::string word;
  double kib = 0;
  while (in >> word)
    if (word == "MemAvailable:" && in >> kib) break;
  return kib / (1 << 20);
}

// A file that is gone when this ends.
class ScratchFile {
 public:
  explicit ScratchFile(const std::string& folder)
      : path_(concat(folder, "/.protean-doctor-", ::getpid())),
        fd_(::open(path_.c_str(), O_CREAT | O_EXCL | O_WRONLY, 0600)) {
    if (fd_ < 0) fail("cannot create a file");
  }
  ~ScratchFile() {
    ::close(fd_);
    ::unlink(path_.c_str());
  }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  void write(const std::vector<char>& bytes) {
    if (::write(fd_, bytes.data(), bytes.size()) !=
        static_cast<ssize_t>(bytes.size()))
      fail("cannot write");
  }
  void sync() {
    if (::fsync(fd_) != 0) fail("cannot sync");
  }

 private:
  [[noreturn]] void fail(const char* what) {
    throw DataError(concat(path_, ": ", what, ": ", std::strerror(errno)));
  }
  std::string path_;
  int fd_;
};

}  // namespace

void read_limits(RankHealth& h) {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0)
    h.cpus_allowed = CPU_COUNT(&allowed);
  h.cpus_of_host = static_cast<int32_t>(sysconf(_SC_NPROCESSORS_ONLN));
  h.open_files = limit_of(RLIMIT_NOFILE, 1);
  h.locked_kib = limit_of(RLIMIT_MEMLOCK, 1024);
  h.stack_kib = limit_of(RLIMIT_STACK, 1024);
  const double shm = free_mib("/dev/shm");
  h.shm_is_there = shm >= 0;
  h.shm_free_mib = std::max(shm, 0.0);
  h.memory_free_gib = free_memory_gib();
  double load = 0;
  if (getloadavg(&load, 1) == 1) h.load = load;
}

void read_interfaces(RankHealth& h) {
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return;
  std::string text;
  for (auto* i = all; i; i = i->ifa_next) {
    if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET ||
        (i->ifa_flags & IFF_LOOPBACK) || !(i->ifa_flags & IFF_UP))
      continue;
    char address[INET_ADDRSTRLEN] = {};
    inet_ntop(AF_INET, &reinterpret_cast<sockaddr_in*>(i->ifa_addr)->sin_addr,
              address, sizeof address);
    text += concat(text.empty() ? "" : ", ", i->ifa_name, " ", address);
  }
  freeifaddrs(all);
  assign(h.interfaces, text);
}

void measure_disk(const std::string& folder, RankHealth& h) {
  h.disk_free_gib = free_mib(folder.c_str()) / 1024;
  try {
    ScratchFile file(folder);
    std::vector<double> syncs;
    for (int i = 0; i < 9; ++i) {
      const auto start = Clock::now();
      file.write(std::vector<char>(4096, 'p'));
      file.sync();
      syncs.push_back(seconds_since(start));
    }
    std::nth_element(syncs.begin(), syncs.begin() + 4, syncs.end());
    h.sync_ms = 1e3 * syncs[4];
    constexpr int kMib = 16;
    const auto start = Clock::now();
    for (int i = 0; i < kMib; ++i) file.write(std::vector<char>(1 << 20, 'p'));
    file.sync();
    h.disk_mib_s = kMib / seconds_since(start);
  } catch (const DataError& e) {
    assign(h.disk_error, e.what());
  }
}

}  // namespace protean
