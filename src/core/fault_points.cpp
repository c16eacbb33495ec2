#include "protean/core/fault_points.h"

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <sstream>
#include <vector>

#include <unistd.h>

#include "protean/core/error.h"
#include "protean/core/lists.h"

namespace protean {
namespace {

struct Fault {
  std::string point, action;
  int count = 1;  // visits until it happens
};

std::mutex g_mutex;
std::shared_ptr<const FaultHook> g_hook;
std::vector<Fault> g_plan;
std::atomic<bool> g_armed{false};  // a hook or a plan is set

Fault parse_fault(const std::string& text) {
  const auto bad = [&](const char* expected) -> ConfigError {
    return ConfigError("PROTEAN_FAULT: \"" + text + "\"; expected " + expected);
  };
  Fault fault;
  std::istringstream in(text);
  std::string count;
  if (!std::getline(in, fault.point, ':') ||
      !std::getline(in, fault.action, ':') || fault.point.empty() ||
      text.back() == ':')
    throw bad("POINT:ACTION[:COUNT]");
  if (fault.action != "kill" && fault.action != "stop" &&
      fault.action != "exit" && fault.action != "hang" &&
      fault.action != "throw")
    throw bad("an action of: kill, stop, exit, hang, throw");
  if (std::getline(in, count)) {
    if (count.empty() || count.size() > 9 ||
        count.find_first_not_of("0123456789") != std::string::npos ||
        std::stoi(count) < 1)
      throw bad("a COUNT >= 1");
    fault.count = std::stoi(count);
  }
  return fault;
}

void act(const Fault& fault) {
  if (fault.action == "kill") ::kill(::getpid(), SIGKILL);
  if (fault.action == "stop") ::kill(::getpid(), SIGSTOP);
  if (fault.action == "exit") ::_exit(3);
  while (fault.action == "hang") ::pause();
  if (fault.action == "throw")
    throw DataError(fault.point + ": injected fault (PROTEAN_FAULT)");
}

}  // namespace

void set_fault_hook(FaultHook hook) {
  std::lock_guard lock(g_mutex);
  g_hook = hook ? std::make_shared<const FaultHook>(std::move(hook)) : nullptr;
  g_armed = g_hook || !g_plan.empty();
}

void set_fault_plan(const std::string& text) {
  std::vector<Fault> plan;
  for (const auto& part : comma_separated(text))
    plan.push_back(parse_fault(part));
  std::lock_guard lock(g_mutex);
  g_plan = std::move(plan);
  g_armed = g_hook || !g_plan.empty();
}

void arm_faults() {
  static std::mutex mutex;
  static std::string seen;
  const char* value = std::getenv("PROTEAN_FAULT");
  const std::string text = value ? value : "";
  std::lock_guard lock(mutex);
  if (text == seen) return;
  set_fault_plan(text);
  seen = text;
}

void fault_point(const char* point) {
  if (!g_armed) return;
  std::shared_ptr<const FaultHook> hook;
  std::vector<Fault> due;
  {
    std::lock_guard lock(g_mutex);
    hook = g_hook;
    for (auto& fault : g_plan)
      if (fault.point == point && --fault.count == 0) due.push_back(fault);
  }
  if (hook) (*hook)(point);
  for (const auto& fault : due) act(fault);
}

}  // namespace protean
