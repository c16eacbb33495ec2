// Image files as phones, print shops, cameras and people leave them.
#include <cstdio>
#include <functional>

#include <jpeglib.h>
#include <stdlib.h>

#include "protean/core/error.h"
#include "protean/core/hash.h"
#include "protean/data/image_codec.h"
#include "protean/data/prepare_image.h"

#include "data/fixtures.h"
#include "support/catch.h"

using namespace protean;

namespace {

using Bytes = std::vector<uint8_t>;

std::string message_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& e) {
    return e.what();
  }
  return "no Error";
}

// Exif's block with the orientation alone, in either byte order.
std::string exif(uint8_t orientation, bool big) {
  const std::string head = big ? std::string("MM\0\x2A\0\0\0\x08\0\x01", 10)
                               : std::string("II\x2A\0\x08\0\0\0\x01\0", 10);
  std::string entry = big ? std::string("\x01\x12\0\x03\0\0\0\x01\0?\0\0", 12)
                          : std::string("\x12\x01\x03\0\x01\0\0\0?\0\0\0", 12);
  entry[entry.find('?')] = static_cast<char>(orientation);
  return head + entry + std::string(4, '\0');
}

// A 16x8 grey JPEG, dark in the left half of the upper half, with Exif.
std::string photo(uint8_t orientation, bool big) {
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char* memory = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&jpeg, &memory, &size);
  jpeg.image_width = 16;
  jpeg.image_height = 8;
  jpeg.input_components = 1;
  jpeg.in_color_space = JCS_GRAYSCALE;
  jpeg_set_defaults(&jpeg);
  jpeg_set_quality(&jpeg, 100, TRUE);
  jpeg_start_compress(&jpeg, TRUE);
  const auto block = std::string("Exif\0\0", 6) + exif(orientation, big);
  jpeg_write_marker(&jpeg, JPEG_APP0 + 1,
                    reinterpret_cast<const JOCTET*>(block.data()),
                    static_cast<unsigned>(block.size()));
  for (int y = 0; y < 8; ++y) {
    uint8_t row[16];
    for (int x = 0; x < 16; ++x) row[x] = y < 4 && x < 8 ? 0 : 255;
    JSAMPROW rows[] = {row};
    jpeg_write_scanlines(&jpeg, rows, 1);
  }
  jpeg_finish_compress(&jpeg);
  jpeg_destroy_compress(&jpeg);
  std::string out(reinterpret_cast<char*>(memory), size);
  free(memory);
  return out;
}

// One colour in four inks, with Adobe's marker or without.
std::string print_jpeg(const Bytes& inks, bool adobe) {
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char* memory = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&jpeg, &memory, &size);
  jpeg.image_width = jpeg.image_height = 8;
  jpeg.input_components = 4;
  jpeg.in_color_space = JCS_CMYK;
  jpeg_set_defaults(&jpeg);
  jpeg_set_quality(&jpeg, 100, TRUE);
  jpeg.write_Adobe_marker = adobe ? TRUE : FALSE;
  jpeg_start_compress(&jpeg, TRUE);
  Bytes row;
  for (int x = 0; x < 8; ++x) row.insert(row.end(), inks.begin(), inks.end());
  JSAMPROW rows[] = {row.data()};
  for (int y = 0; y < 8; ++y) jpeg_write_scanlines(&jpeg, rows, 1);
  jpeg_finish_compress(&jpeg);
  jpeg_destroy_compress(&jpeg);
  std::string out(reinterpret_cast<char*>(memory), size);
  free(memory);
  return out;
}

// Which quarter of the image is dark: 0 upper left, 1 upper right, 2 lower
// left, 3 lower right.
int dark_quarter(const Image& image) {
  for (uint32_t q = 0; q < 4; ++q) {
    const uint32_t y = image.height * (q / 2 ? 3 : 1) / 4;
    const uint32_t x = image.width * (q % 2 ? 3 : 1) / 4;
    if (image.pixels[y * image.width + x] < 128) return static_cast<int>(q);
  }
  return -1;
}

}  // namespace

TEST_CASE("a photograph stands as its Exif block says", "[data]") {
  const bool big = GENERATE(false, true);
  // Where the upper left of what is stored is seen.
  const int seen[] = {0, 0, 1, 3, 2, 0, 1, 3, 2};
  for (uint8_t orientation = 0; orientation <= 8; ++orientation) {
    const auto image = decode_image(photo(orientation, big), "p.jpg");
    const bool turned = orientation >= 5;
    CHECK(image.width == (turned ? 8 : 16));
    CHECK(image.height == (turned ? 16 : 8));
    CHECK(dark_quarter(image) == seen[orientation]);
  }
  // A block that makes no sense turns nothing.
  CHECK(decode_image(photo(9, big), "p.jpg").width == 16);
}

TEST_CASE("printing inks become the colours that they print", "[data]") {
  const bool adobe = GENERATE(false, true);
  const auto colour = [&](Bytes inks) {
    if (adobe)
      for (auto& ink : inks) ink = static_cast<uint8_t>(255 - ink);
    const auto image = decode_image(print_jpeg(inks, adobe), "p.jpg");
    REQUIRE(image.channels == 3);
    REQUIRE(image.pixels.size() == 3 * 64);
    return std::vector<int>{image.pixels[0], image.pixels[1], image.pixels[2]};
  };
  const auto near = [](const std::vector<int>& a, const std::vector<int>& b) {
    for (size_t i = 0; i < 3; ++i) CHECK(std::abs(a[i] - b[i]) <= 2);
  };
  near(colour({0, 0, 0, 0}), {255, 255, 255});
  near(colour({0, 0, 0, 255}), {0, 0, 0});
  near(colour({255, 0, 0, 0}), {0, 255, 255});
  near(colour({0, 102, 255, 51}), {204, 122, 0});  // 255 * 0.8 * (1, 0.6, 0)
}

TEST_CASE("sixteen bits hold as many as are used", "[data]") {
  const auto values = [](uint32_t most) {
    const auto image = decode_image(
        make_png16(
            3, 1,
            [&](auto, auto x) { return static_cast<uint16_t>(most * x / 2); }),
        "s.png");
    return image.pixels;
  };
  CHECK(values(65535) == Bytes{0, 127, 255});
  CHECK(values(1023) == Bytes{0, 127, 255});  // 10 bits
  CHECK(values(4095) == Bytes{0, 127, 255});  // 12 bits
  CHECK(values(255) == Bytes{0, 127, 255});
  CHECK(values(8190) == Bytes{0, 16, 32});  // dark, but more than a sixteenth
  CHECK(values(0) == Bytes{0, 0, 0});
}

TEST_CASE("an image that is too large is named with its size", "[data]") {
  const auto wide = make_png(20000, 1, 1, 8, [](auto...) { return 0; });
  CHECK(message_of([&] { decode_image(wide, "wide.png"); }) ==
        "wide.png: 20000x1 pixels; expected at most 16384 on a side and "
        "67108864 in all");
  const auto large = make_png(9000, 9000, 1, 1, [](auto...) { return 0; });
  CHECK(message_of([&] { decode_image(large, "large.png"); }) ==
        "large.png: 9000x9000 pixels; expected at most 16384 on a side and "
        "67108864 in all");
}

TEST_CASE("reducing by area averages what a pixel covers", "[data]") {
  Image image{5, 5, 1, Bytes(25, 0)};
  for (size_t y = 0; y < 5; ++y)
    for (size_t x = 0; x < 5; ++x)
      image.pixels[5 * y + x] = static_cast<uint8_t>(50 * x);
  // 2.5 pixels each: (0 + 50 + 100 / 2) / 2.5 and (100 / 2 + 150 + 200) / 2.5.
  CHECK(resize(image, 2, Filter::area).pixels == Bytes{40, 160, 40, 160});
  // Enlarging is bilinear.
  CHECK(resize(image, 8, Filter::area).pixels ==
        resize(image, 8, Filter::bilinear).pixels);
  // One line of 200: each of 20 rows of the result has a tenth of it.
  Image page{200, 200, 1, Bytes(200 * 200, 255)};
  for (size_t y = 0; y < 200; ++y) page.pixels[200 * y + 101] = 0;
  const auto small = resize(page, 20, Filter::area).pixels;
  CHECK(small[10] == 230);
  CHECK(small[9] == 255);
  CHECK(resize(page, 20, Filter::nearest).pixels == Bytes(400, 255));
}

TEST_CASE("what is not square is stretched, padded or cropped", "[data]") {
  // 6x2: dark, and light in the middle.
  Image image{6, 2, 1, Bytes(12, 100)};
  image.pixels[2] = image.pixels[3] = image.pixels[8] = image.pixels[9] = 200;
  const auto as = [&](Fit how, uint32_t side) {
    return fit_square(image, side, Filter::area, how).pixels;
  };
  CHECK(as(Fit::crop, 2) == Bytes{200, 200, 200, 200});
  CHECK(as(Fit::stretch, 2) == Bytes{133, 133, 133, 133});
  const auto padded = as(Fit::pad, 3);
  CHECK(padded == Bytes{100, 100, 100, 100, 200, 100, 100, 100, 100});
  CHECK(message_of([] { parse_fit("squeeze", "data.fit"); }) ==
        "data.fit = \"squeeze\"; expected one of: stretch, pad, crop");
}

TEST_CASE("ink of a drawing of any size is whole", "[data]") {
  ImagePreparation how;
  how.shape = {1, 28, 28};
  how.ink = how.invert = true;
  const auto ink = [&](const Image& image) {
    std::vector<float> values;
    prepare(image, how, values);
    double sum = 0;
    for (float v : values) {
      CHECK((v == 0 || v == 1));
      sum += v;
    }
    return sum;
  };
  // A line of three pixels across a page of 2000: a row of 28.
  Image page{2000, 2000, 1, Bytes(2000 * 2000, 250)};
  for (size_t y = 1000; y < 1003; ++y)
    std::fill_n(page.pixels.begin() + static_cast<std::ptrdiff_t>(2000 * y),
                2000, uint8_t{20});
  CHECK(ink(page) == 28);
  // In the corner of the page: with the square around it, most of the image.
  Image corner{400, 300, 1, Bytes(400 * 300, 250)};
  for (size_t y = 20; y < 60; ++y)
    std::fill_n(
        corner.pixels.begin() + static_cast<std::ptrdiff_t>(400 * y) + 310, 40,
        uint8_t{20});
  CHECK(ink(corner) < 15);
  how.crop_to_ink = true;
  CHECK(ink(corner) == Approx(28 * 28 * 0.64).margin(60));
  // Nothing but paper.
  CHECK(ink(Image{100, 50, 1, Bytes(5000, 250)}) == 0);
}

TEST_CASE("images in which nothing is to be seen are named", "[data]") {
  const std::vector<std::string> names{"a", "b", "c"};
  const std::vector<float> values{0, 1, 0.5f, 0.51f, 0.2f, 0.3f};
  CHECK(blank_ones(names, values) == std::vector<std::string>{"b"});
  CHECK(message_of([&] { check_blank("--support", names, values); }) ==
        "no Error");
  CHECK(message_of([&] {
          check_blank("--support", {"a", "b"}, {0, 0, 1, 1});
        }) ==
        "--support: 2 of 2 images are of one colour once they are read: a, b; "
        "expected something to see");
  CHECK(nearly_constant(Image{2, 1, 1, {100, 107}}));
  CHECK_FALSE(nearly_constant(Image{2, 1, 1, {100, 108}}));
}
