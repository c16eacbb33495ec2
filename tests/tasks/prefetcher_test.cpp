#include "protean/tasks/prefetcher.h"

#include <atomic>
#include <stdexcept>
#include <string>

#include "protean/core/error.h"
#include "protean/tasks/sinusoid.h"

#include "support/catch.h"

using namespace protean;

namespace {

// Batches that carry their step: step + 1 of them, with no tensors.
std::vector<TaskBatch> numbered(int64_t step) {
  std::vector<TaskBatch> batches(static_cast<size_t>(step % 3 + 1));
  for (auto& b : batches)
    b.ids = {{Stream::train, static_cast<uint32_t>(step), 0}};
  return batches;
}

}  // namespace

TEST_CASE("steps come in order at every depth", "[tasks]") {
  for (uint32_t depth : {0u, 1u, 2u, 7u, 100u}) {
    Prefetcher prefetcher(numbered, 5, 45, depth);
    bool right = true;
    for (int64_t step = 5; step < 45; ++step) {
      const auto batches = prefetcher.take(step);
      right &= batches.size() == static_cast<size_t>(step % 3 + 1);
      right &= batches[0].ids[0].step == step;
    }
    CHECK(right);
    CHECK_THROWS_AS(prefetcher.take(45), Error);  // all were taken
  }
}

TEST_CASE("only the next step may be taken", "[tasks]") {
  for (uint32_t depth : {0u, 2u}) {
    Prefetcher prefetcher(numbered, 0, 10, depth);
    CHECK_THROWS_WITH(prefetcher.take(1),
                      contains("step 1") && contains("expected 0"));
    CHECK(prefetcher.take(0).size() == 1);
    CHECK_THROWS_AS(prefetcher.take(0), Error);
    CHECK(prefetcher.take(1).size() == 2);
    CHECK_THROWS_AS(Prefetcher(numbered, 3, 3, depth).take(3), Error);
  }
}

TEST_CASE("the producer stays at most depth steps ahead", "[tasks]") {
  std::atomic<int64_t> taken{0}, furthest{0};
  const auto producer = [&](int64_t step) {
    furthest = std::max<int64_t>(furthest, step - taken);
    return numbered(step);
  };
  {
    Prefetcher prefetcher(producer, 0, 200, 3);
    for (int64_t step = 0; step < 200; ++step) {
      prefetcher.take(step);
      taken = step + 1;
    }
  }
  // `taken` is written after take() returns, hence one more.
  CHECK(furthest <= 3);
}

TEST_CASE("an exception reaches the consumer at its step", "[tasks]") {
  const auto producer = [](int64_t step) {
    if (step == 4) throw DataError("record 17 of step 4");
    return numbered(step);
  };
  for (uint32_t depth : {0u, 1u, 8u}) {
    Prefetcher prefetcher(producer, 0, 100, depth);
    for (int64_t step = 0; step < 4; ++step)
      CHECK(prefetcher.take(step).size() == static_cast<size_t>(step % 3 + 1));
    for (int again = 0; again < 2; ++again)
      CHECK_THROWS_WITH(prefetcher.take(4), contains("record 17 of step 4"));
  }
}

TEST_CASE("a prefetcher ends cleanly with steps left over", "[tasks]") {
  std::atomic<int> calls{0};
  const auto producer = [&](int64_t step) {
    ++calls;
    return numbered(step);
  };
  { Prefetcher never_used(producer, 0, 1000000, 4); }
  CHECK(calls <= 4);
  for (int i = 0; i < 200; ++i) {
    Prefetcher prefetcher(producer, 0, 1000000, 2);
    if (i % 2) prefetcher.take(0);
  }
  // One that fails while nobody waits.
  {
    Prefetcher fails([](int64_t) -> std::vector<TaskBatch> { throw 1; }, 0, 9,
                     2);
  }
  CHECK(calls <= 4 + 200 * 3);
}

TEST_CASE("prefetched tasks are those made inline", "[tasks]") {
  const Sinusoid source(3, 4);
  const auto producer = [&](int64_t step) {
    std::vector<TaskBatch> out;
    for (uint32_t i = 0; i < 2; ++i)
      out.push_back(stack_tasks(
          source,
          {source.describe(9, {Stream::train, static_cast<uint32_t>(step), i},
                           {})}));
    return out;
  };
  Prefetcher ahead(producer, 0, 20, 3), inline_(producer, 0, 20, 0);
  bool equal = true;
  for (int64_t step = 0; step < 20; ++step) {
    const auto a = ahead.take(step), b = inline_.take(step);
    for (size_t i = 0; i < 2; ++i) {
      equal &= a[i].ids == b[i].ids;
      equal &= a[i].query.y.equal(b[i].query.y);
    }
  }
  CHECK(equal);
}
