#include "protean/data/image_sheet.h"

#include <fstream>

#include "protean/core/error.h"

#include "support/catch.h"
#include "support/temp_dir.h"

using namespace protean;

namespace {
const ImageReading kSameSize{.same_size = true};
}

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
  const auto back = read_images(dir.path(), format, kSameSize);
  REQUIRE(back.names == std::vector<std::string>{"b.png"});
  CHECK(back.values == values);
}

TEST_CASE("drawings are read for ink, whatever of them is dark", "[data]") {
  const ImageFormat format{{1, 2, 3}, true};
  const std::vector<float> drawing{0, 1, 0, 0, 0, 1};
  ImageSheet dark(format, 1, 1, 0), light(format, 1, 1, 0);
  dark.place(0, 0, drawing.data());
  std::vector<float> turned;
  for (float v : drawing) turned.push_back(1 - v);
  light.place(0, 0, turned.data());
  const bool inverted = GENERATE(false, true);
  TempDir dir;
  std::ofstream(dir.path() / "a.png", std::ios::binary)
      << (inverted ? light : dark).png();
  const auto read = [&](Ink ink) {
    return read_images(dir.path(), format, kSameSize, ink).values;
  };
  CHECK(read(Ink::automatic) == drawing);
  CHECK(read(inverted ? Ink::light : Ink::dark) == drawing);
  CHECK(read(inverted ? Ink::dark : Ink::light) == turned);
}

TEST_CASE("a model of grey takes colour as grey", "[data]") {
  const ImageFormat colours{{3, 1, 2}, false};
  TempDir dir;
  const auto write = [&](const std::vector<float>& values) {
    ImageSheet sheet(colours, 1, 1, 0);
    sheet.place(0, 0, values.data());
    std::ofstream(dir.path() / "a.png", std::ios::binary) << sheet.png();
  };
  const ImageFormat grey{{1, 1, 2}, false};
  write({0, 1, 0, 1, 0, 1});
  CHECK(read_images(dir.path(), grey, kSameSize).values ==
        std::vector<float>{0, 1});
  write({0, 1, 0, 1, 0, 0});  // black and yellow: 0.299 + 0.587
  const auto values = read_images(dir.path(), grey, kSameSize).values;
  CHECK(values[0] == 0);
  CHECK(values[1] == Approx(0.886).margin(0.003));
}

TEST_CASE("a sheet has a gap between images and around them", "[data]") {
  const ImageFormat format{{1, 2, 2}, false};
  ImageSheet sheet(format, 1, 2, 1);
  const float black[4] = {};
  sheet.place(0, 1, black);
  TempDir dir;
  std::ofstream(dir.path() / "a.png", std::ios::binary) << sheet.png();
  const auto back = read_images(dir.path(), {{1, 4, 7}, false}, kSameSize);
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
