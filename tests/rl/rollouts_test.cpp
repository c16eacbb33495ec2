#include "rl/rollouts.h"

#include <ATen/ATen.h>

#include "protean/models/params.h"

#include "rl/acting.h"
#include "support/catch.h"

using namespace protean;

namespace {

Params params_of(const Policy& policy, uint64_t seed) {
  auto theta = at::zeros({policy.params().size()});
  policy.initialise(theta.data_ptr<float>(), seed);
  return shared_params(policy.params(), theta.to(at::kDouble));
}

}  // namespace

TEST_CASE("a rollout is what the environment makes of its actions", "[rl]") {
  const std::string source = GENERATE("point", "bandit");
  const auto world = small_world(source);
  const auto policy = small_policy(*world);
  const auto params = params_of(policy, 1);
  const auto batch = worlds(world, 3);
  const auto r =
      collect(*world, policy, params, batch.support.x, batch.ids, 9, 0);
  const int64_t o = world->observation_size();
  REQUIRE(r.reward.sizes() == at::IntArrayRef{3, 6, 4});
  REQUIRE(r.observation.sizes() == at::IntArrayRef{3, 24, o});
  CHECK(at::allclose(policy.at(params, r.observation).value, r.law.value, 1e-10,
                     1e-12));
  if (source == "bandit") {
    CHECK(((r.reward == 0) | (r.reward == 1)).all().item<bool>());
    return;
  }
  const auto seen = r.observation.view({3, 6, 4, o});
  const auto acted = r.action.view({3, 6, 4, 2});
  for (int64_t t = 0; t + 1 < 6; ++t) {
    const auto next =
        world->step(batch.support.x, seen.select(1, t), acted.select(1, t), {});
    CHECK(at::allclose(seen.select(1, t + 1), next.state));
    CHECK(at::allclose(r.reward.select(1, t), next.reward));
  }
}

TEST_CASE("a rollout that has ended earns and counts nothing", "[rl]") {
  const auto world = small_world("point");
  const auto policy = small_policy(*world);
  auto params = params_of(policy, 1);
  for (auto& p : params) p = at::zeros_like(p);
  params.back().fill_(-20);  // stands still, but for 1e-7
  // The first goal is where rollouts start.
  const auto goals = at::tensor({0.0, 0.0, 0.1, 0.0}, at::kDouble)
                         .view({2, 1, 2})
                         .expand({2, 4, 2});
  const auto batch = worlds(world, 2);
  const auto r = collect(*world, policy, params, goals, batch.ids, 9, 0);
  const auto alive = r.alive.sum(1);
  CHECK(alive[0].eq(1).all().item<bool>());
  CHECK(alive[1].eq(6).all().item<bool>());
  CHECK(r.returns()[0].abs().max().item<double>() < 1e-10);
  CHECK(at::allclose(r.returns()[1], at::full({4}, -0.06, at::kDouble), 1e-4));
}

TEST_CASE("rollouts depend on task and slot, not on their neighbours", "[rl]") {
  const std::string source = GENERATE("point", "bandit");
  const auto world = small_world(source);
  const auto policy = small_policy(*world);
  const auto params = params_of(policy, 1);
  const auto batch = worlds(world, 3);
  const auto run = [&](const TaskBatch& b, uint32_t slot) {
    return collect(*world, policy, params, b.support.x, b.ids, 9, slot);
  };
  const auto all = run(batch, 0);
  TaskBatch last = batch;
  last.ids = {batch.ids[2]};
  last.support.x = batch.support.x.narrow(0, 2, 1);
  const auto one = run(last, 0);
  CHECK(at::allclose(one.action[0], all.action[2], 0, 1e-12));
  CHECK(at::allclose(one.reward[0], all.reward[2], 0, 1e-12));
  CHECK(!at::equal(run(batch, 1).action, all.action));
  // More rollouts leave the first ones as they are.
  TaskBatch more = batch;
  more.support.x = batch.query.x;
  const auto longer = run(more, 0);
  CHECK(at::allclose(longer.reward.narrow(2, 0, 4), all.reward, 0, 1e-12));
}
