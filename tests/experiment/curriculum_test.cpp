#include "protean/experiment/curriculum.h"

#include "protean/core/error.h"

#include "support/catch.h"

using namespace protean;

namespace {

// 2 to 6 ways: four levels.
Config growing() {
  Config config;
  config.task.ways = 2;
  config.task.train_ways_max = 6;
  config.eval.every = 10;
  config.data.prefetch = 2;
  return config;
}

}  // namespace

TEST_CASE("without a curriculum nothing is held back", "[experiment]") {
  CHECK(Curriculum(growing()).held_back(0) == 0);
  CHECK(Curriculum(Config()).held_back(7) == 0);
}

TEST_CASE("a level every so many steps", "[experiment]") {
  auto config = growing();
  config.task.curriculum_steps = 100;
  const Curriculum curriculum(config);
  CHECK(curriculum.held_back(0) == 4);
  CHECK(curriculum.held_back(99) == 4);
  CHECK(curriculum.held_back(100) == 3);
  CHECK(curriculum.held_back(400) == 0);
  CHECK(curriculum.held_back(100000) == 0);
}

TEST_CASE("a good validation counts from the next one on", "[experiment]") {
  auto config = growing();
  config.task.curriculum_accuracy = 0.8;
  Curriculum curriculum(config);
  curriculum.validated(10, 0.79);
  curriculum.validated(20, 0.8);
  curriculum.validated(30, 0.9);
  CHECK(curriculum.held_back(29) == 4);
  CHECK(curriculum.held_back(30) == 3);
  CHECK(curriculum.held_back(39) == 3);
  CHECK(curriculum.held_back(40) == 2);
  CHECK(curriculum.raised() == std::vector<int64_t>{30, 40});

  // What a checkpoint kept goes on.
  Curriculum resumed(config);
  resumed.restore(curriculum.raised());
  for (int64_t step = 40; step < 100; step += 10) resumed.validated(step, 1);
  CHECK(resumed.held_back(35) == 3);
  CHECK(resumed.held_back(60) == 0);
  CHECK(resumed.raised() == std::vector<int64_t>{30, 40, 50, 60});
}

TEST_CASE("validations lie further apart than steps are prepared",
          "[experiment]") {
  auto config = growing();
  config.task.curriculum_accuracy = 0.8;
  config.eval.every = 2;
  CHECK_THROWS_WITH(Curriculum(config), contains("eval.every = 2"));
  config.eval.every = 3;
  CHECK_NOTHROW(Curriculum(config));
}
