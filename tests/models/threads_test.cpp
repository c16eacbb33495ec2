#include "protean/models/threads.h"

#include <filesystem>
#include <fstream>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>

#include <ATen/Parallel.h>

#include "protean/models/ops/ops.h"

#include "models/ops_agree.h"
#include "support/catch.h"

using namespace protean;
using namespace protean::test;

namespace {

// Sets the threads of a scope.
struct Threads {
  explicit Threads(int n) : before(threads()) { set_threads(n); }
  ~Threads() { set_threads(before); }
  int before;
};

// Those that take part in a loop over n that is cut into grains.
size_t taking_part(int64_t n, int64_t grain) {
  std::mutex mutex;
  std::set<std::thread::id> seen;
  parallel_for(n, grain, [&](int64_t, int64_t) {
    const std::lock_guard lock(mutex);
    seen.insert(std::this_thread::get_id());
  });
  return seen.size();
}

std::set<std::string> loaded_thread_libraries() {
  std::set<std::string> found;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    const auto slash = line.find('/');
    if (slash == std::string::npos) continue;
    const auto path = std::filesystem::path(line.substr(slash));
    const auto name = path.filename().string();
    for (const char* kind : {"libgomp", "libomp", "libiomp"})
      if (name.starts_with(kind)) found.insert(path.string());
  }
  return found;
}

// The same bits of everything that differentiating twice gives, however many
// threads there are.
void check_bits(const Op& op, const Tensors& in) {
  const auto alone = [&] {
    const Threads one(1);
    return differentiate(op, in);
  }();
  for (const int n : {2, 3, 7}) {
    INFO(n << " threads");
    const Threads several(n);
    const auto now = differentiate(op, in);
    for (const auto& [a, b] : {std::pair(&alone.values, &now.values),
                               std::pair(&alone.first, &now.first),
                               std::pair(&alone.second, &now.second)}) {
      REQUIRE(a->size() == b->size());
      for (size_t i = 0; i < a->size(); ++i) CHECK(at::equal((*a)[i], (*b)[i]));
    }
  }
}

at::Tensor leaf(at::IntArrayRef sizes) {
  return at::randn(sizes, at::kFloat).requires_grad_();
}

}  // namespace

#ifdef PROTEAN_EXPECT_THREADS

TEST_CASE("A loop runs on every thread that it may use", "[models][threads]") {
  const Threads three(3);
  CHECK(taking_part(3, 1) == 3);
  CHECK(taking_part(300, 1) == 3);
  CHECK(taking_part(2, 1) == 2);
  // Ten of at least five each.
  CHECK(taking_part(10, 5) == 2);
  const Threads one(1);
  CHECK(taking_part(300, 1) == 1);
}

TEST_CASE("There is one OpenMP run-time, LibTorch's own", "[models][threads]") {
  at::rand({8, 8}).mm(at::rand({8, 8}));
  const auto loaded = loaded_thread_libraries();
  REQUIRE(loaded.size() == 1);
  CHECK(std::filesystem::path(*loaded.begin()).filename() == thread_library());
}

#endif

TEST_CASE("A loop covers each of its numbers once", "[models][threads]") {
  for (const int n : {1, 2, 3, 5}) {
    const Threads several(n);
    for (const int64_t size : {0, 1, 2, 3, 4, 7, 100}) {
      INFO(size << " on " << n << " threads");
      std::vector<int> times(size);
      parallel_for(size, 1, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) ++times[i];
      });
      CHECK(times == std::vector<int>(size, 1));
    }
  }
}

TEST_CASE("A loop inside of a loop stays on its thread", "[models][threads]") {
  const Threads several(3);
  std::vector<size_t> inner(3);
  parallel_for(3, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) inner[i] = taking_part(9, 1);
  });
  CHECK(inner == std::vector<size_t>{1, 1, 1});
}

TEST_CASE("What a thread of a loop throws reaches the caller",
          "[models][threads]") {
  const Threads several(3);
  CHECK_THROWS_WITH(parallel_for(3, 1,
                                 [](int64_t begin, int64_t end) {
                                   if (begin <= 2 && 2 < end)
                                     throw std::runtime_error("the last one");
                                 }),
                    "the last one");
  CHECK(taking_part(1, 1) == 1);  // and the next one runs
}

TEST_CASE("LibTorch's own operations stay on the thread that calls them",
          "[models][threads]") {
  const Threads several(3);
  CHECK(at::get_num_threads() == 1);
  int other = 0;
  std::thread([&] { other = at::get_num_threads(); }).join();
  CHECK(other == 1);
}

TEST_CASE("A convolution has the same bits on any number of threads",
          "[models][ops][threads]") {
  struct Case {
    int64_t n, tasks, in, out, side, stride;
    bool shared;
  };
  // One task and many, Winograd's way, the direct one and thin images, weights
  // that tasks share.
  for (const Case& c : std::vector<Case>{{5, 1, 64, 64, 14, 1, false},
                                         {5, 2, 64, 32, 7, 1, false},
                                         {3, 8, 16, 64, 9, 1, false},
                                         {7, 1, 64, 64, 3, 1, false},
                                         {5, 2, 32, 64, 14, 2, false},
                                         {9, 1, 1, 64, 28, 1, false},
                                         {9, 2, 3, 32, 11, 2, false},
                                         {5, 4, 64, 64, 14, 1, true}}) {
    INFO(c.n << " images of " << c.side << ", " << c.tasks << " tasks, " << c.in
             << " to " << c.out << " channels, stride " << c.stride);
    at::manual_seed(3);
    const auto x =
        ops::to_stack(at::randn({c.tasks, c.n, c.in, c.side, c.side}))
            .detach()
            .requires_grad_(c.in > 3);
    const auto w = leaf({c.shared ? 1 : c.tasks, c.out, c.in, 3, 3});
    check_bits(
        [&](const Tensors& in) -> Tensors {
          return {ops::conv(in[0], in[1], c.stride)};
        },
        {x, w});
  }
}

TEST_CASE("Norm, ReLU and pooling have the same bits on any number of threads",
          "[models][ops][threads]") {
  for (const auto& [tasks, n] : {std::pair(1, 10), {2, 5}, {9, 3}, {1, 1}})
    for (const auto pool : {ops::Pool::none, ops::Pool::max2}) {
      INFO(tasks << " tasks of " << n);
      at::manual_seed(5);
      const auto x = ops::to_stack(at::randn({tasks, n, 64, 9, 9}))
                         .detach()
                         .requires_grad_();
      check_bits(
          [&](const Tensors& in) -> Tensors {
            const auto r = ops::norm_relu_pool(in[0], in[1], in[2], 1e-5, pool);
            return {r.y, r.mean, r.variance};
          },
          {x, leaf({tasks, 64}), leaf({tasks, 64})});
    }
}

TEST_CASE("A perceptron has the same bits on any number of threads",
          "[models][ops][threads]") {
  at::manual_seed(9);
  // Tasks enough to be worth several threads.
  const int64_t tasks = 120;
  check_bits(
      [](const Tensors& in) -> Tensors {
        return {
            ops::relu_mlp(in[0], {in[1], in[3], in[5]}, {in[2], in[4], in[6]})};
      },
      {at::randn({tasks, 10, 1}), leaf({tasks, 40, 1}), leaf({tasks, 40}),
       leaf({tasks, 40, 40}), leaf({tasks, 40}), leaf({tasks, 1, 40}),
       leaf({tasks, 1})});
}
