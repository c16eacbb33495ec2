// Latency of all_reduce between the ranks of one machine, in calls that follow
// each other and in calls after some work:
//   mpirun -np 2 comm_bench
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "protean/comm/world.h"

namespace {

using namespace protean;

void measure(Communicator& comm, const char* name, size_t count, DType type,
             SumOrder order, double work_us) {
  std::vector<char> data(count * size_of(type));
  std::vector<double> us;
  const int calls = count < 1000 ? 2000 : 200;
  for (int k = 0; k < calls; ++k) {
    comm.barrier();
    auto start = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - start <
           std::chrono::duration<double, std::micro>(work_us)) {
    }
    start = std::chrono::steady_clock::now();
    comm.all_reduce(data.data(), count, type, ReduceOp::sum, order);
    us.push_back(std::chrono::duration<double, std::micro>(
                     std::chrono::steady_clock::now() - start)
                     .count());
  }
  std::sort(us.begin(), us.end());
  if (comm.rank() == 0)
    std::printf(
        "%-22s %s %4.0f us work before: median %7.1f us, p90 %7.1f us\n", name,
        order == SumOrder::fast ? "fast   " : "by_rank", work_us,
        us[us.size() / 2], us[us.size() * 9 / 10]);
}

}  // namespace

int main() {
  return run_world({}, [](World& world) {
    Communicator& comm = *world.control;
    for (SumOrder order : {SumOrder::fast, SumOrder::by_rank})
      for (double work_us : {0.0, 400.0}) {
        measure(comm, "8 B (i64)", 1, DType::i64, order, work_us);
        measure(comm, "450 kB (112500 f32)", 112500, DType::f32, order,
                work_us);
        measure(comm, "900 kB (112500 i64)", 112500, DType::i64, order,
                work_us);
      }
    return 0;
  });
}
