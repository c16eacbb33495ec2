// How a job of threads breaks: everybody learns who and why, in time.
#include <chrono>
#include <numeric>
#include <thread>

#include "protean/comm/communicator.h"

#include "support/catch.h"
#include "support/run_world.h"

namespace protean {
namespace {

double seconds_of(const std::function<void()>& body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
      .count();
}

TEST_CASE("a rank that never comes ends the call within its deadline",
          "[comm][inproc]") {
  WorldResult<bool> out;
  const double seconds = seconds_of([&] {
    out = run_ranks(
        3,
        [](World& world) {
          std::vector<float> v(10);
          if (world.control->rank() == 1) return;
          world.control->all_reduce(v.data(), 10, DType::f32, ReduceOp::sum);
        },
        0.2);
  });
  CHECK(seconds >= 0.2);
  CHECK(seconds < 5);
  CHECK(out.exit_code == kExitFailed);
  CHECK(out.error[1] == "");
  for (size_t r : {0, 2}) {
    CHECK_THAT(out.error[r], contains("all_reduce(sum, f32[10])"));
    CHECK_THAT(out.error[r], contains("rank 1 has not called it"));
  }
}

TEST_CASE("an exception on one rank ends all, with its exit code",
          "[comm][inproc]") {
  auto out = run_ranks(4, [](World& world) {
    if (world.control->rank() == 2) throw ConfigError("task.ways = 0");
    for (;;) world.control->barrier();
  });
  CHECK(out.exit_code == kExitUsage);
  CHECK(out.error[2] == "task.ways = 0");
  for (size_t r : {0, 1, 3})
    CHECK(out.error[r] == "rank 2 failed: task.ways = 0");
}

TEST_CASE("after a failure no communicator of the job works",
          "[comm][inproc]") {
  auto out = run_ranks(3, [](World& world) {
    Communicator& all = *world.control;
    auto pair = all.split(all.rank() == 2 ? 1 : 0, 0);
    if (all.rank() == 2) {
      pair->fail("lost its data", kExitFailed);
      return;
    }
    while (true) pair->barrier();  // of ranks 0 and 1 alone
  });
  CHECK(out.error[0] == "rank 2 failed: lost its data");
  CHECK(out.error[1] == "rank 2 failed: lost its data");
}

TEST_CASE("check reports a failure to code that waits for something else",
          "[comm][inproc]") {
  auto out = run_ranks(2, [](World& world) {
    if (world.control->rank() == 1) throw DataError("no such file");
    for (;;) {
      world.control->check();
      std::this_thread::yield();
    }
  });
  CHECK(out.error[0] == "rank 1 failed: no such file");
}

TEST_CASE("ranks that call different things are told so", "[comm][inproc]") {
  auto out = run_ranks(2, [](World& world) {
    std::vector<float> v(12);
    world.control->all_reduce(v.data(), world.control->rank() == 0 ? 10u : 12u,
                              DType::f32, ReduceOp::sum);
  });
  const std::string text = out.error[0] + out.error[1];
  CHECK_THAT(text, contains("f32[10]"));
  CHECK_THAT(text, contains("f32[12]"));
  CHECK(out.exit_code == kExitFailed);
}

TEST_CASE("errors say what ranks are doing", "[comm][inproc]") {
  auto out = run_ranks(
      2,
      [](World& world) {
        world.control->set_activity(
            concat("step ", 10 + world.control->rank()));
        world.control->barrier();
        if (world.control->rank() == 0) world.control->barrier();
      },
      0.1);
  CHECK_THAT(out.error[0], contains("rank 0/2, step 10, barrier, call 2"));
  CHECK_THAT(out.error[0], contains("rank 1 (step 11) has not called it"));
}

TEST_CASE("an exception does not wait for the requests it leaves",
          "[comm][inproc]") {
  auto out = run_ranks(2, [](World& world) {
    std::vector<float> v(1000);
    auto request = world.control->start_all_reduce(v.data(), v.size(),
                                                   DType::f32, ReduceOp::sum);
    if (world.control->rank() == 0) throw DataError("no such file");
    request->wait();
    for (;;) world.control->barrier();
  });
  CHECK(out.error[0] == "no such file");
  CHECK_THAT(out.error[1], contains("rank 0 failed: "));
}

TEST_CASE("a failure reaches who waits for mail", "[comm][inproc]") {
  auto out = run_ranks(2, [](World& world) {
    if (world.control->rank() == 0) throw DataError("no such file");
    world.mail->receive(20);
  });
  CHECK(out.error[1] == "rank 0 failed: no such file");
}

TEST_CASE("a request under way fails with the rank that others wait for",
          "[comm][inproc]") {
  auto out = run_ranks(
      2,
      [](World& world) {
        if (world.control->rank() == 1) return;
        int64_t v = 1;
        auto request =
            world.control->start_all_reduce(&v, 1, DType::i64, ReduceOp::sum);
        request->wait();
      },
      0.1);
  CHECK_THAT(out.error[0], contains("rank 1 has not called it"));
}

TEST_CASE("run_world returns the largest code", "[comm][inproc]") {
  CommOptions options;
  options.backend = "inproc";
  options.ranks = 3;
  CHECK(run_world(options, [](World& world) {
          return world.control->rank() == 1 ? kExitStopped : 0;
        }) == kExitStopped);
  options.ranks = 1;
  CHECK(run_world(options, [](World& world) {
          CHECK(world.control->size() == 1);
          CHECK(world.local_rank == 0);
          CHECK(world.local_size == 1);
          CHECK(&world.data_plane() == world.control.get());
          return 0;
        }) == 0);
}

TEST_CASE("impossible options are refused", "[comm]") {
  auto refused = [](auto change) {
    CommOptions options;
    change(options);
    try {
      run_world(options, [](World&) { return 0; });
    } catch (const ConfigError& e) {
      return std::string(e.what());
    }
    return std::string("accepted");
  };
  CHECK(refused([](CommOptions& o) { o.backend = "ncl"; }) ==
        "comm.backend = \"ncl\"; expected one of: inproc, mpi, nccl, auto");
  CHECK_THAT(refused([](CommOptions& o) { o.ranks = 0; }),
             contains("comm.ranks = 0"));
  CHECK_THAT(refused([](CommOptions& o) { o.timeout_s = 0; }),
             contains("comm.timeout_s = 0"));
  CHECK_THAT(refused([](CommOptions& o) {
               o.backend = "mpi";
               o.ranks = 2;
             }),
             contains("comm.ranks = 2"));
}

}  // namespace
}  // namespace protean
