#include "protean/tasks/mixed_source.h"

#include "protean/core/error.h"
#include "protean/tasks/sinusoid.h"

#include "support/catch.h"

using namespace protean;

namespace {

MixedSource mixed(std::vector<float> weights) {
  return {{std::make_shared<Sinusoid>(3, 2), std::make_shared<Sinusoid>(4, 2),
           std::make_shared<Sinusoid>(5, 2)},
          std::move(weights)};
}

std::vector<int> counts(const MixedSource& source, const StreamState& stream,
                        uint32_t tasks) {
  std::vector<int> n(3);
  for (uint32_t i = 0; i < tasks; ++i) {
    const auto spec = source.describe(7, {Stream::train, i / 50, i}, stream);
    ++n[spec.source];
    // Each task has the shape of its own source.
    CHECK(source.shape(spec).support == 3 + spec.source);
  }
  return n;
}

}  // namespace

TEST_CASE("a mixed source draws by weight, anew for every task", "[tasks]") {
  const auto n = counts(mixed({1, 0, 3}), {}, 4000);
  CHECK(n[0] == Approx(1000).margin(110));
  CHECK(n[1] == 0);
}

TEST_CASE("the stream's mix replaces the weights", "[tasks]") {
  StreamState stream;
  stream.mix = {0, 1, 0};
  CHECK(counts(mixed({1, 0, 3}), stream, 100)[1] == 100);
  stream.mix = {1, 1};
  CHECK_THROWS_AS(mixed({1, 0, 3}).describe(0, {}, stream), ConfigError);
}

TEST_CASE("a mixed task is the task of its source", "[tasks]") {
  const auto source = mixed({1, 1, 1});
  const Sinusoid alone(4, 2);
  for (uint32_t i = 0; i < 20; ++i) {
    const TaskId id{Stream::train, 1, i};
    auto spec = source.describe(7, id, {});
    if (spec.source != 1) continue;
    float a[6], b[6], va[6], vb[6];
    source.materialise(spec, {{a, nullptr, va}, {a + 4, nullptr, va + 4}});
    alone.materialise(alone.describe(7, id, {}),
                      {{b, nullptr, vb}, {b + 4, nullptr, vb + 4}});
    for (int k = 0; k < 6; ++k) CHECK((a[k] == b[k] && va[k] == vb[k]));
  }
}

TEST_CASE("impossible weights are refused", "[tasks]") {
  CHECK_THROWS_AS(mixed({0, 0, 0}), ConfigError);
  CHECK_THROWS_AS(mixed({1, -1, 0}), ConfigError);
  CHECK_THROWS_AS(mixed({1, 1}), ConfigError);
}
