// The step's sum of device tensors: by a communicator of host memory, and by a
// pretend NCCL, which takes device memory alone.
#include <cmath>
#include <limits>

#include <ATen/ATen.h>

#include "protean/trainer/reduction.h"

#include "device/pretend.h"
#include "support/catch.h"
#include "support/fake_nccl.h"
#include "support/run_world.h"
#include "support/toy_tasks.h"
#include "trainer/per_rank.h"

namespace protean {
namespace {

constexpr int64_t kTheta = 131, kState = 5, kStacks = 6;

enum class Where { host, staged, nccl };

struct Outcome {
  std::vector<float> gradient, state;
  double loss = 0, accuracy = 0;
  int64_t tasks = 0, repeats = 0;
  std::vector<int64_t> worst_tasks, stops;
  std::vector<float> worst_losses;
  StepReducer::Exponents exponents{};
  int64_t reads = 0;  // of the device, in the last step
  bool same_hashes = true;
  bool operator==(const Outcome&) const = default;
};

std::vector<float> floats(const at::Tensor& t) {
  const auto host = t.to(at::kCPU).contiguous();
  return {host.data_ptr<float>(), host.data_ptr<float>() + host.numel()};
}

at::Tensor stack_gradient(int64_t s, int64_t size, uint64_t seed) {
  return noise({size}, seed + static_cast<uint64_t>(s), at::kFloat) *
         at::pow(10.0,
                 noise({size}, 500 + static_cast<uint64_t>(s), at::kFloat));
}

Outcome reduce(Communicator& comm, at::Device device,
               const ReductionOptions& options, double growth) {
  StepReducer reducer(comm, options, kTheta, kState, device);
  const MetaView meta{at::full({kTheta}, 0.25).to(device),
                      at::zeros({kState}).to(device)};
  Outcome out;
  for (int step = 0; step < 3; ++step) {
    StepTotals totals;
    bool done = false;
    while (!done) {
      if (comm.size() == 1) pretend::clear_counts();
      reducer.begin(kStacks);
      for (int64_t s = comm.rank(); s < kStacks; s += comm.size()) {
        if (options.overlap && s + comm.size() >= kStacks) reducer.ship();
        const auto sums = reducer.stack_sums();
        const auto uploaded = [&](int64_t size, uint64_t seed) {
          const auto pinned =
              device.is_cpu()
                  ? at::empty({size})
                  : at::empty({size}, at::device(at::kCPU).pinned_memory(true));
          pinned.copy_(stack_gradient(s, size, seed));
          return pinned.to(device, true);
        };
        sums.theta.add_(uploaded(kTheta, 10) * std::pow(growth, step));
        sums.state.add_(uploaded(kState, 90));
        const auto first = static_cast<uint32_t>(2 * s);
        const auto one = at::ones({2}, at::device(device));
        reducer.stack_done(
            {first, first + 1},
            {one * 0.3 * static_cast<double>(s + 1), one * 0.25});
      }
      RankReport mine;
      mine.stop = comm.rank() + 4;
      if (device.is_cpu()) mine.hash = 17;
      done = reducer.finish(mine, meta, step, totals);
    }
    if (comm.size() == 1) out.reads = pretend::counts().reads;
    out.gradient = floats(totals.gradient);
    out.state = floats(totals.state);
    out.loss = totals.loss;
    out.accuracy = totals.accuracy;
    out.tasks = totals.tasks;
    out.worst_tasks.clear();
    out.worst_losses.clear();
    out.stops.clear();
    for (const auto& r : totals.ranks) {
      out.worst_tasks.push_back(r.worst_task);
      out.worst_losses.push_back(r.worst_loss);
      out.stops.push_back(r.stop);
      out.same_hashes &= r.hash == totals.ranks[0].hash && r.hash != 0;
    }
  }
  out.repeats = reducer.repeats();
  out.exponents = reducer.exponents();
  return out;
}

// Each rank's, all equal.
Outcome on(Where where, int ranks, const ReductionOptions& options,
           double growth = 1) {
  FakeNccl fake(ranks, 8);
  const auto result = run_ranks(ranks, [&](World& world) {
    const int rank = world.control->rank();
    std::unique_ptr<Communicator> data;
    if (where == Where::nccl) data = fake.connect(world);
    return reduce(
        data ? *data : *world.control,
        where == Where::host ? at::Device(at::kCPU) : pretend_at(rank), options,
        growth);
  });
  for (const auto& error : result.error) CHECK(error == "");
  REQUIRE(result.ok());
  CHECK(fake.violations() == std::vector<std::string>{});
  for (const auto& value : result.value) CHECK(*value == *result.value[0]);
  return *result.value[0];
}

TEST_CASE("exact: a device's sums have the host's bits", "[device]") {
  pretend_devices();
  const bool overlap = GENERATE(false, true);
  // 1e4: beyond the scale, so that steps are made again.
  const double growth = GENERATE(1, 1e4);
  const int ranks = GENERATE(1, 3);
  const ReductionOptions options{ReductionLevel::exact, DType::f32, overlap};
  auto want = on(Where::host, ranks, options, growth);
  CHECK((want.repeats > 0) == (growth > 1));
  for (const auto where : {Where::staged, Where::nccl}) {
    auto got = on(where, ranks, options, growth);
    // One read per step; what travels early is read apart where it is staged.
    if (ranks == 1)
      CHECK(got.reads == (overlap && where == Where::staged ? 2 : 1));
    got.reads = want.reads;
    CHECK(got == want);
  }
}

TEST_CASE("fast and fixed: a device's sums are the host's but for rounding",
          "[device]") {
  pretend_devices();
  const auto level = GENERATE(ReductionLevel::fast, ReductionLevel::fixed);
  const auto wire = GENERATE(DType::f32, DType::bf16, DType::f16);
  const bool overlap = GENERATE(false, true);
  const int ranks = GENERATE(1, 2);
  const ReductionOptions options{level, wire, overlap};
  const auto want = on(Where::host, ranks, options);
  for (const auto where : {Where::staged, Where::nccl}) {
    // NCCL offers no order of ranks.
    if (where == Where::nccl && level == ReductionLevel::fixed) continue;
    const auto got = on(where, ranks, options);
    CHECK(got.loss == Approx(want.loss).epsilon(1e-6));
    CHECK(got.accuracy == Approx(0.25));
    CHECK(got.tasks == 2 * kStacks);
    CHECK(got.worst_tasks == want.worst_tasks);
    CHECK(got.stops == want.stops);
    CHECK(got.same_hashes);
    CHECK(got.exponents == want.exponents);
    for (size_t i = 0; i < got.gradient.size(); ++i)
      CHECK(got.gradient[i] ==
            Approx(want.gradient[i]).epsilon(1e-5).margin(1e-5));
  }
}

TEST_CASE("a task that is not finite is named from a device", "[device]") {
  pretend_devices();
  const auto level = GENERATE(ReductionLevel::fast, ReductionLevel::exact);
  const bool in_loss = GENERATE(true, false);
  if (level == ReductionLevel::fast && !in_loss) return;
  const auto where = GENERATE(Where::staged, Where::nccl);
  const float bad = GENERATE(std::numeric_limits<float>::quiet_NaN(),
                             std::numeric_limits<float>::infinity());
  FakeNccl fake(2, 8);
  const auto result = run_ranks(2, [&](World& world) {
    const int rank = world.control->rank();
    std::unique_ptr<Communicator> data;
    if (where == Where::nccl) data = fake.connect(world);
    const auto d = pretend_at(rank);
    StepReducer reducer(data ? *data : *world.control, {level}, kTheta, kState,
                        d);
    reducer.begin(2);
    const auto sums = reducer.stack_sums();
    if (rank == 1 && !in_loss) sums.theta.narrow(0, 17, 1).fill_(bad);
    auto loss = at::ones({3}, at::device(d));
    if (rank == 1 && in_loss) loss.narrow(0, 1, 2).fill_(bad);
    const auto first = static_cast<uint32_t>(10 * (rank + 1));
    reducer.stack_done({first, first + 3, first + 6}, {loss, loss});
    const MetaView meta{at::zeros({kTheta}, at::device(d)),
                        at::zeros({kState}, at::device(d))};
    StepTotals totals;
    std::string why;
    try {
      reducer.finish({}, meta, 12, totals);
    } catch (const NumericError& e) {
      why = e.what();
    }
    return why;
  });
  REQUIRE(result.ok());
  for (const auto& why : result.value)
    CHECK_THAT(*why, contains(concat("step 12: the loss or gradient of task ",
                                     in_loss ? 23 : 20,
                                     " is not finite (computed by rank 1)")));
}

TEST_CASE("slices of device memory become whole", "[device]") {
  pretend_devices();
  const auto where = GENERATE(Where::staged, Where::nccl);
  const int ranks = GENERATE(1, 3);
  FakeNccl fake(ranks, 8);
  const auto result = run_ranks(ranks, [&](World& world) {
    const int rank = world.control->rank();
    std::unique_ptr<Communicator> data;
    if (where == Where::nccl) data = fake.connect(world);
    auto& comm = data ? *data : *world.control;
    const auto want = at::arange(10, at::kFloat);
    const auto slice = slice_of(10, rank, ranks);
    auto whole = at::full({10}, -1.f).to(pretend_at(rank));
    whole.narrow(0, slice.begin, slice.end - slice.begin)
        .copy_(want.narrow(0, slice.begin, slice.end - slice.begin));
    gather_slices(whole, comm);
    return whole.device() == pretend_at(rank) && at::equal(whole.cpu(), want);
  });
  REQUIRE(result.ok());
  CHECK(fake.violations() == std::vector<std::string>{});
  for (const auto& right : result.value) CHECK(*right);
}

}  // namespace
}  // namespace protean
