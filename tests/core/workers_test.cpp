#include "protean/core/workers.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "support/catch.h"

using namespace protean;

TEST_CASE("every item is worked on once", "[core]") {
  for (const int threads : {0, 1, 2, 7}) {
    std::vector<std::atomic<int>> times(100);
    run_workers(100, threads, [&](size_t item) { ++times[item]; });
    for (const auto& n : times) CHECK(n == 1);
  }
  run_workers(0, 3, [](size_t) { FAIL("there is no item"); });
}

TEST_CASE("threads work at the same time", "[core]") {
  // Nobody leaves before all three are there.
  std::mutex mutex;
  std::condition_variable all;
  std::set<std::thread::id> there;
  run_workers(3, 3, [&](size_t) {
    std::unique_lock lock(mutex);
    there.insert(std::this_thread::get_id());
    all.notify_all();
    all.wait(lock, [&] { return there.size() == 3; });
  });
  CHECK(there.size() == 3);
  CHECK(there.contains(std::this_thread::get_id()));
}

TEST_CASE("the first failure is thrown, and what follows left out", "[core]") {
  for (const int threads : {1, 4}) {
    std::atomic<int> done{0};
    std::string message;
    try {
      run_workers(1000, threads, [&](size_t item) {
        if (item >= 20) throw std::runtime_error(std::to_string(item));
        ++done;
      });
    } catch (const std::runtime_error& e) {
      message = e.what();
    }
    CHECK(message == "20");
    CHECK(done == 20);
  }
}

TEST_CASE("there is a core to work on", "[core]") {
  CHECK(usable_cores() >= 1);
}
