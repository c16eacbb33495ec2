#include "protean/data/records/photo.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <jpeglib.h>
#include <stdlib.h>

#include "data/fixtures.h"
#include "data/records/bytes.h"
#include "support/catch.h"

using namespace protean;

namespace {

std::vector<uint8_t> resized(const Image& image, uint32_t side) {
  std::vector<uint8_t> out(size_t{3} * side * side);
  AlignedResize resize(image.width, image.height, side, out.data());
  while (resize.wanted() < image.height)
    resize.add(image.pixels.data() + size_t{resize.wanted()} * image.width * 3);
  return out;
}

Image image_of(uint32_t width, uint32_t height,
               const std::function<int(uint32_t y, uint32_t x, int c)>& pixel) {
  Image image{width, height, 3, {}};
  for (uint32_t y = 0; y < height; ++y)
    for (uint32_t x = 0; x < width; ++x)
      for (int c = 0; c < 3; ++c)
        image.pixels.push_back(static_cast<uint8_t>(pixel(y, x, c)));
  return image;
}

// A scene that JPEG keeps well: smooth, another one in each channel.
int smooth(uint32_t y, uint32_t x, int c) {
  return static_cast<int>(128 + 60 * std::sin(0.05 * x + c) +
                          60 * std::cos(0.04 * y - c));
}

// Every pixel of a JPEG, by libjpeg alone.
Image decode_whole(const std::string& bytes) {
  jpeg_decompress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_decompress(&jpeg);
  jpeg_mem_src(&jpeg, reinterpret_cast<const unsigned char*>(bytes.data()),
               bytes.size());
  jpeg_read_header(&jpeg, TRUE);
  jpeg.out_color_space = JCS_RGB;
  jpeg_start_decompress(&jpeg);
  Image image{jpeg.output_width, jpeg.output_height, 3, {}};
  image.pixels.resize(size_t{image.width} * image.height * 3);
  while (jpeg.output_scanline < jpeg.output_height) {
    JSAMPROW row =
        image.pixels.data() + size_t{jpeg.output_scanline} * image.width * 3;
    jpeg_read_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_decompress(&jpeg);
  jpeg_destroy_decompress(&jpeg);
  return image;
}

// A CMYK file.
std::string make_cmyk() {
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&jpeg, &bytes, &size);
  jpeg.image_width = jpeg.image_height = 8;
  jpeg.input_components = 4;
  jpeg.in_color_space = JCS_CMYK;
  jpeg_set_defaults(&jpeg);
  jpeg_start_compress(&jpeg, TRUE);
  std::vector<uint8_t> row(32, 90);
  JSAMPROW at = row.data();
  while (jpeg.next_scanline < 8) jpeg_write_scanlines(&jpeg, &at, 1);
  jpeg_finish_compress(&jpeg);
  jpeg_destroy_compress(&jpeg);
  const std::string out(reinterpret_cast<char*>(bytes), size);
  ::free(bytes);
  return out;
}

std::string decode_error(const std::string& bytes) {
  std::vector<uint8_t> out(3 * 8 * 8);
  return data_error([&] { decode_photo(bytes, 8, "f: record 2", out.data()); });
}

}  // namespace

TEST_CASE("corners stay where they are, in both directions", "[records]") {
  const int up[] = {0, 30, 60, 90}, down[] = {0, 10, 20, 30, 40};
  const auto wide = image_of(4, 1, [&](auto, auto x, int) { return up[x]; });
  const auto tall = image_of(1, 5, [&](auto y, auto, int) { return down[y]; });
  const auto seven = resized(wide, 7), three = resized(tall, 3);
  for (size_t i = 0; i < 7 * 7; ++i) CHECK(seven[i] == 15 * (i % 7));
  for (size_t i = 0; i < 3 * 3; ++i) CHECK(three[i] == 20 * (i / 3));
  // One pixel of a result is the first one.
  CHECK(resized(wide, 1) == std::vector<uint8_t>{0, 0, 0});
}

TEST_CASE("resizing agrees with the formula in double", "[records]") {
  struct Size {
    uint32_t width, height, side;
  };
  for (const Size size : {Size{500, 333, 84}, Size{37, 90, 84},
                          Size{84, 84, 84}, Size{3, 2, 28}, Size{1, 1, 5}}) {
    const uint32_t width = size.width, height = size.height, side = size.side;
    const auto image = image_of(width, height, [](auto y, auto x, int c) {
      return (x * x * 31 + y * 17 * (c + 1) + x * y) % 256;
    });
    const auto out = resized(image, side);
    const auto at = [&](uint32_t i, uint32_t from) {
      return i * (from - 1.0) / (side - 1.0);
    };
    double worst = 0;
    for (uint32_t c = 0; c < 3; ++c)
      for (uint32_t y = 0; y < side; ++y)
        for (uint32_t x = 0; x < side; ++x) {
          const double fy = at(y, height), fx = at(x, width);
          const auto ly = static_cast<uint32_t>(fy + 1e-9),
                     lx = static_cast<uint32_t>(fx + 1e-9);
          const auto pixel = [&](uint32_t py, uint32_t px) {
            py = std::min(py, height - 1), px = std::min(px, width - 1);
            return static_cast<double>(
                image.pixels[(size_t{py} * width + px) * 3 + c]);
          };
          const double wy = fy - ly, wx = fx - lx;
          const double value =
              (1 - wy) * ((1 - wx) * pixel(ly, lx) + wx * pixel(ly, lx + 1)) +
              wy * ((1 - wx) * pixel(ly + 1, lx) + wx * pixel(ly + 1, lx + 1));
          worst =
              std::max(worst, std::abs(out[(c * side + y) * side + x] - value));
        }
    INFO(width << "x" << height << " to " << side);
    CHECK(worst < 0.502);  // rounding, and single precision
  }
}

TEST_CASE("a JPEG is resized as all of its pixels would be", "[records]") {
  for (const auto& [width, height] :
       {std::pair{500u, 380u}, {20u, 15u}, {33u, 64u}}) {
    const std::string bytes = encode_jpeg(image_of(width, height, smooth));
    std::vector<uint8_t> out(3 * 84 * 84);
    decode_photo(bytes, 84, "f", out.data());
    CHECK(out == resized(decode_whole(bytes), 84));
    // And is the scene that it was made of.
    CHECK(std::abs(out[0] - smooth(0, 0, 0)) < 12);
    CHECK(std::abs(out.back() - smooth(height - 1, width - 1, 2)) < 12);
  }
}

TEST_CASE("grey JPEGs have three equal channels", "[records]") {
  std::vector<uint8_t> out(3 * 4 * 4);
  decode_photo(make_jpeg(9, 7, 1, 200), 4, "f", out.data());
  for (uint8_t v : out) CHECK(std::abs(v - 200) <= 1);
}

TEST_CASE("PNG is read too, opaque and at any size", "[records]") {
  const auto png = make_png(5, 3, 3, 8, [](auto y, auto x, auto c) {
    return static_cast<uint8_t>(50 * x + 20 * y + c);
  });
  std::vector<uint8_t> out(3 * 3 * 3);
  decode_photo(png, 3, "f", out.data());
  for (uint32_t c = 0; c < 3; ++c)
    for (uint32_t y = 0; y < 3; ++y)
      for (uint32_t x = 0; x < 3; ++x)
        CHECK(out[(c * 3 + y) * 3 + x] == 100 * x + 20 * y + c);
}

TEST_CASE("images that are not what they should be are refused", "[records]") {
  const std::string jpeg = encode_jpeg(image_of(64, 48, smooth));
  CHECK(decode_error(jpeg) == "no DataError");
  CHECK(has(decode_error(jpeg.substr(0, jpeg.size() / 2)),
            "f: record 2: unreadable JPEG: "));
  CHECK(has(decode_error(jpeg.substr(0, 20)), "f: record 2: unreadable JPEG"));
  CHECK(has(decode_error(make_cmyk()),
            "f: record 2: a JPEG of 4 components (CMYK?)"));
  CHECK(has(decode_error("GIF89a"), "neither JPEG nor PNG"));
  CHECK(has(decode_error(""), "an image of 0 bytes"));
  // The head says 65,500 x 65,500: refused before anything is allocated.
  std::string vast = jpeg;
  const size_t frame = vast.find("\xFF\xC0");
  REQUIRE(frame != std::string::npos);
  vast.replace(frame + 5, 4, "\xFF\xDC\xFF\xDC", 4);
  CHECK(has(decode_error(vast), "an image of 65500x65500 pixels"));
}
