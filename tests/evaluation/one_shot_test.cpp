// The one-shot protocol on drawings of a few points.
#include "protean/evaluation/one_shot.h"

#include <fstream>

#include "protean/data/image_codec.h"
#include "protean/tasks/task_batch.h"

#include "support/catch.h"
#include "support/temp_dir.h"

using namespace protean;

namespace {

namespace fs = std::filesystem;

constexpr uint32_t kSide = 64;

// Dark points (x, y) on white.
void draw(const fs::path& file,
          const std::vector<std::pair<uint32_t, uint32_t>>& points) {
  Image image{kSide, kSide, 1, std::vector<uint8_t>(kSide * kSide, 255)};
  for (const auto& [x, y] : points) image.pixels[y * kSide + x] = 0;
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << encode_png(image);
}

// About their means: class a has points at -5 and 5, class b at -10, 0 and 10.
// A point alone is 5 from both of a's, and theirs from it; 0 from b's middle,
// while b's are 20 / 3 from it. b's drawing lies where the test items are.
fs::path protocol(const TempDir& dir) {
  const auto run = dir.path() / "run01";
  draw(run / "training" / "a.png", {{2, 3}, {12, 3}});
  draw(run / "training" / "b.png", {{40, 50}, {50, 50}, {60, 50}});
  draw(run / "test" / "1.png", {{50, 50}});
  draw(run / "test" / "2.png", {{30, 30}, {39, 30}, {48, 30}});
  std::ofstream(run / "class_labels.txt")
      << "run01/test/1.png run01/training/a.png\n"
         "run01/test/2.png run01/training/b.png\n";
  return dir.path();
}

}  // namespace

TEST_CASE("the larger of both mean distances decides, wherever drawings lie",
          "[evaluation]") {
  TempDir dir;
  const auto runs = read_one_shot_runs(protocol(dir));
  REQUIRE(runs.size() == 1);
  CHECK(runs[0].label == std::vector<int64_t>{0, 1});
  CHECK(modified_hausdorff(runs) == std::vector<double>{1});
  auto wrong = runs;
  wrong[0].label = {0, 0};
  CHECK(modified_hausdorff(wrong) == std::vector<double>{0.5});
}

TEST_CASE("the protocol's drawings become ink of 1", "[evaluation]") {
  TempDir dir;
  const auto runs = read_one_shot_runs(protocol(dir));
  const auto tasks = one_shot_tasks(
      runs,
      {.shape = {1, kSide, kSide}, .filter = Filter::nearest, .invert = true});
  REQUIRE(tasks.specs.size() == 1);
  const auto batch = stack_tasks(*tasks.source, tasks.specs);
  CHECK(batch.shape.ways == 2);
  CHECK(batch.shape.support == 2);
  CHECK(batch.shape.query == 2);
  const auto& x = batch.support.x;  // (1, 2, 1, 64, 64)
  CHECK(x[0][0].sum().item<float>() == 2);
  CHECK(x[0][0][0][3][12].item<float>() == 1);
  CHECK(x[0][1].sum().item<float>() == 3);
  CHECK(batch.query.x[0][0][0][50][50].item<float>() == 1);
  CHECK(batch.query.y[0][0].item<int64_t>() == 0);
  CHECK(batch.query.y[0][1].item<int64_t>() == 1);
  // A run of three channels on which dark ink stays dark.
  const auto dark = one_shot_tasks(
      runs, {.shape = {3, kSide, kSide}, .filter = Filter::nearest});
  const auto as_drawn = stack_tasks(*dark.source, dark.specs);
  CHECK(as_drawn.support.x.size(2) == 3);
  CHECK(as_drawn.support.x[0][0][2].sum().item<float>() == kSide * kSide - 2);
}
