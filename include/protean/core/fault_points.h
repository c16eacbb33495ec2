// Named points between the steps of a protocol, where a test can break it.
//
// Code that must survive a crash calls fault_point("checkpoint.after_rename")
// between its steps. Normally that does nothing; a test installs a hook, or
// sets the environment variable
//
//   PROTEAN_FAULT = POINT:ACTION[:COUNT][,POINT:ACTION[:COUNT]...]
//
// with ACTION kill (SIGKILL), stop (SIGSTOP), exit (_exit(3)), hang (the thread
// never returns) or throw (a DataError, as a failing disk gives), done when the
// point is reached for the COUNT-th time (default: the first) and never again.
#pragma once

#include <functional>
#include <string>

namespace protean {

using FaultHook = std::function<void(const char* point)>;

// Called at every point, by the thread that reaches it; empty: none.
void set_fault_hook(FaultHook hook);

// Replaces the plan; "" is none. ConfigError on a text that is not a plan.
void set_fault_plan(const std::string& text);

// Takes PROTEAN_FAULT's plan, unless it was taken already. Called where errors
// reach the user; ConfigError as above.
void arm_faults();

void fault_point(const char* point);

}  // namespace protean
