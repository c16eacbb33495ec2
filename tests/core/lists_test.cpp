#include "protean/core/lists.h"

#include "support/catch.h"

using namespace protean;

TEST_CASE("items stand between commas", "[core]") {
  using Items = std::vector<std::string>;
  CHECK(comma_separated("").empty());
  CHECK(comma_separated("a") == Items{"a"});
  CHECK(comma_separated("a, b=1,,c") == Items{"a", " b=1", "", "c"});
  CHECK(comma_separated("a,b,") == Items{"a", "b"});
  CHECK(comma_separated(",") == Items{""});
}

TEST_CASE("a median is one of the values, the upper one of two", "[core]") {
  CHECK(median({7}) == 7);
  CHECK(median({3, 1}) == 3);
  CHECK(median({5, -1, 2}) == 2);
  CHECK(median({4, 1, 3, 2}) == 3);
}
