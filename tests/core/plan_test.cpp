#include "protean/core/plan.h"

#include "support/catch.h"

using namespace protean;

namespace {

TaskShape images() {
  TaskShape shape;
  shape.ways = 5;
  shape.support = 5;
  shape.query = 75;
  shape.input = {1, 28, 28};
  return shape;
}

}  // namespace

TEST_CASE("shapes have one key each", "[core]") {
  std::vector<TaskShape> all(8, images());
  all[1].ways = 4;
  all[2].support = 6;
  all[3].query = 76;
  all[4].input = {3, 28, 28};
  all[5].target = TargetKind::none;
  all[6].target_size = 2;
  all[7].weighted = true;
  for (size_t i = 0; i < all.size(); ++i)
    for (size_t j = 0; j < all.size(); ++j) {
      CAPTURE(i, j);
      CHECK((all[i].key() == all[j].key()) == (i == j));
    }
  CHECK(images().key() == images().key());
}

TEST_CASE("shapes are alike when only numbers differ", "[core]") {
  auto other = images();
  other.ways = 20;
  other.support = 1;
  other.query = 2;
  other.weighted = true;
  CHECK(alike(images(), other));
  auto regression = images();
  regression.ways = 0;
  CHECK_FALSE(alike(images(), regression));
  CHECK(alike(regression, regression));
  auto values = images();
  values.target = TargetKind::values;
  CHECK_FALSE(alike(images(), values));
  auto several = images();
  several.target_size = 2;
  CHECK_FALSE(alike(images(), several));
  auto colour = images();
  colour.input = {3, 28, 28};
  CHECK_FALSE(alike(images(), colour));
}

TEST_CASE("a padded shape holds both", "[core]") {
  auto other = images();
  other.ways = 3;
  other.support = 30;
  other.query = 15;
  other.weighted = true;
  for (const auto& both : {padded(images(), other), padded(other, images())}) {
    CHECK(both.ways == 5);
    CHECK(both.support == 30);
    CHECK(both.query == 75);
    CHECK(both.examples() == 105);
    CHECK(both.weighted);
    CHECK(both.input == images().input);
  }
}
