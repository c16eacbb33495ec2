#include "data/fixtures.h"

#include <cstdio>
#include <fstream>
#include <stdexcept>

#include <jpeglib.h>
#include <png.h>
#include <stdlib.h>
#include <zip.h>

#include "protean/core/hash.h"

namespace protean {

std::string make_png(
    uint32_t width, uint32_t height, int channels, int bits,
    const std::function<uint8_t(uint32_t, uint32_t, uint32_t)>& pixel) {
  std::string out;
  png_structp png =
      png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(
      png, &out,
      [](png_structp p, png_bytep data, size_t n) {
        static_cast<std::string*>(png_get_io_ptr(p))
            ->append(reinterpret_cast<char*>(data), n);
      },
      nullptr);
  constexpr int kTypes[] = {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA,
                            PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA};
  png_set_IHDR(png, info, width, height, bits, kTypes[channels - 1],
               PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, info);
  for (uint32_t y = 0; y < height; ++y) {
    std::vector<uint8_t> row(bits == 1 ? (width + 7) / 8 : width * channels);
    for (uint32_t x = 0; x < width; ++x)
      for (uint32_t c = 0; c < static_cast<uint32_t>(channels); ++c) {
        const uint8_t value = pixel(y, x, c);
        if (bits == 8)
          row[x * channels + c] = value;
        else if (value >= 128)
          row[x / 8] |= static_cast<uint8_t>(0x80 >> x % 8);
      }
    png_write_row(png, row.data());
  }
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return out;
}

std::string make_png16(
    uint32_t width, uint32_t height,
    const std::function<uint16_t(uint32_t, uint32_t)>& pixel) {
  std::string out;
  png_structp png =
      png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(
      png, &out,
      [](png_structp p, png_bytep data, size_t n) {
        static_cast<std::string*>(png_get_io_ptr(p))
            ->append(reinterpret_cast<char*>(data), n);
      },
      nullptr);
  png_set_IHDR(png, info, width, height, 16, PNG_COLOR_TYPE_GRAY,
               PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, info);
  for (uint32_t y = 0; y < height; ++y) {
    std::vector<uint8_t> row;
    for (uint32_t x = 0; x < width; ++x) {
      const uint16_t value = pixel(y, x);
      row.push_back(static_cast<uint8_t>(value >> 8));
      row.push_back(static_cast<uint8_t>(value));
    }
    png_write_row(png, row.data());
  }
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return out;
}

std::string make_jpeg(uint32_t width, uint32_t height, int channels,
                      uint8_t value) {
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char* memory = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&jpeg, &memory, &size);
  jpeg.image_width = width;
  jpeg.image_height = height;
  jpeg.input_components = channels;
  jpeg.in_color_space = channels == 3 ? JCS_RGB : JCS_GRAYSCALE;
  jpeg_set_defaults(&jpeg);
  jpeg_start_compress(&jpeg, TRUE);
  std::vector<uint8_t> row(width * channels, value);
  JSAMPROW rows[] = {row.data()};
  while (jpeg.next_scanline < height) jpeg_write_scanlines(&jpeg, rows, 1);
  jpeg_finish_compress(&jpeg);
  jpeg_destroy_compress(&jpeg);
  std::string out(reinterpret_cast<char*>(memory), size);
  free(memory);
  return out;
}

void make_zip(const std::filesystem::path& path,
              const std::vector<std::pair<std::string, std::string>>& entries) {
  int error = 0;
  zip_t* zip = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &error);
  if (!zip) throw std::runtime_error("zip_open " + path.string());
  for (const auto& [name, bytes] : entries) {
    if (name.ends_with('/')) {
      zip_dir_add(zip, name.c_str(), 0);
      continue;
    }
    zip_source_t* source =
        zip_source_buffer(zip, bytes.data(), bytes.size(), 0);
    zip_file_add(zip, name.c_str(), source, 0);
  }
  if (zip_close(zip) != 0)
    throw std::runtime_error("zip_close " + path.string());
}

void write_file(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

bool is_ink(const std::string& path, uint32_t y, uint32_t x) {
  Hash64 hash;
  hash.add(path.data(), path.size());
  hash.add(y * 1000 + x);
  return hash.value() % 5 == 0;
}

std::vector<std::pair<std::string, std::string>> tiny_omniglot(int drawers) {
  std::vector<std::pair<std::string, std::string>> files;
  const std::vector<std::string> classes = {"B/character02", "A/character03",
                                            "A/character01", "B/character01",
                                            "A/character02"};
  for (int drawer = drawers; drawer >= 1; --drawer)
    for (size_t c = 0; c < classes.size(); ++c) {
      char name[64];
      std::snprintf(name, sizeof name, "/%04zu_%02d.png", c + 1, drawer);
      const std::string path = classes[c] + name;
      files.emplace_back(
          path, make_png(105, 105, 1, 1, [&](uint32_t y, uint32_t x, uint32_t) {
            return is_ink(path, y, x) ? 0 : 255;
          }));
    }
  return files;
}

}  // namespace protean
