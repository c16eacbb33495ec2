#include "protean/trainer/reduction.h"

#include <cmath>
#include <limits>

#include <ATen/ATen.h>

#include "protean/core/error.h"

#include "support/catch.h"
#include "support/run_world.h"
#include "support/toy_tasks.h"

using namespace protean;

namespace {

constexpr int64_t kTheta = 257, kState = 5, kStacks = 7;

// What stack s adds: floats over many magnitudes, whose float sum depends on
// the order.
at::Tensor stack_gradient(int64_t s, int64_t size, uint64_t seed) {
  return noise({size}, seed + static_cast<uint64_t>(s), at::kFloat) *
         at::pow(10.0,
                 noise({size}, 500 + static_cast<uint64_t>(s), at::kFloat));
}

struct Outcome {
  std::vector<float> gradient, state;
  double loss = 0, accuracy = 0;
  int64_t tasks = 0, repeats = 0;
  std::vector<uint64_t> hashes;
  StepReducer::Exponents exponents{};
};

// `steps` meta-steps of kStacks stacks dealt to the ranks round-robin (or all
// by `deal`); the last step's result.
Outcome reduce(Communicator& comm, const ReductionOptions& options, int steps,
               double growth = 1, int deal_offset = 0) {
  StepReducer reducer(comm, options, kTheta, kState, at::kCPU);
  Outcome out;
  for (int step = 0; step < steps; ++step) {
    StepTotals totals;
    do {
      reducer.begin(kStacks);
      const auto mine_from = [&](int64_t s) {
        while (s < kStacks && (s + deal_offset) % comm.size() != comm.rank())
          ++s;
        return s;
      };
      for (int64_t s = mine_from(0); s < kStacks; s = mine_from(s + 1)) {
        if (options.overlap && mine_from(s + 1) == kStacks) reducer.ship();
        const auto sums = reducer.stack_sums();
        sums.theta.add_(stack_gradient(s, kTheta, 10) * std::pow(growth, step));
        sums.state.add_(stack_gradient(s, kState, 90));
        const auto first = static_cast<uint32_t>(2 * s);
        reducer.stack_done({first, first + 1},
                           {at::full({2}, 0.5 + static_cast<double>(s)),
                            at::tensor({0.25, 0.75})});
      }
      if (options.overlap && mine_from(0) == kStacks) reducer.ship();
      RankReport mine;
      mine.hash = 0xFEDCBA9876543210ull + static_cast<uint64_t>(comm.rank());
      mine.stop = comm.rank() == comm.size() - 1 ? 5 : 0;
      if (reducer.finish(mine, {}, step, totals)) break;
    } while (true);
    auto floats = [](const at::Tensor& t) {
      return std::vector<float>(t.data_ptr<float>(),
                                t.data_ptr<float>() + t.numel());
    };
    out.gradient = floats(totals.gradient);
    out.state = floats(totals.state);
    out.loss = totals.loss;
    out.accuracy = totals.accuracy;
    out.tasks = totals.tasks;
    out.hashes.clear();
    for (const auto& r : totals.ranks) out.hashes.push_back(r.hash);
    if (totals.ranks.back().stop != 5) out.tasks = -1;
  }
  out.repeats = reducer.repeats();
  out.exponents = reducer.exponents();
  return out;
}

std::vector<Outcome> on_ranks(int ranks, const ReductionOptions& options,
                              int steps, double growth = 1,
                              int deal_offset = 0) {
  const auto result = run_ranks(ranks, [&](World& world) {
    return reduce(*world.control, options, steps, growth, deal_offset);
  });
  REQUIRE(result.ok());
  std::vector<Outcome> outcomes;
  for (const auto& value : result.value) outcomes.push_back(*value);
  return outcomes;
}

}  // namespace

TEST_CASE("every level gives the mean over the meta-batch", "[trainer]") {
  const auto level = GENERATE(ReductionLevel::fast, ReductionLevel::fixed,
                              ReductionLevel::exact);
  auto want = at::zeros({kTheta}, at::kDouble);
  for (int64_t s = 0; s < kStacks; ++s)
    want += stack_gradient(s, kTheta, 10).to(at::kDouble);
  want /= 2 * kStacks;
  for (int ranks : {1, 3}) {
    for (const auto& out : on_ranks(ranks, {level}, 1)) {
      CHECK(out.tasks == 2 * kStacks);
      CHECK(out.loss == Approx(0.5 + 3));
      CHECK(out.accuracy == Approx(0.5));
      for (int64_t i = 0; i < kTheta; ++i)
        CHECK(out.gradient[static_cast<size_t>(i)] ==
              Approx(want[i].item<double>()).epsilon(1e-4).margin(1e-6));
      // Slots carry whole words.
      for (int r = 0; r < ranks; ++r)
        CHECK(out.hashes[static_cast<size_t>(r)] ==
              0xFEDCBA9876543210ull + static_cast<uint64_t>(r));
    }
  }
}

TEST_CASE("exact: the same bits on any ranks and for any owners", "[trainer]") {
  const auto one = on_ranks(1, {ReductionLevel::exact}, 3).front();
  for (int ranks : {2, 3, 4, 7})
    for (int offset : {0, 1})
      for (const auto& out :
           on_ranks(ranks, {ReductionLevel::exact}, 3, 1, offset)) {
        CHECK(out.gradient == one.gradient);
        CHECK(out.state == one.state);
        CHECK(out.exponents == one.exponents);
        CHECK(out.loss == one.loss);
      }
  // The same sums as floats do depend on the ranks: the test can fail.
  CHECK(on_ranks(1, {ReductionLevel::fast}, 1).front().gradient !=
        on_ranks(3, {ReductionLevel::fast}, 1).front().gradient);
}

TEST_CASE("what travels early changes no bit in exact", "[trainer]") {
  const auto whole = on_ranks(1, {ReductionLevel::exact}, 3).front();
  const ReductionOptions overlap{ReductionLevel::exact, DType::f32, true};
  // 9 ranks for 7 stacks: two of them own none.
  for (int ranks : {1, 2, 3, 9})
    for (const auto& out : on_ranks(ranks, overlap, 3)) {
      CHECK(out.gradient == whole.gradient);
      CHECK(out.state == whole.state);
      CHECK(out.loss == whole.loss);
      CHECK(out.tasks == whole.tasks);
    }
  CHECK(on_ranks(2, overlap, 4, 1e4).front().gradient ==
        on_ranks(1, {ReductionLevel::exact}, 4, 1e4).front().gradient);
}

TEST_CASE("16-bit gradients: close at once, right in the long run",
          "[trainer]") {
  const auto wire = GENERATE(DType::bf16, DType::f16);
  const auto level = GENERATE(ReductionLevel::fast, ReductionLevel::fixed);
  const bool overlap = GENERATE(false, true);
  const int ranks = GENERATE(1, 3);
  constexpr int kSteps = 60;
  const auto want = noise({kTheta}, 7, at::kFloat);
  const auto result = run_ranks(ranks, [&](World& world) {
    Communicator& comm = *world.control;
    StepReducer reducer(comm, {level, wire, overlap}, kTheta, kState, at::kCPU);
    auto sum = at::zeros({kTheta}, at::kDouble);
    auto worst = at::zeros({});
    for (int step = 0; step < kSteps; ++step) {
      StepTotals totals;
      reducer.begin(comm.size());
      if (overlap) reducer.ship();
      const auto sums = reducer.stack_sums();
      sums.theta.add_(want);
      sums.state.fill_(1.f / 3);
      reducer.stack_done({static_cast<uint32_t>(comm.rank())},
                         {at::ones({1}), at::ones({1})});
      REQUIRE(reducer.finish({}, {}, step, totals));
      // Everything else travels at full width.
      CHECK(totals.state[0].item<float>() == Approx(1.f / 3).epsilon(1e-7));
      sum += totals.gradient.to(at::kDouble);
      // The first step of f16 knows no scale yet.
      if (step > 0)
        worst = at::max(worst, (totals.gradient - want).abs().max());
    }
    const auto mean_error = (sum / kSteps - want).abs().max();
    return std::pair(worst.item<float>(), mean_error.item<double>());
  });
  REQUIRE(result.ok());
  const auto [worst, mean_error] = *result.value.front();
  const double largest = want.abs().max().item<double>();
  // One rounding each to send and to add up, and what the last one left.
  const double once = largest * (wire == DType::bf16 ? 0x1p-6 : 0x1p-9);
  CHECK(worst > 0);  // it does round
  CHECK(worst < once);
  // Sums on the wire round after the feedback; they do not on one rank.
  if (ranks == 1) CHECK(mean_error < once / kSteps);
}

TEST_CASE("f16: a gradient that is suddenly too large comes late, not never",
          "[trainer]") {
  const auto result = run_ranks(1, [&](World& world) {
    StepReducer reducer(*world.control,
                        {ReductionLevel::fast, DType::f16, false}, 1, 0,
                        at::kCPU);
    std::vector<float> got;
    for (float value : {1.f, 1000.f, 1.f, 1.f, 1.f}) {
      StepTotals totals;
      reducer.begin(1);
      reducer.stack_sums().theta.add_(value);
      reducer.stack_done({0}, {at::ones({1}), at::ones({1})});
      REQUIRE(reducer.finish({}, {}, 0, totals));
      got.push_back(totals.gradient[0].item<float>());
    }
    return got;
  });
  REQUIRE(result.ok());
  const auto got = *result.value.front();
  CHECK(got[1] < 100);
  CHECK(got[0] + got[1] + got[2] + got[3] + got[4] ==
        Approx(1004).epsilon(1e-3));
  CHECK(got[4] == Approx(1).margin(0.5));
}

TEST_CASE("fixed: the same ranks give the same bits", "[trainer]") {
  const auto a = on_ranks(3, {ReductionLevel::fixed}, 1);
  const auto b = on_ranks(3, {ReductionLevel::fixed}, 1);
  for (size_t r = 0; r < 3; ++r) {
    CHECK(a[r].gradient == b[r].gradient);
    CHECK(a[r].gradient == a[0].gradient);
  }
}

TEST_CASE("exact: gradients beyond the scale repeat the step, alike everywhere",
          "[trainer]") {
  // Ten thousand times larger from step to step: beyond the headroom of 2^8.
  const auto one = on_ranks(1, {ReductionLevel::exact}, 4, 1e4).front();
  CHECK(one.repeats >= 2);
  for (const auto& out : on_ranks(3, {ReductionLevel::exact}, 4, 1e4)) {
    CHECK(out.gradient == one.gradient);
    CHECK(out.repeats == one.repeats);
  }
  // Within the headroom nothing repeats.
  CHECK(on_ranks(2, {ReductionLevel::exact}, 4, 30).front().repeats == 0);
}

TEST_CASE("a value that is not finite ends the step on every rank by name",
          "[trainer]") {
  const auto level = GENERATE(ReductionLevel::fast, ReductionLevel::exact);
  const bool in_loss = GENERATE(true, false);
  if (level == ReductionLevel::fast && !in_loss) return;
  const float bad = GENERATE(std::numeric_limits<float>::quiet_NaN(),
                             std::numeric_limits<float>::infinity());
  const auto result = run_ranks(2, [&](World& world) {
    Communicator& comm = *world.control;
    StepReducer reducer(comm, {level}, kTheta, kState, at::kCPU);
    reducer.begin(2);
    const auto sums = reducer.stack_sums();
    const bool culprit = comm.rank() == 1;
    if (culprit && !in_loss) sums.theta[17] = bad;
    const auto index = static_cast<uint32_t>(comm.rank());
    reducer.stack_done({index}, {at::full({1}, culprit && in_loss ? bad : 1.f),
                                 at::zeros({1})});
    StepTotals totals;
    try {
      reducer.finish({}, {}, 12, totals);
    } catch (const NumericError& e) {
      return std::string(e.what());
    }
    return std::string("no error");
  });
  for (const auto& message : result.value) {
    CHECK_THAT(*message, contains("step 12"));
    CHECK_THAT(*message, contains("task 1 "));
    CHECK_THAT(*message, contains("rank 1"));
  }
}
