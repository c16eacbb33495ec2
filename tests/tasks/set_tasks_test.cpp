#include "protean/tasks/set_tasks.h"

#include <algorithm>
#include <fstream>
#include <functional>

#include "protean/core/error.h"
#include "protean/data/image_codec.h"
#include "protean/tasks/nway_kshot.h"
#include "protean/tasks/open_tasks.h"
#include "protean/tasks/task_batch.h"

#include "support/catch.h"
#include "support/temp_dir.h"
#include "support/toy_classes.h"

using namespace protean;

namespace {

// A large set of 60 classes and a small one of 4.
SetTasks large_and_small(std::vector<float> weights) {
  const auto data = std::make_shared<ToyClasses>(std::vector<uint32_t>(64, 6));
  std::vector<uint32_t> large, small;
  for (uint32_t c = 0; c < 64; ++c) (c < 60 ? large : small).push_back(c);
  NwayKshotOptions options;
  options.ways = 3;
  options.queries = 2;
  return {{std::make_shared<NwayKshot>(data, large, options, "large"),
           std::make_shared<NwayKshot>(data, small, options, "small")},
          std::move(weights)};
}

TaskId task(uint32_t i) { return {Stream::train, i / 50, i % 50}; }

// Tasks of the small set; every task is of one set.
int of_small(const SetTasks& tasks, uint32_t count) {
  int n = 0;
  for (uint32_t i = 0; i < count; ++i) {
    const auto spec = tasks.describe(3, task(i), {});
    const auto small = std::count_if(spec.classes.begin(), spec.classes.end(),
                                     [](uint32_t c) { return c >= 60; });
    CHECK((small == 0 || small == 3));
    n += small == 3;
  }
  return n;
}

std::string refusal(const std::function<void()>& act) {
  try {
    act();
  } catch (const ConfigError& e) {
    return e.what();
  }
  return "no ConfigError";
}

// Classes a and b, ten images each.
void write_two_classes(const std::filesystem::path& folder) {
  for (const char* name : {"a", "b"}) {
    std::filesystem::create_directories(folder / name);
    for (int i = 0; i < 10; ++i) {
      Image image{28, 28, 1, std::vector<uint8_t>(28 * 28)};
      image.pixels[static_cast<size_t>(i)] = 255;
      std::ofstream(folder / name / concat(i, ".png"), std::ios::binary)
          << encode_png(image);
    }
  }
}

}  // namespace

TEST_CASE("sets are drawn by weight, however many classes they have",
          "[tasks]") {
  CHECK(of_small(large_and_small({1, 1}), 4000) == Approx(2000).margin(130));
  CHECK(of_small(large_and_small({3, 1}), 4000) == Approx(1000).margin(110));
  CHECK(of_small(large_and_small({1, 0}), 200) == 0);
  CHECK(of_small(large_and_small({0, 1}), 200) == 200);
}

TEST_CASE("a task of a set holds the images of its classes", "[tasks]") {
  const auto tasks = large_and_small({1, 1});
  for (uint32_t i = 0; i < 20; ++i) {
    const auto spec = tasks.describe(3, task(i), {});
    const auto batch = stack_tasks(tasks, {spec});
    for (int64_t way = 0; way < 3; ++way)
      CHECK(batch.support.x[0][way].data_ptr<float>()[0] ==
            static_cast<float>(spec.classes[static_cast<size_t>(way)]));
  }
}

TEST_CASE("data.weights makes training tasks of one data set each", "[tasks]") {
  TempDir dir;
  write_two_classes(dir.path());
  DataOptions data;
  data.also = dir.path().string();
  data.split_validation = data.split_test = 0;
  TaskOptions options;
  options.ways = 2;
  options.queries = 5;
  const auto rows = [&](const char* weights) {
    data.weights = weights;
    const auto sources = open_tasks(data, options);
    const auto joined = sources.examples->classes() - 2;
    int of_also = 0;
    for (uint32_t i = 0; i < 400; ++i) {
      const auto spec = sources.train->describe(3, task(i), {});
      CHECK((spec.classes[0] >= joined) == (spec.classes[1] >= joined));
      of_also += spec.classes[0] >= joined;
    }
    return of_also;
  };
  CHECK(rows("1,1") == Approx(200).margin(40));
  CHECK(rows("0,2") == 400);
  CHECK(rows("1,0") == 0);

  const auto refused = [&](const char* weights) {
    return refusal([&] {
      data.weights = weights;
      open_tasks(data, options);
    });
  };
  CHECK_THAT(refused("1"), contains("data.weights: 1 weights that sum to 1 for "
                                    "2 sources; expected one each"));
  CHECK_THAT(refused("0,0"), contains("sum to 0"));
  CHECK_THAT(refused("1,-1"),
             contains("weight -1; expected a number, 0 or above"));
  CHECK_THAT(refused("1,much"), contains("\"much\" is no number"));
  options.flat_batch = 8;
  CHECK_THAT(refused("1,1"), contains("task.flat_batch makes no tasks"));
}
