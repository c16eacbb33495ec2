#include "protean/data/image_sheet.h"

#include <fstream>

#include "protean/core/error.h"

#include "support/catch.h"
#include "support/temp_dir.h"

using namespace protean;

TEST_CASE("images come back from the sheet they were placed on", "[data]") {
  const bool ink = GENERATE(true, false);
  const int64_t channels = GENERATE(1, 3);
  if (ink && channels == 3) return;
  const ImageFormat format{{channels, 2, 3}, ink};
  std::vector<float> values;
  for (int64_t i = 0; i < 6 * channels; ++i)
    values.push_back(ink ? static_cast<float>(i % 2)
                         : static_cast<float>(17 * i % 256) / 255);
  ImageSheet sheet(format, 1, 1, /*gap=*/0);
  sheet.place(0, 0, values.data());
  TempDir dir;
  std::ofstream(dir.path() / "b.png", std::ios::binary) << sheet.png();
  std::ofstream(dir.path() / "a.txt") << "no image";
  const auto back = read_images(dir.path(), format, "none");
  REQUIRE(back.names == std::vector<std::string>{"b.png"});
  CHECK(back.values == values);
}

TEST_CASE("a sheet has a gap between images and around them", "[data]") {
  const ImageFormat format{{1, 2, 2}, false};
  ImageSheet sheet(format, 1, 2, 1);
  const float black[4] = {};
  sheet.place(0, 1, black);
  TempDir dir;
  std::ofstream(dir.path() / "a.png", std::ios::binary) << sheet.png();
  const auto back = read_images(dir.path(), {{1, 4, 7}, false}, "none");
  float dark = 0;
  for (size_t i = 0; i < back.values.size(); ++i)
    if (back.values[i] == 0) {
      ++dark;
      CHECK(i / 7 >= 1);
      CHECK(i / 7 <= 2);
      CHECK(i % 7 >= 4);
      CHECK(i % 7 <= 5);
    }
  CHECK(dark == 4);
}
