#include "protean/data/records/photo.h"

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include <jerror.h>
#include <jpeglib.h>

#include "protean/core/error.h"

namespace protean {

std::vector<AlignedResize::Tap> AlignedResize::taps(uint32_t from,
                                                    uint32_t to) {
  const float scale =
      to > 1 ? static_cast<float>(from - 1) / static_cast<float>(to - 1) : 0;
  std::vector<Tap> taps;
  for (uint32_t i = 0; i < to; ++i) {
    const float at = static_cast<float>(i) * scale;
    const auto low = std::min(static_cast<uint32_t>(at), from - 1);
    taps.push_back(
        {low, std::min(low + 1, from - 1), at - static_cast<float>(low)});
  }
  return taps;
}

AlignedResize::AlignedResize(uint32_t width, uint32_t height, uint32_t side,
                             uint8_t* out)
    : height_(height),
      side_(side),
      out_(out),
      rows_(taps(height, side)),
      columns_(taps(width, side)),
      held_row_{height, height} {
  for (auto& row : held_) row.resize(size_t{3} * side);
}

uint32_t AlignedResize::wanted() const {
  if (next_ == side_) return height_;
  const Tap& tap = rows_[next_];
  const auto has = [&](uint32_t row) {
    return held_row_[0] == row || held_row_[1] == row;
  };
  return has(tap.low) ? tap.high : tap.low;
}

void AlignedResize::add(const uint8_t* row) {
  // Rows come in ascending order: the older one is not wanted any more.
  const int slot = held_row_[0] == height_       ? 0
                   : held_row_[1] == height_     ? 1
                   : held_row_[0] < held_row_[1] ? 0
                                                 : 1;
  held_row_[slot] = wanted();
  float* to = held_[slot].data();
  for (const Tap& tap : columns_) {
    const uint8_t *low = row + size_t{3} * tap.low,
                  *high = row + size_t{3} * tap.high;
    for (int c = 0; c < 3; ++c) {
      const float from = low[c];
      *to++ = from + (static_cast<float>(high[c]) - from) * tap.weight;
    }
  }
  const auto holds = [&](uint32_t r) {
    return held_row_[0] == r || held_row_[1] == r;
  };
  while (next_ < side_ && holds(rows_[next_].low) && holds(rows_[next_].high))
    blend(next_++);
}

void AlignedResize::blend(uint32_t y) {
  const Tap& tap = rows_[y];
  const auto& low = held_[held_row_[0] == tap.low ? 0 : 1];
  const auto& high = held_[held_row_[0] == tap.high ? 0 : 1];
  const size_t plane = size_t{side_} * side_;
  uint8_t* to = out_ + size_t{y} * side_;
  for (uint32_t x = 0; x < side_; ++x)
    for (uint32_t c = 0; c < 3; ++c) {
      const size_t at = size_t{3} * x + c;
      const float value = low[at] + (high[at] - low[at]) * tap.weight;
      to[c * plane + x] = static_cast<uint8_t>(value + 0.5f);
    }
}

namespace {

constexpr uint32_t kMostSide = 1 << 14;
constexpr uint64_t kMostPixels = uint64_t{1} << 26;

void check_size(uint64_t width, uint64_t height, const std::string& place) {
  if (width == 0 || height == 0 || width > kMostSide || height > kMostSide ||
      width * height > kMostPixels)
    throw DataError(concat(place, ": an image of ", width, "x", height,
                           " pixels; expected at most ", kMostSide,
                           " on a side and ", kMostPixels, " in all"));
}

// libjpeg leaves by longjmp: between setjmp and a call of it no object with a
// destructor may be made, so everything lives here.
struct Decoder {
  jpeg_decompress_struct jpeg{};
  jpeg_error_mgr errors{};
  std::jmp_buf back{};
  char error[JMSG_LENGTH_MAX] = "";
  std::vector<uint8_t> row;

  ~Decoder() { jpeg_destroy_decompress(&jpeg); }
};

void fail(j_common_ptr info) {
  auto* decoder = static_cast<Decoder*>(info->client_data);
  info->err->format_message(info, decoder->error);
  std::longjmp(decoder->back, 1);
}

// Warnings that mean pixels were made up.
void warn(j_common_ptr info, int level) {
  if (level >= 0) return;
  switch (info->err->msg_code) {
    case JWRN_JPEG_EOF:
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_MUST_RESYNC:
    case JWRN_NOT_SEQUENTIAL:
    case JWRN_BOGUS_PROGRESSION:
      fail(info);
  }
}

bool read_head(Decoder& d, std::string_view bytes) {
  if (setjmp(d.back)) return false;
  jpeg_create_decompress(&d.jpeg);
  jpeg_mem_src(&d.jpeg, reinterpret_cast<const unsigned char*>(bytes.data()),
               bytes.size());
  jpeg_read_header(&d.jpeg, TRUE);
  d.jpeg.out_color_space = JCS_RGB;
  d.jpeg.dct_method = JDCT_ISLOW;
  return true;
}

bool read_rows(Decoder& d, AlignedResize& resize) {
  if (setjmp(d.back)) return false;
  jpeg_start_decompress(&d.jpeg);
  JSAMPROW row = d.row.data();
  while (d.jpeg.output_scanline < d.jpeg.output_height) {
    const uint32_t at = d.jpeg.output_scanline;
    jpeg_read_scanlines(&d.jpeg, &row, 1);
    if (resize.wanted() == at) resize.add(row);
  }
  jpeg_finish_decompress(&d.jpeg);
  return true;
}

void decode_jpeg(std::string_view bytes, uint32_t side,
                 const std::string& place, uint8_t* out) {
  const auto unreadable = [&](const Decoder& d) {
    throw DataError(concat(place, ": unreadable JPEG: ", d.error));
  };
  Decoder d;
  d.jpeg.err = jpeg_std_error(&d.errors);
  d.errors.error_exit = fail;
  d.errors.emit_message = warn;
  d.jpeg.client_data = &d;
  if (!read_head(d, bytes)) unreadable(d);
  check_size(d.jpeg.image_width, d.jpeg.image_height, place);
  if (d.jpeg.num_components != 1 && d.jpeg.num_components != 3)
    throw DataError(concat(place, ": a JPEG of ", d.jpeg.num_components,
                           " components (CMYK?); expected RGB or grey"));
  // Its damage cannot be told from here; nobody's converter writes it.
  if (d.jpeg.arith_code)
    throw DataError(
        concat(place, ": a JPEG with arithmetic coding; expected Huffman's"));
  d.row.resize(size_t{3} * d.jpeg.image_width);
  AlignedResize resize(d.jpeg.image_width, d.jpeg.image_height, side, out);
  if (!read_rows(d, resize)) unreadable(d);
}

// The size that a PNG's first chunk states, before anything is allocated.
void check_png_size(std::string_view bytes, const std::string& place) {
  const auto number = [&](size_t at) {
    uint64_t value = 0;
    for (size_t i = at; i < at + 4; ++i)
      value = value << 8 | static_cast<uint8_t>(bytes[i]);
    return value;
  };
  if (bytes.size() >= 24) check_size(number(16), number(20), place);
}

struct Encoder {
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors{};
  std::jmp_buf back{};
  char error[JMSG_LENGTH_MAX] = "";
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  ~Encoder() {
    jpeg_destroy_compress(&jpeg);
    std::free(bytes);
  }
};

void encode_fail(j_common_ptr info) {
  auto* encoder = static_cast<Encoder*>(info->client_data);
  info->err->format_message(info, encoder->error);
  std::longjmp(encoder->back, 1);
}

bool write_rows(Encoder& e, const Image& image) {
  if (setjmp(e.back)) return false;
  jpeg_create_compress(&e.jpeg);
  jpeg_mem_dest(&e.jpeg, &e.bytes, &e.size);
  e.jpeg.image_width = image.width;
  e.jpeg.image_height = image.height;
  e.jpeg.input_components = 3;
  e.jpeg.in_color_space = JCS_RGB;
  jpeg_set_defaults(&e.jpeg);
  jpeg_set_quality(&e.jpeg, 75, TRUE);
  jpeg_start_compress(&e.jpeg, TRUE);
  while (e.jpeg.next_scanline < e.jpeg.image_height) {
    auto* row = const_cast<JSAMPROW>(
        image.pixels.data() + size_t{e.jpeg.next_scanline} * image.width * 3);
    jpeg_write_scanlines(&e.jpeg, &row, 1);
  }
  jpeg_finish_compress(&e.jpeg);
  return true;
}

}  // namespace

void decode_photo(std::string_view bytes, uint32_t side,
                  const std::string& place, uint8_t* out) {
  if (bytes.starts_with("\xFF\xD8"))
    return decode_jpeg(bytes, side, place, out);
  if (!bytes.starts_with("\x89PNG"))
    throw DataError(concat(place, ": an image of ", bytes.size(),
                           " bytes that is neither JPEG nor PNG"));
  check_png_size(bytes, place);
  const Image image = to_channels(decode_image(bytes, place), 3);
  AlignedResize resize(image.width, image.height, side, out);
  while (resize.wanted() < image.height)
    resize.add(image.pixels.data() + size_t{resize.wanted()} * image.width * 3);
}

std::string encode_jpeg(const Image& image) {
  Encoder e;
  e.jpeg.err = jpeg_std_error(&e.errors);
  e.errors.error_exit = encode_fail;
  e.jpeg.client_data = &e;
  if (!write_rows(e, image))
    throw Error(concat("libjpeg cannot write: ", e.error));
  return {reinterpret_cast<const char*>(e.bytes), e.size};
}

}  // namespace protean
