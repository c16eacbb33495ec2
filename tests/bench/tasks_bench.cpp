// What making tasks costs: N-way K-shot tasks of the embedded Omniglot.
//
//   tasks_bench
#include <chrono>
#include <cstdio>
#include <vector>

#include "protean/tasks/open_tasks.h"
#include "protean/tasks/task_batch.h"

using namespace protean;

namespace {

constexpr uint32_t kTasks = 5000, kStack = 25;

// Prints how long `act` takes per task.
template <typename Act>
void timed(const char* what, const Act& act) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  act();
  const auto spent =
      std::chrono::duration<double, std::micro>(Clock::now() - start);
  std::printf("%-24s %8.1f us per task\n", what, spent.count() / kTasks);
}

}  // namespace

int main() {
  const TaskSources sources = open_tasks({}, TaskOptions());
  const auto& train = sources.of(Stream::train);
  std::vector<TaskSpec> specs;
  timed("describe", [&] {
    for (uint32_t i = 0; i < kTasks; ++i)
      specs.push_back(
          train.describe(1, {Stream::train, i / kStack, i % kStack}, {}));
  });
  timed("stack_tasks, one by one", [&] {
    for (const auto& spec : specs) stack_tasks(train, {spec});
  });
  timed("stack_tasks, 25 at once", [&] {
    for (auto at = specs.begin(); at != specs.end(); at += kStack)
      stack_tasks(train, {at, at + kStack});
  });
}
