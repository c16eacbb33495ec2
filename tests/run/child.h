// Runs a function in a forked child, for tests of crashes and of limits that
// hold for a whole process.
#pragma once

#include <csignal>
#include <functional>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

namespace protean {

struct ChildResult {
  int status = 0;    // as waitpid() gives it
  std::string text;  // what the function returned; "threw: ..." if it threw
  bool killed_by(int signal) const {
    return WIFSIGNALED(status) && WTERMSIG(status) == signal;
  }
  bool exited(int code) const {
    return WIFEXITED(status) && WEXITSTATUS(status) == code;
  }
};

// Call while this process has one thread. The child never runs destructors of
// the test's own objects, and ends after 60 s at the latest.
inline ChildResult run_in_child(const std::function<std::string()>& function) {
  int ends[2];
  if (::pipe(ends) != 0) throw std::runtime_error("pipe");
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::close(ends[0]);
    ::alarm(60);
    std::string text;
    try {
      text = function();
    } catch (const std::exception& e) {
      text = std::string("threw: ") + e.what();
    }
    [[maybe_unused]] auto n = ::write(ends[1], text.data(), text.size());
    ::_exit(0);
  }
  ::close(ends[1]);
  ChildResult result;
  char buffer[4096];
  for (ssize_t n; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;)
    result.text.append(buffer, static_cast<size_t>(n));
  ::close(ends[0]);
  ::waitpid(pid, &result.status, 0);
  return result;
}

}  // namespace protean
