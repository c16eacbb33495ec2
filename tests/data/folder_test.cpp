#include <functional>

#include "protean/core/error.h"
#include "protean/data/image_codec.h"
#include "protean/data/open_dataset.h"
#include "protean/data/pack.h"
#include "protean/data/splits.h"

#include "data/fixtures.h"
#include "support/catch.h"

using namespace protean;
namespace fs = std::filesystem;

namespace {

std::string grey(uint8_t value, uint32_t side = 4) {
  return make_png(side, side, 1, 8, [=](auto...) { return value; });
}

float first_pixel(const ClassDataset& data, uint32_t cls, uint32_t example) {
  std::vector<float> image(
      static_cast<size_t>(data.shape()[0] * data.shape()[1] * data.shape()[2]));
  data.read(cls, example, image.data());
  return image[0];
}

DataOptions folder(const fs::path& path, uint32_t side = 4) {
  DataOptions options;
  options.source = "folder";
  options.path = path.string();
  options.side = side;
  return options;
}

std::string message_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& e) {
    return e.what();
  }
  return "no Error";
}

}  // namespace

TEST_CASE("a folder's classes and images are sorted by bytes", "[data]") {
  TempDir dir;
  write_file(dir.path() / "b/2.png", grey(20));
  write_file(dir.path() / "b/10.png", grey(10));
  write_file(dir.path() / "b/notes.txt", "no image");
  write_file(dir.path() / "b/.hidden.png", "no image either");
  write_file(dir.path() / "Z/x.PNG", grey(30));
  write_file(dir.path() / "a/x.jpeg", make_jpeg(4, 4, 1, 51));
  const auto data = open_dataset(folder(dir.path()));
  REQUIRE(data->classes() == 3);
  CHECK(data->class_name(0) == "Z");
  CHECK(data->class_name(1) == "a");
  CHECK(data->class_name(2) == "b");
  CHECK(data->group(0).empty());
  REQUIRE(data->size(2) == 2);
  CHECK(first_pixel(*data, 2, 0) == 10.f / 255);  // "10.png" < "2.png"
  CHECK(first_pixel(*data, 2, 1) == 20.f / 255);
  CHECK(first_pixel(*data, 1, 0) == Approx(51.f / 255).margin(0.01));
}

TEST_CASE("groups and split folders are kept", "[data]") {
  TempDir dir;
  write_file(dir.path() / "train/animals/cat/1.png", grey(1));
  write_file(dir.path() / "train/animals/dog/1.png", grey(2));
  write_file(dir.path() / "val/tree/1.png", grey(3));
  write_file(dir.path() / "test/car/1.png", grey(4));
  DataOptions options = folder(dir.path());
  options.split = "stored";
  const auto data = open_dataset(options);
  REQUIRE(data->classes() == 4);
  CHECK(data->class_name(2) == "animals/cat");
  CHECK(data->group(2) == "animals");
  const Splits splits = make_splits(*data, options);
  CHECK(splits.test == std::vector<uint32_t>{0});
  CHECK(splits.validation == std::vector<uint32_t>{1});
  CHECK(splits.train == std::vector<uint32_t>{2, 3});
  pack_dataset(dir.path(), dir.path() / "p.pack", {"folder", 4, "nearest", 0});
  const auto d = describe_pack(dir.path() / "p.pack");
  REQUIRE(d.splits.size() == 3);
  CHECK(d.splits[0].second.classes == 2);
  CHECK(d.splits[2].second.images == 1);

  write_file(dir.path() / "test/tree/1.png", grey(3));
  CHECK_THAT(message_of([&] { open_dataset(options); }),
             contains("class tree is also in split"));
}

TEST_CASE("a folder's colours are kept, converted or refused", "[data]") {
  TempDir dir;
  const auto colours = make_png(2, 2, 3, 8, [](auto y, auto x, auto c) {
    return static_cast<uint8_t>(100 * c + 10 * y + x);
  });
  write_file(dir.path() / "a/1.png", colours);
  const auto rgb = open_dataset(folder(dir.path(), 2));
  CHECK(rgb->shape() == std::vector<int64_t>{3, 2, 2});
  std::vector<float> image(12);
  rgb->read(0, 0, image.data());
  for (int c = 0; c < 3; ++c)  // channels first
    for (int y = 0; y < 2; ++y)
      for (int x = 0; x < 2; ++x)
        CHECK(image[4 * c + 2 * y + x] ==
              static_cast<float>(100 * c + 10 * y + x) / 255.f);
  DataOptions options = folder(dir.path(), 2);
  options.channels = 1;
  const auto one = open_dataset(options);
  CHECK(one->shape() == std::vector<int64_t>{1, 2, 2});
  // 0.299 * 0 + 0.587 * 100 + 0.114 * 200 = 81.5
  CHECK(first_pixel(*one, 0, 0) == Approx(81.5f / 255).margin(0.003));

  write_file(dir.path() / "b/1.png", grey(9));
  const std::string message =
      message_of([&] { open_dataset(folder(dir.path(), 2)); });
  CHECK_THAT(message, contains("b/1.png: 1 channels"));
  CHECK_THAT(message, contains("data.channels"));
  options.channels = 3;
  CHECK(first_pixel(*open_dataset(options), 1, 0) == 9.f / 255);
}

TEST_CASE("bilinear and nearest give their formulas", "[data]") {
  const uint8_t row[] = {0, 100, 200, 40};
  Image image{4, 4, 1, std::vector<uint8_t>(16)};
  for (size_t i = 0; i < 16; ++i) image.pixels[i] = row[i % 4];
  // Halving: centres fall between two pixels.
  CHECK(resize(image, 2, Filter::bilinear).pixels ==
        std::vector<uint8_t>{50, 120, 50, 120});
  CHECK(resize(image, 2, Filter::nearest).pixels ==
        std::vector<uint8_t>{100, 40, 100, 40});
  // Doubling: weights 1/4 and 3/4, edges clamped.
  const auto big = resize(image, 8, Filter::bilinear).pixels;
  CHECK(std::vector<uint8_t>(big.begin(), big.begin() + 8) ==
        std::vector<uint8_t>{0, 25, 75, 125, 175, 160, 80, 40});
  CHECK_THROWS_AS(parse_filter("cubic", "data.filter"), ConfigError);
}

TEST_CASE("what is wrong with a folder is named", "[data]") {
  TempDir dir;
  const fs::path& d = dir.path();
  const auto message = [&](const fs::path& p) {
    return message_of([&] { open_dataset(folder(p)); });
  };
  CHECK_THAT(message(d / "none"), contains("none: no such file or folder"));
  CHECK_THAT(message(""), contains("data.path is empty"));
  CHECK_THAT(message(d), contains("no class"));
  write_file(d / "a/1.png", grey(1));
  fs::create_directories(d / "b");
  CHECK_THAT(message(d), contains("b: empty class folder"));
  write_file(d / "b/1.png", "no png");
  CHECK_THAT(message(d), contains("b/1.png: neither PNG nor JPEG"));
  write_file(d / "b/1.png", grey(1).substr(0, 50));
  CHECK_THAT(message(d), contains("b/1.png: unreadable PNG"));
  write_file(d / "b/1.png", "");
  CHECK_THAT(message(d), contains("b/1.png: empty file"));
  const std::string jpeg = make_jpeg(64, 64, 3, 7);
  write_file(d / "b/1.png", jpeg.substr(0, jpeg.size() / 2));
  CHECK_THAT(message(d), contains("b/1.png: unreadable JPEG"));
  write_file(d / "b/1.png", grey(2));
  write_file(d / "b/c/1.png", grey(2));
  CHECK_THAT(message(d), contains("holds both images and the folder c"));
}

TEST_CASE("a zip of a folder is that folder", "[data]") {
  TempDir dir;
  std::vector<std::pair<std::string, std::string>> entries;
  for (const char* name : {"b/2.png", "b/10.png", "a/1.png"}) {
    const std::string bytes = grey(static_cast<uint8_t>(name[2]));
    write_file(dir.path() / "tree" / name, bytes);
    entries.emplace_back(std::string("top/") + name, bytes);
  }
  entries.emplace_back("top/b/notes.txt", "no image");
  entries.emplace_back("__MACOSX/top/b/2.png", "no image either");
  make_zip(dir.path() / "images.zip", entries);
  const auto zip = open_dataset(folder(dir.path() / "images.zip"));
  const auto tree = open_dataset(folder(dir.path() / "tree"));
  REQUIRE(zip->classes() == 2);
  CHECK(zip->class_name(1) == "b");
  CHECK(zip->checksum() == tree->checksum());
  // Found out by its names.
  DataOptions options = folder(dir.path() / "images.zip");
  options.source = "auto";
  CHECK(open_dataset(options)->checksum() == tree->checksum());

  make_zip(dir.path() / "splits.zip",
           {{"train/a/1.png", grey(1)}, {"test/b/1.png", grey(2)}});
  const auto splits = open_dataset(folder(dir.path() / "splits.zip"));
  CHECK(splits->split(0) == "train");
  CHECK(splits->split(1) == "test");

  make_zip(dir.path() / "deep.zip",
           {{"a/b/c/d.png", grey(1)}, {"x/d.png", grey(1)}});
  CHECK(message_of([&] {
          open_dataset(folder(dir.path() / "deep.zip"));
        }).find("deep.zip:a/b/c/d.png: unexpected; expected class/image") !=
        std::string::npos);
  make_zip(dir.path() / "none.zip", {{"a/notes.txt", "no image"}});
  CHECK(message_of([&] {
          open_dataset(folder(dir.path() / "none.zip"));
        }).find("none.zip: holds no image") != std::string::npos);
}

TEST_CASE("inverted images and data for test alone", "[data]") {
  TempDir dir;
  write_file(dir.path() / "a/1.png", grey(51));
  write_file(dir.path() / "b/1.png", grey(255));
  DataOptions options = folder(dir.path());
  const auto upright = open_dataset(options);
  options.invert = true;
  options.split = "test";
  const auto data = open_dataset(options);
  CHECK(first_pixel(*data, 0, 0) == 1 - 51.f / 255);
  CHECK(first_pixel(*data, 1, 0) == 0);
  CHECK(data->checksum() != upright->checksum());
  const Splits splits = make_splits(*data, options);
  CHECK(splits.train.empty());
  CHECK(splits.validation.empty());
  CHECK(splits.test == std::vector<uint32_t>{0, 1});
}

TEST_CASE("what is transparent lies over white", "[data]") {
  const int channels = GENERATE(2, 4);
  const uint8_t opacity[] = {0, 128, 255};
  const auto png = make_png(3, 1, channels, 8, [&](auto, auto x, auto c) {
    return c + 1 == static_cast<uint32_t>(channels) ? opacity[x] : uint8_t{51};
  });
  const auto image = decode_image(png, "a.png");
  CHECK(image.channels == static_cast<uint32_t>(channels - 1));
  std::vector<uint8_t> expected;
  for (const uint8_t value : {255, 153, 51})
    expected.insert(expected.end(), image.channels, value);
  CHECK(image.pixels == expected);
}
