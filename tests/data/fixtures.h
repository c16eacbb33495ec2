// Small data sets on disk, made by the test that needs them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "support/temp_dir.h"

namespace protean {

// A PNG file's bytes; grey (1 bit or 8) or RGB, or these with opacity.
// `pixel(y, x, c)` in 0..255; with 1 bit, 128 and above is white.
std::string make_png(
    uint32_t width, uint32_t height, int channels, int bits,
    const std::function<uint8_t(uint32_t, uint32_t, uint32_t)>& pixel);

// Grey of 16 bits.
std::string make_png16(
    uint32_t width, uint32_t height,
    const std::function<uint16_t(uint32_t, uint32_t)>& pixel);

// A grey or RGB JPEG file's bytes, one colour all over.
std::string make_jpeg(uint32_t width, uint32_t height, int channels,
                      uint8_t value);

void make_zip(const std::filesystem::path& path,
              const std::vector<std::pair<std::string, std::string>>& entries);

void write_file(const std::filesystem::path& path, const std::string& bytes);

// Alphabets B (2 characters), A (3) with `drawers` drawings each, as (path
// below images_background, PNG bytes), not in order. Ink: pixel (y, x) where a
// hash of (path, y, x) says so; see is_ink.
std::vector<std::pair<std::string, std::string>> tiny_omniglot(int drawers = 4);
bool is_ink(const std::string& path, uint32_t y, uint32_t x);

}  // namespace protean
