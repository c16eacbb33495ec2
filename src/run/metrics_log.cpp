#include "protean/run/metrics_log.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"
#include "protean/core/log.h"

namespace protean {

namespace fs = std::filesystem;
using Json = nlohmann::json;

MetricsLog::MetricsLog(fs::path path) : path_(std::move(path)) {}

MetricsLog::~MetricsLog() {
  if (fd_ >= 0) ::close(fd_);
}

bool MetricsLog::fail(const char* what, int error) {
  if (!warned_)
    log_warning(path_.string() + ": " + what + ": " + std::strerror(error) +
                "; training goes on without these lines");
  warned_ = true;
  return false;
}

bool MetricsLog::write(const Json& line) {
  if (fd_ < 0) {
    fd_ =
        ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd_ < 0) return fail("cannot open", errno);
  }
  std::string text;
  if (torn_) text = "\n";
  text += line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  ssize_t n;
  do n = ::write(fd_, text.data(), text.size());
  while (n < 0 && errno == EINTR);
  if (n == static_cast<ssize_t>(text.size())) {
    torn_ = false;
    return true;
  }
  const int error = n < 0 ? errno : ENOSPC;
  if (n > 0) {
    // Part of the line is in the file: take it back, or else start the next
    // one on a line of its own.
    struct stat info;
    torn_ = ::fstat(fd_, &info) != 0 ||
            ::ftruncate(fd_, info.st_size - n) != 0 || torn_;
  }
  return fail("cannot write", error);
}

int64_t cut_back(const fs::path& path, int64_t step) {
  std::error_code error;
  if (!fs::exists(path, error)) return 0;
  int64_t dropped = 0;
  try {
    const auto text = read_file(path);
    std::string kept;
    bool keep = true;
    for (size_t begin = 0; begin < text.size();) {
      const auto end = text.find('\n', begin);
      const bool torn = end == std::string::npos;
      const auto size = (torn ? text.size() : end) - begin;
      const auto line = std::string_view(text).substr(begin, size);
      begin += size + 1;
      if (line.empty() && !torn) continue;
      const auto json = Json::parse(line.begin(), line.end(), nullptr, false);
      const auto number =
          json.is_object() ? json.value("step", Json()) : Json();
      if (number.is_number()) keep = number.get<double>() <= double(step);
      if (keep && json.is_object() && !torn)
        kept.append(line).push_back('\n');
      else
        ++dropped;
    }
    if (kept.size() != text.size()) write_file_atomically(path, kept);
  } catch (const std::exception& e) {
    log_warning(std::string("metrics are not cut back to the checkpoint: ") +
                e.what());
    return 0;
  }
  return dropped;
}

}  // namespace protean
