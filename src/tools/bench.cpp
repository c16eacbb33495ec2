#include "protean/tools/bench.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include <ATen/ATen.h>
#include <sys/resource.h>

#include "protean/core/clock.h"
#include "protean/core/error.h"
#include "protean/core/lists.h"
#include "protean/core/philox.h"
#include "protean/experiment/device.h"
#include "protean/learners/make_learner.h"
#include "protean/models/ops/roof.h"
#include "protean/models/threads.h"
#include "protean/trainer/meta_step.h"

namespace protean {
namespace {

constexpr int64_t kMostSteps = 1 << 30;

using Clock = std::chrono::steady_clock;

// Tasks of one shape, filled with uniform noise; labels are class-major.
class NoiseSource : public TaskSource {
 public:
  explicit NoiseSource(TaskShape shape) : shape_(std::move(shape)) {}

  TaskSpec describe(uint64_t, TaskId id, const StreamState&) const override {
    TaskSpec spec;
    spec.id = id;
    return spec;
  }
  TaskShape shape(const TaskSpec&) const override { return shape_; }
  void materialise(const TaskSpec& spec, EpisodeView out) const override {
    fill(spec, 0, shape_.support, out.support);
    fill(spec, 1, shape_.query, out.query);
  }

 private:
  void fill(const TaskSpec& spec, uint32_t slot, int64_t n,
            const PartView& out) const {
    Draws draws(1, spec.id, Purpose::noise, slot);
    int64_t size = n;
    for (int64_t d : shape_.input) size *= d;
    auto uniform = [&] { return static_cast<float>(draws.next()) * 0x1p-32f; };
    for (int64_t i = 0; i < size; ++i) out.x[i] = uniform();
    for (int64_t i = 0; i < n; ++i) {
      if (out.label) out.label[i] = i * shape_.ways / n;
      if (out.value) out.value[i] = uniform();
    }
  }

  TaskShape shape_;
};

struct Workload {
  const char* name;
  const char* learner;
  const char* pool;  // "" = the 1-40-40-1 perceptron
  uint32_t ways, shots, queries, meta_batch, stack;
  int steps;
  double lr;
};

// Shapes of the published settings, as users of other frameworks time them.
constexpr Workload kWorkloads[] = {
    {"sine-maml", "maml", "", 0, 10, 10, 25, 25, 1, 0.01},
    {"sine-maml-5step", "maml", "", 0, 10, 10, 25, 25, 5, 0.01},
    {"omniglot-maml-5w1s", "maml", "max", 5, 1, 15, 32, 4, 5, 0.4},
    {"omniglot-fomaml-5w1s", "fomaml", "max", 5, 1, 15, 32, 4, 5, 0.4},
    {"omniglot-anil-5w1s", "anil", "max", 5, 1, 15, 32, 4, 5, 0.4},
    {"omniglot-maml-5w1s-strided", "maml", "stride", 5, 1, 15, 32, 4, 5, 0.4},
    {"omniglot-maml-20w1s", "maml", "stride", 20, 1, 15, 16, 4, 5, 0.1},
    {"protonet-60w1s", "protonet", "max", 60, 1, 5, 1, 1, 1, 0.1},
    {"protonet-20w1s", "protonet", "max", 20, 1, 5, 1, 1, 1, 0.1},
    {"omniglot-reptile-5w", "reptile", "max", 5, 10, 0, 5, 1, 5, 1e-3},
    {"miniimagenet-maml-5w1s", "maml", "max", 5, 1, 15, 4, 2, 5, 0.01},
};

TaskShape bench_shape(const std::string& workload, const Config& c) {
  TaskShape shape;
  if (c.model.name == "mlp") {
    shape.support = c.task.shots;
    shape.query = c.task.queries;
    shape.input = {1};
    shape.target = TargetKind::values;
    return shape;
  }
  shape.ways = c.task.ways;
  shape.support = c.task.ways * c.task.shots;
  shape.query = c.task.ways * c.task.queries;
  shape.input = {1, 28, 28};
  if (workload.starts_with("miniimagenet")) shape.input = {3, 84, 84};
  return shape;
}

// Floating-point operations of a 3x3 convolution of one image: those of
// Winograd's tiles of 2x2 results where the kernels use them (16
// multiplications for 4 results, not 36), else of the plain sum.
double conv_flops(double in, double out, double side, int stride) {
  if (stride == 1 && side >= 5 && in >= 16) {
    const double tiles = std::ceil(side / 2);
    return 2 * 16 * in * out * tiles * tiles;
  }
  const double results = std::ceil(side / stride);
  return 2 * 9 * in * out * results * results;
}

// Floating-point operations of the matrix products and convolutions of one
// task: a forward pass counts once, each gradient twice, a double backward six
// times.
double task_flops(const Config& c, const TaskShape& shape) {
  double forward = 0;  // of one example
  if (c.model.name == "mlp") {
    forward = 2.0 * (40 + 40 * 40 + 40);
  } else {
    double channels = static_cast<double>(shape.input[0]);
    double side = static_cast<double>(shape.input[1]);
    const auto filters = static_cast<double>(c.model.filters);
    const int stride = c.model.pool == "stride" ? 2 : 1;
    for (int block = 0; block < 4; ++block) {
      forward += conv_flops(channels, filters, side, stride);
      side = stride == 2             ? std::ceil(side / 2)
             : c.model.pool == "max" ? std::floor(side / 2)
                                     : side;
      channels = filters;
    }
  }
  const bool second_order = c.learner.name == "maml" && c.learner.second_order;
  const double support = shape.support, query = shape.query;
  // ANIL's inner steps see the body's features alone.
  if (c.learner.name == "protonet" || c.learner.name == "anil")
    return forward * 3 * (support + query);
  const double batch =
      c.learner.inner_batch > 0 ? c.learner.inner_batch : support;
  return forward *
         (batch * c.learner.inner_steps * (second_order ? 9 : 3) + query * 3);
}

// FLOP/s of multiply-adds with this rank's threads while the other ranks do the
// same, over all ranks.
double fma_peak(Communicator& comm) {
  comm.barrier();
  double rate = ops::fma_rate(0.5);
  comm.all_reduce(&rate, 1, DType::f64, ReduceOp::sum);
  return rate;
}

double peak_rss_mib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

}  // namespace

std::vector<std::string> bench_workloads() {
  std::vector<std::string> names;
  for (const auto& w : kWorkloads) names.emplace_back(w.name);
  return names;
}

Config bench_config(const std::string& workload, Config c) {
  for (const auto& w : kWorkloads) {
    if (workload != w.name) continue;
    c.learner.name = w.learner;
    if (c.learner.name != "protonet") {
      c.learner.inner_steps = w.steps;
      c.learner.inner_lr = w.lr;
    }
    c.task.ways = w.ways;
    c.task.shots = w.shots;
    c.task.queries = w.queries;
    c.task.meta_batch = w.meta_batch;
    if (c.task.stack == 0) c.task.stack = w.stack;
    if (*w.pool == '\0')
      c.model.name = "mlp";
    else
      c.model.pool = w.pool;
    if (workload.starts_with("miniimagenet")) c.model.filters = 32;
    if (c.learner.name == "reptile") {
      c.learner.inner_optimizer = "adam";
      c.learner.inner_batch = 10;
      c.optim.name = "sgd";
      c.optim.lr = 0.1;
    }
    return c;
  }
  throw ConfigError("bench.workload = \"" + workload +
                    "\"; expected one of: " + joined(bench_workloads()));
}

namespace {

nlohmann::json report(const Config& config, const std::vector<double>& step_s,
                      const StepTimes& total) {
  const double per_step = median(step_s);
  const double n = static_cast<double>(step_s.size());
  return {
      {"threads", config.run.threads},
      {"reduction", config.reduction},
      {"meta_batch", config.task.meta_batch},
      {"steps", step_s.size()},
      {"tasks_per_s", config.task.meta_batch / per_step},
      {"seconds_per_step", per_step},
      {"seconds_fastest_step", *std::min_element(step_s.begin(), step_s.end())},
      {"breakdown",
       {{"data", total.data / n},
        {"inner", total.inner / n},
        {"outer", total.outer / n},
        {"reduce", total.reduce / n},
        {"optimiser", total.optimiser / n}}}};
}

}  // namespace

nlohmann::json bench(const std::string& workload, const Config& given,
                     double seconds, World& world) {
  auto& comm = *world.control;
  const auto device = choose_device(given.run.device, world);
  Experiment e;
  e.config = given;
  const auto shape = bench_shape(workload, given);
  const auto source = std::make_shared<NoiseSource>(shape);
  e.tasks.train = source;
  // One episode per rank is a step where a step has one task.
  if (e.config.task.meta_batch == 1)
    e.config.task.meta_batch = static_cast<uint32_t>(comm.size());
  e.learner = make_learner(given.learner, given.model, shape);
  set_threads(given.run.threads);
  const double peak = fma_peak(comm);

  e.initial = initial_values(*e.learner, given.run.seed);
  auto state = initial_state(e, device);
  StepObjective objective(
      {e, world.data_plane(), reduction_options(given), device, 0, kMostSteps},
      [] { return RankReport(); });
  std::vector<double> step_s;
  StepTimes total;
  auto one_step = [&] {
    const auto start = std::chrono::steady_clock::now();
    meta_step(objective, state, {});
    step_s.push_back(seconds_since(start));
    total += objective.times();
  };
  for (int i = 0; i < 3; ++i) one_step();
  // Every rank makes the same number of steps: rank 0's clock decides.
  int64_t steps = std::clamp<int64_t>(
      static_cast<int64_t>(seconds / step_s.back()), 3, 20000);
  comm.broadcast(&steps, sizeof steps, 0);
  step_s.clear();
  total = {};
  for (int64_t i = 0; i < steps; ++i) one_step();

  double rss = peak_rss_mib();
  comm.all_reduce(&rss, 1, DType::f64, ReduceOp::sum);
  auto result = report(e.config, step_s, total);
  result["workload"] = workload;
  result["ranks"] = comm.size();
  result["backend"] = world.data_plane().backend();
  result["device"] = device_name(device);
  result["stack"] = stack_limit(e);
  result["peak_rss_mib"] = rss;
  const double flops = task_flops(given, shape);
  result["fma_gflops"] = peak / 1e9;
  result["useful_gflop_per_task"] = flops / 1e9;
  result["useful_fraction_of_fma"] =
      result["tasks_per_s"].get<double>() * flops / peak;
  return result;
}

}  // namespace protean
