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

// The first pixel has the value, some others another one.
std::string grey(uint8_t value, uint32_t side = 4) {
  return make_png(side, side, 1, 8, [=](auto y, auto x, auto) {
    return static_cast<uint8_t>((y + x) % 2 ? value + 128 : value);
  });
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
  // One class, of the images of both, in no split.
  const auto joined = open_dataset(options);
  REQUIRE(joined->classes() == 4);
  CHECK(joined->class_name(1) == "tree");
  CHECK(joined->size(1) == 2);
  CHECK(joined->example_name(1, 0) == "test/1.png");
  options.split = "stored";
  CHECK_THAT(message_of([&] { make_splits(*joined, options); }),
             contains("class tree: split \"test and validation\"; expected"));
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

  // Grey beside colour, and the other way round; grey that is stored as RGB.
  write_file(dir.path() / "b/1.png", grey(9, 2));
  const auto both = open_dataset(folder(dir.path(), 2));
  CHECK(both->shape() == std::vector<int64_t>{3, 2, 2});
  CHECK(first_pixel(*both, 1, 0) == 9.f / 255);
  write_file(dir.path() / "a/1.png",
             make_png(2, 2, 3, 8, [](auto y, auto x, auto) {
               return static_cast<uint8_t>(100 * y + 50 * x);
             }));
  CHECK(open_dataset(folder(dir.path(), 2))->shape() ==
        std::vector<int64_t>{1, 2, 2});
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
  CHECK_THAT(message(d), contains("no class: holds no PNG or JPEG"));
  write_file(d / "a/1.png", grey(1));
  fs::create_directories(d / "b");
  CHECK(message(d) == "no Error");  // an empty folder is no class
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
        }).find("none.zip: no class: holds no PNG or JPEG") !=
        std::string::npos);
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

TEST_CASE("what systems and people leave is skipped, and counted", "[data]") {
  TempDir dir;
  const auto& d = dir.path();
  for (const char* name : {"a/1.png", "b/1.png", "b/2.png"})
    write_file(d / name, grey(static_cast<uint8_t>(name[2])));
  const auto plain = open_dataset(folder(d));
  for (const char* junk :
       {"__MACOSX/a/._1.png", "@eaDir/a/x.png", "a/@eaDir/1.png/SYNO.png",
        "a/Thumbs.db", "b/desktop.ini", ".git/a/1.png"})
    write_file(d / junk, "junk");
  std::string skipped = "none";
  CHECK(open_dataset(folder(d), &skipped)->checksum() == plain->checksum());
  CHECK(skipped.empty());
  write_file(d / "a/3.webp", "x");
  write_file(d / "b/3.WEBP", "x");
  write_file(d / "b/3.tif", "x");
  write_file(d / "README", "x");
  write_file(d / "cover.png", grey(3));
  write_file(d / "unsorted/4.gif", "x");
  fs::create_directories(d / "unlabelled");
  CHECK(open_dataset(folder(d), &skipped)->checksum() == plain->checksum());
  CHECK(skipped ==
        "5 files skipped: 1 without extension, 1 .gif, 1 .tif, 2 .webp; 1 "
        "image in no class folder skipped; 2 folders without images: "
        "unlabelled, unsorted");
  TempDir none;
  write_file(none.path() / "a/1.webp", "x");
  CHECK_THAT(message_of([&] { open_dataset(folder(none.path())); }),
             contains("no class: holds no PNG or JPEG in a folder (1 file "
                      "skipped: .webp; 1 folder without images: a)"));
}

TEST_CASE("folders of splits are known by their usual names", "[data]") {
  TempDir dir;
  const auto names =
      GENERATE(std::vector<std::string>{"Train", "Val", "Test"},
               std::vector<std::string>{"training", "valid", "testing"},
               std::vector<std::string>{"TRAIN", "validation", "test"});
  for (size_t i = 0; i < 3; ++i)
    write_file(dir.path() / names[i] / concat("c", i) / "1.png",
               grey(static_cast<uint8_t>(i)));
  auto options = folder(dir.path());
  const auto data = open_dataset(options);
  for (const char* split : {"stored", "auto"}) {
    options.split = split;
    const auto splits = make_splits(*data, options);
    CHECK(splits.train == std::vector<uint32_t>{0});
    CHECK(splits.validation == std::vector<uint32_t>{1});
    CHECK(splits.test == std::vector<uint32_t>{2});
  }
  // The same classes in several: a class each, that random may split.
  for (size_t i = 0; i < 3; ++i)
    for (size_t c = 0; c < 5; ++c)
      write_file(dir.path() / names[i] / concat("c", c) / "2.png",
                 grey(static_cast<uint8_t>(10 * i + c)));
  const auto same = open_dataset(options);
  REQUIRE(same->classes() == 5);
  CHECK(same->size(4) == 3);
  options.split = "auto";
  const auto splits = make_splits(*same, options);
  CHECK(splits.train.size() == 3);
  CHECK(splits.test.size() == 1);
}

TEST_CASE("names in a zip are read as any system writes them", "[data]") {
  TempDir dir;
  std::vector<std::pair<std::string, std::string>> plain;
  for (const char* name : {"a/1.png", "b/1.png", "b/2.png"})
    plain.emplace_back(name, grey(static_cast<uint8_t>(name[2])));
  const auto sum = [&](const std::function<std::string(std::string)>& rename,
                       const char* more = nullptr) {
    auto entries = plain;
    for (auto& [name, bytes] : entries) name = rename(name);
    if (more) entries.emplace_back(more, "junk");
    make_zip(dir.path() / "z.zip", entries);
    const auto data = open_dataset(folder(dir.path() / "z.zip"));
    fs::remove(dir.path() / "z.zip");
    return data->checksum();
  };
  const auto backslashes = [](std::string name) {
    name[1] = '\\';
    return name;
  };
  const auto expected = sum([](std::string name) { return name; });
  CHECK(sum(backslashes) == expected);
  CHECK(sum([&](std::string n) { return "my data\\" + backslashes(n); }) ==
        expected);
  CHECK(sum([](std::string n) { return "./" + n; }) == expected);
  CHECK(sum([](std::string n) { return "./data/./" + n; }) == expected);
  CHECK(sum([](std::string n) { return n; }, "__MACOSX/a/._1.png") == expected);
  CHECK(sum([](std::string n) { return n; }, "a/Thumbs.db") == expected);
}

TEST_CASE("a folder in which nothing is to be seen is refused", "[data]") {
  TempDir dir;
  const auto flat = [](uint8_t value) {
    return make_png(4, 4, 1, 8, [=](auto...) { return value; });
  };
  write_file(dir.path() / "a/1.png", flat(3));
  write_file(dir.path() / "b/1.png", flat(200));
  CHECK_THAT(message_of([&] { open_dataset(folder(dir.path())); }),
             contains("2 of 2 images are of one colour once they are read") &&
                 contains("a/1.png") && contains("expected something to see"));
  write_file(dir.path() / "b/2.png", grey(1));
  CHECK(open_dataset(folder(dir.path()))->classes() == 2);
}
