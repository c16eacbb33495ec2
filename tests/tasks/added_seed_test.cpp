#include "protean/tasks/added_seed.h"

#include "protean/core/error.h"

#include "support/catch.h"

using namespace protean;

TEST_CASE("a wrapping source's seed comes last and goes first", "[tasks]") {
  TaskSpec spec;
  spec.id = {Stream::train, 7, 3};
  spec.latent = {1};
  const auto inner = with_seed(spec, 2), outer = with_seed(inner, 3);
  CHECK(outer.latent == std::vector<uint64_t>{1, 2, 3});
  CHECK((without_seed(outer) == inner));
  CHECK((without_seed(inner) == spec));
  // Of a list that was written for another source.
  spec.latent.clear();
  CHECK_THROWS_WITH(without_seed(spec),
                    contains("task (step 7, index 3)") && contains("no seed"));
}
