// The planner and its cost model: how even the load is, and what a step would
// take on many ranks.
//
//   planner_bench [seconds per unit of work, default 0.0002]
//
// 1. Measured: 256 stacks whose cost is log-uniform in 1 ... 50, of 64 shapes,
//    are computed by 4 threads that act as ranks; CPU time per rank, dealt
//    round-robin, by static cost (all equal), and by the costs that the model
//    has measured.
// 2. Counted: what unequal tasks cost, in examples, in stacks of equal shape
//    alone, all padded to the largest there may be, and as the planner cuts
//    them, by what a stack more costs.
// 3. Simulated: the same planner at 8 ... 4096 ranks with 8 stacks per rank,
//    its own time measured. Assumed: stacks take their predicted time +- 5 %,
//    ranks differ by +- 2 % (both log-normal), the gradient of 112,261
//    parameters travels as int64, all-reduce takes 2 log2(n) alpha + 2 (n-1)/n
//    bytes / beta and hides behind nothing.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <numeric>
#include <random>
#include <thread>
#include <vector>

#include "protean/coordinator/cost_model.h"
#include "protean/coordinator/planner.h"

using namespace protean;

namespace {

constexpr int kShapes = 64;
volatile double g_sink = 0;

double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// Arithmetic that takes `units` of work, whatever else the machine does.
void work(double units, long rounds_per_unit) {
  double x = 1;
  const auto rounds = static_cast<long>(units * rounds_per_unit);
  for (long i = 0; i < rounds; ++i) x = std::fma(x, 0.999999, 1e-6);
  g_sink = x;
}

long rounds_per(double seconds) {
  constexpr long kRounds = 20'000'000;
  const double before = cpu_seconds();
  work(1, kRounds);
  return static_cast<long>(kRounds * seconds / (cpu_seconds() - before));
}

double units_of(uint64_t shape) {  // log-uniform in 1 ... 50
  return std::pow(50.0, (static_cast<double>(shape) + 0.5) / kShapes);
}

std::vector<StackPlan> stacks_of(size_t n) {
  std::vector<StackPlan> stacks(n);
  std::mt19937_64 random(7);
  for (size_t i = 0; i < n; ++i) {
    stacks[i].index = {static_cast<uint32_t>(i)};
    stacks[i].shape_key = random() % kShapes;
    stacks[i].cost = 1;
  }
  return stacks;
}

// max / mean over ranks of the CPU time that the stacks take; model learns.
double measured_imbalance(const std::vector<StackPlan>& stacks, int ranks,
                          long rounds, CostModel* model) {
  std::vector<double> busy(ranks, 0), seconds(stacks.size(), 0);
  std::vector<std::thread> threads;
  for (int r = 0; r < ranks; ++r)
    threads.emplace_back([&, r] {
      for (size_t i = 0; i < stacks.size(); ++i) {
        if (stacks[i].owner != r) continue;
        const double before = cpu_seconds();
        work(units_of(stacks[i].shape_key), rounds);
        seconds[i] = cpu_seconds() - before;
        busy[r] += seconds[i];
      }
    });
  for (auto& t : threads) t.join();
  if (model)
    for (size_t i = 0; i < stacks.size(); ++i)
      model->observe({stacks[i].shape_key, 1, seconds[i]});
  const double mean = std::accumulate(busy.begin(), busy.end(), 0.0) / ranks;
  return *std::max_element(busy.begin(), busy.end()) / mean;
}

void measure(double unit_s) {
  constexpr int kRanks = 4;
  const long rounds = rounds_per(unit_s);
  auto stacks = stacks_of(256);
  for (size_t i = 0; i < stacks.size(); ++i) stacks[i].owner = i % kRanks;
  CostModel model;
  const double dealt = measured_imbalance(stacks, kRanks, rounds, &model);
  auto blind = stacks_of(256);
  choose_owners(blind, kRanks);
  const double by_static = measured_imbalance(blind, kRanks, rounds, &model);
  auto planned = stacks_of(256);
  predict_costs(model.table(), planned);
  choose_owners(planned, kRanks);
  const double by_cost = measured_imbalance(planned, kRanks, rounds, nullptr);
  std::printf(
      "256 stacks, cost log-uniform in 1 ... 50, 4 ranks: CPU time max / mean\n"
      "  round-robin     %.3f\n  by static cost  %.3f\n  by measured cost "
      "%.3f\n",
      dealt, by_static, by_cost);
}

// Tasks of 5 to 20 ways, 1 to 5 shots, 5 queries; 32 of them, in stacks of 8,
// each of which costs `overhead` examples.
void count_padding(int64_t overhead) {
  std::mt19937_64 random(11);
  double useful = 0, equal = 0, largest = 0, cut = 0;
  const auto cost = [&](const std::vector<TaskShape>& tasks, int64_t planned) {
    double sum = 0;
    for (const auto& s : cut_stacks(tasks, {8, planned}))
      sum += static_cast<double>(s.cost) + static_cast<double>(overhead);
    return sum;
  };
  TaskShape most;
  most.ways = 20;
  most.support = most.query = 100;
  for (int step = 0; step < 200; ++step) {
    std::vector<TaskShape> tasks(32);
    for (auto& t : tasks) {
      t.ways = static_cast<uint32_t>(5 + random() % 16);
      t.support = t.ways * static_cast<uint32_t>(1 + random() % 5);
      t.query = t.ways * 5;
      useful += static_cast<double>(t.examples());
    }
    equal += cost(tasks, 0);
    largest += cost(std::vector<TaskShape>(tasks.size(), most), 0);
    cut += cost(tasks, overhead);
  }
  std::printf("  %8lld  %11.3f  %14.3f  %7.3f\n",
              static_cast<long long>(overhead), equal / useful,
              largest / useful, cut / useful);
}

void simulate(const char* network, double alpha, double beta) {
  constexpr double kBytes = 112261 * 8.0, kUnit = 2e-3;
  std::printf(
      "\n%s: alpha %.0f us, beta %.0f GB/s; 8 stacks a rank of 2 ... 100 ms\n"
      "  ranks  imbalance  compute ms  all-reduce ms  planner ms  efficiency\n",
      network, alpha * 1e6, beta * 1e-9);
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal;
  CostTable table{1, {}};
  for (uint64_t s = 0; s < kShapes; ++s)
    table.entries.push_back({s, units_of(s) * kUnit});
  for (int ranks : {8, 64, 512, 4096}) {
    const auto start = std::chrono::steady_clock::now();
    auto stacks = stacks_of(8 * static_cast<size_t>(ranks));
    predict_costs(table, stacks);
    choose_owners(stacks, ranks);
    const double planner =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
            .count();
    std::vector<double> speed(ranks), busy(ranks, 0);
    for (auto& s : speed) s = std::exp(0.02 * normal(random));
    for (const auto& s : stacks)
      busy[s.owner] +=
          s.cost * std::exp(0.05 * normal(random)) * speed[s.owner];
    const double mean = std::accumulate(busy.begin(), busy.end(), 0.0) / ranks;
    const double most = *std::max_element(busy.begin(), busy.end());
    const double n = ranks;
    const double reduce =
        2 * std::log2(n) * alpha + 2 * (n - 1) / n * kBytes / beta;
    // The plan is made on the thread that prepares tasks, a step ahead.
    std::printf("  %5d  %9.3f  %10.1f  %13.2f  %10.2f  %9.1f %%\n", ranks,
                most / mean, 1e3 * most, 1e3 * reduce, 1e3 * planner,
                100 * mean / (most + reduce));
  }
}

}  // namespace

int main(int argc, char** argv) {
  measure(argc > 1 ? std::atof(argv[1]) : 2e-4);
  std::printf(
      "\n32 tasks of 5 - 20 ways, 1 - 5 shots, stacks of 8: cost / examples\n"
      "  overhead  equal alone  padded to most  planned\n");
  for (int64_t overhead : {3, 10, 100, 1000}) count_padding(overhead);
  simulate("InfiniBand", 2e-6, 10e9);
  simulate("10 Gbit Ethernet", 30e-6, 1e9);
}
