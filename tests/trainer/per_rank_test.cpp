#include "trainer/per_rank.h"

#include <ATen/ATen.h>

#include "support/catch.h"
#include "support/run_world.h"

using namespace protean;

TEST_CASE("slices cover a buffer once, whatever the ranks", "[trainer]") {
  for (int64_t size : {0, 1, 5, 12})
    for (int ranks : {1, 2, 5, 7}) {
      int64_t at = 0;
      for (int r = 0; r < ranks; ++r) {
        const auto slice = slice_of(size, r, ranks);
        CHECK(slice.begin == at);
        CHECK(slice.end >= slice.begin);
        at = slice.end;
      }
      CHECK(at == size);
    }
}

TEST_CASE("what ranks hold parts of becomes whole on all", "[trainer]") {
  const int ranks = GENERATE(1, 3, 4);
  const auto result = run_ranks(ranks, [&](World& world) {
    auto& comm = *world.control;
    const auto want = at::arange(10, at::kFloat);
    const auto slice = slice_of(10, comm.rank(), comm.size());
    auto whole = at::full({10}, -1.f);
    whole.narrow(0, slice.begin, slice.end - slice.begin)
        .copy_(want.narrow(0, slice.begin, slice.end - slice.begin));
    const auto other = whole_of(
        whole.narrow(0, slice.begin, slice.end - slice.begin), 10, comm);
    gather_slices(whole, comm);
    return at::equal(whole, want) && at::equal(other, want);
  });
  REQUIRE(result.ok());
  for (const auto& right : result.value) CHECK(*right);
}

TEST_CASE("each rank gets its own buffer back; on other ranks none is lost",
          "[trainer]") {
  std::vector<at::Tensor> stored;
  const auto first = run_ranks(3, [&](World& world) {
    auto& comm = *world.control;
    auto mine = at::full({4}, static_cast<float>(comm.rank() + 1));
    const auto all = gather_buffers(mine, comm);
    auto back = at::zeros({4});
    give_out(all, back, comm);
    if (comm.rank() == 0) stored = all;
    return at::equal(back, mine);
  });
  REQUIRE(first.ok());
  for (const auto& right : first.value) CHECK(*right);
  const auto second = run_ranks(2, [&](World& world) {
    auto& comm = *world.control;
    auto back = at::full({4}, 9.f);
    give_out(comm.rank() == 0 ? stored : std::vector<at::Tensor>(), back, comm);
    return back[2].item<float>();
  });
  REQUIRE(second.ok());
  CHECK(*second.value[0] == 1 + 2 + 3);
  CHECK(*second.value[1] == 0);
}
