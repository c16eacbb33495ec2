#include "protean/data/image_codec.h"

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstring>

#include <jerror.h>
#include <jpeglib.h>
#include <png.h>

#include "protean/core/error.h"

#include "data/exif.h"

namespace protean {
namespace {

constexpr uint32_t kMostSide = 1 << 14;
constexpr uint64_t kMostPixels = uint64_t{1} << 26;

// Before anything is allocated.
void check_size(uint64_t width, uint64_t height, const std::string& name) {
  if (width > kMostSide || height > kMostSide || width * height > kMostPixels)
    throw DataError(concat(name, ": ", width, "x", height,
                           " pixels; expected at most ", kMostSide,
                           " on a side and ", kMostPixels, " in all"));
}

// libpng and libjpeg leave by longjmp: the functions that call setjmp hold no
// object with a destructor, everything lives in these structs.
struct PngReader {
  std::string_view bytes;
  std::string error;
  Image image;
  std::vector<png_bytep> rows;
  png_structp png = nullptr;
  png_infop info = nullptr;

  ~PngReader() { png_destroy_read_struct(&png, &info, nullptr); }
};

void png_fail(png_structp png, png_const_charp message) {
  static_cast<PngReader*>(png_get_error_ptr(png))->error = message;
  png_longjmp(png, 1);
}

void png_ignore(png_structp, png_const_charp) {}

void png_take(png_structp png, png_bytep out, size_t size) {
  auto* reader = static_cast<PngReader*>(png_get_io_ptr(png));
  if (size > reader->bytes.size()) png_error(png, "file ends early");
  std::memcpy(out, reader->bytes.data(), size);
  reader->bytes.remove_prefix(size);
}

void allocate(PngReader& r) {
  const size_t stride = png_get_rowbytes(r.png, r.info);
  r.image.width = png_get_image_width(r.png, r.info);
  r.image.height = png_get_image_height(r.png, r.info);
  r.image.channels = png_get_channels(r.png, r.info);
  r.image.pixels.resize(stride * r.image.height);
  r.rows.resize(r.image.height);
  for (size_t y = 0; y < r.rows.size(); ++y)
    r.rows[y] = r.image.pixels.data() + y * stride;
}

bool read_head(PngReader& r) {
  if (setjmp(png_jmpbuf(r.png))) return false;
  png_set_read_fn(r.png, &r, png_take);
  png_set_user_limits(r.png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  png_read_info(r.png, r.info);
  return true;
}

bool decode(PngReader& r) {
  if (setjmp(png_jmpbuf(r.png))) return false;
  png_set_expand(r.png);
  png_set_interlace_handling(r.png);
  png_read_update_info(r.png, r.info);
  allocate(r);
  png_read_image(r.png, r.rows.data());
  png_read_end(r.png, r.info);
  return true;
}

// Samples of 16 bits, high byte first, to 8. Where no colour reaches a
// sixteenth of the range, they are of 8, 10 or 12 bits, as cameras and scanners
// store them.
void narrow(Image& image) {
  const bool opacity = image.channels % 2 == 0;
  const size_t count = image.pixels.size() / 2;
  const auto is_opacity = [&](size_t i) {
    return opacity && i % image.channels == image.channels - 1;
  };
  const auto sample = [&](size_t i) {
    return uint32_t{image.pixels[2 * i]} << 8 | image.pixels[2 * i + 1];
  };
  uint32_t most = 0;
  for (size_t i = 0; i < count; ++i)
    if (!is_opacity(i)) most = std::max(most, sample(i));
  uint32_t full = 65535;
  for (const uint32_t bits : {12, 10, 8})
    if (most < 1u << bits) full = (1u << bits) - 1;
  for (size_t i = 0; i < count; ++i) {
    const uint32_t of = is_opacity(i) ? 65535 : full;
    image.pixels[i] = static_cast<uint8_t>((sample(i) * 255 + of / 2) / of);
  }
  image.pixels.resize(count);
}

int orientation(PngReader& r) {
#ifdef PNG_eXIf_SUPPORTED
  png_uint_32 size = 0;
  png_bytep exif = nullptr;
  if (png_get_eXIf_1(r.png, r.info, &size, &exif) && exif)
    return exif_orientation({reinterpret_cast<const char*>(exif), size});
#endif
  return 1;
}

// Drops the last channel, opacity, of what then lies over white.
void flatten(Image& image) {
  const size_t with = image.channels, without = with - 1;
  const size_t count = image.pixels.size() / with;
  for (size_t i = 0; i < count; ++i) {
    const uint8_t* from = image.pixels.data() + i * with;
    const unsigned opacity = from[without];
    for (size_t k = 0; k < without; ++k)
      image.pixels[i * without + k] = static_cast<uint8_t>(
          (from[k] * opacity + 255 * (255 - opacity) + 127) / 255);
  }
  image.pixels.resize(count * without);
  image.channels = static_cast<uint32_t>(without);
}

Image decode_png(std::string_view bytes, const std::string& name) {
  PngReader r;
  r.bytes = bytes;
  r.png =
      png_create_read_struct(PNG_LIBPNG_VER_STRING, &r, png_fail, png_ignore);
  r.info = r.png ? png_create_info_struct(r.png) : nullptr;
  if (!r.info) throw DataError(concat(name, ": libpng cannot start"));
  const auto check = [&](bool done) {
    if (!done) throw DataError(concat(name, ": unreadable PNG: ", r.error));
  };
  check(read_head(r));
  check_size(png_get_image_width(r.png, r.info),
             png_get_image_height(r.png, r.info), name);
  check(decode(r));
  if (png_get_bit_depth(r.png, r.info) == 16) narrow(r.image);
  if (r.image.channels % 2 == 0) flatten(r.image);
  return upright(std::move(r.image), orientation(r));
}

struct JpegReader {
  jpeg_decompress_struct jpeg{};
  jpeg_error_mgr errors{};
  std::jmp_buf back{};
  char error[JMSG_LENGTH_MAX] = "";
  Image image;

  ~JpegReader() { jpeg_destroy_decompress(&jpeg); }
};

void jpeg_fail(j_common_ptr info) {
  auto* reader = static_cast<JpegReader*>(info->client_data);
  info->err->format_message(info, reader->error);
  std::longjmp(reader->back, 1);
}

// Warnings are harmless but for one: an image that stops halfway would be
// filled up with grey.
void jpeg_warn(j_common_ptr info, int level) {
  if (level < 0 && info->err->msg_code == JWRN_JPEG_EOF) jpeg_fail(info);
}

void allocate(JpegReader& r) {
  r.image.width = r.jpeg.output_width;
  r.image.height = r.jpeg.output_height;
  r.image.channels = static_cast<uint32_t>(r.jpeg.output_components);
  r.image.pixels.resize(size_t{r.image.width} * r.image.height *
                        r.image.channels);
}

constexpr int kExifMarker = JPEG_APP0 + 1;

bool read_head(JpegReader& r, std::string_view bytes) {
  if (setjmp(r.back)) return false;
  jpeg_create_decompress(&r.jpeg);
  jpeg_mem_src(&r.jpeg, reinterpret_cast<const unsigned char*>(bytes.data()),
               bytes.size());
  jpeg_save_markers(&r.jpeg, kExifMarker, 0xFFFF);
  jpeg_read_header(&r.jpeg, TRUE);
  return true;
}

bool decode(JpegReader& r) {
  if (setjmp(r.back)) return false;
  const int components = r.jpeg.num_components;
  r.jpeg.out_color_space = components == 1   ? JCS_GRAYSCALE
                           : components == 4 ? JCS_CMYK
                                             : JCS_RGB;
  jpeg_start_decompress(&r.jpeg);
  allocate(r);
  while (r.jpeg.output_scanline < r.jpeg.output_height) {
    JSAMPROW row = r.image.pixels.data() + size_t{r.jpeg.output_scanline} *
                                               r.image.width * r.image.channels;
    jpeg_read_scanlines(&r.jpeg, &row, 1);
  }
  jpeg_finish_decompress(&r.jpeg);
  return true;
}

// Four printing inks to RGB. Adobe's programs store how much light is left
// rather than how much ink there is.
void print_colours(Image& image, bool light) {
  const size_t count = image.pixels.size() / 4;
  const auto left = [&](size_t i) {
    return light ? image.pixels[i] : 255u - image.pixels[i];
  };
  for (size_t i = 0; i < count; ++i) {
    const unsigned black = left(4 * i + 3);
    for (size_t c = 0; c < 3; ++c)
      image.pixels[3 * i + c] =
          static_cast<uint8_t>((left(4 * i + c) * black + 127) / 255);
  }
  image.pixels.resize(3 * count);
  image.channels = 3;
}

int orientation(const JpegReader& r) {
  constexpr std::string_view kHead("Exif\0\0", 6);
  for (auto* m = r.jpeg.marker_list; m; m = m->next) {
    const std::string_view data(reinterpret_cast<const char*>(m->data),
                                m->data_length);
    if (m->marker == kExifMarker && data.starts_with(kHead))
      return exif_orientation(data.substr(kHead.size()));
  }
  return 1;
}

Image decode_jpeg(std::string_view bytes, const std::string& name) {
  JpegReader r;
  r.jpeg.err = jpeg_std_error(&r.errors);
  r.errors.error_exit = jpeg_fail;
  r.errors.emit_message = jpeg_warn;
  r.jpeg.client_data = &r;
  const auto check = [&](bool done) {
    if (!done) throw DataError(concat(name, ": unreadable JPEG: ", r.error));
  };
  check(read_head(r, bytes));
  check_size(r.jpeg.image_width, r.jpeg.image_height, name);
  const int stored = orientation(r);  // until its end libjpeg keeps markers
  check(decode(r));
  if (r.image.channels == 4) print_colours(r.image, r.jpeg.saw_Adobe_marker);
  return upright(std::move(r.image), stored);
}

}  // namespace

Image decode_image(std::string_view bytes, const std::string& name) {
  if (bytes.empty()) throw DataError(concat(name, ": empty file"));
  if (bytes.starts_with("\x89PNG")) return decode_png(bytes, name);
  if (bytes.starts_with("\xFF\xD8")) return decode_jpeg(bytes, name);
  throw DataError(concat(name, ": neither PNG nor JPEG"));
}

namespace {

struct PngWriter {
  std::string bytes, error;
  std::vector<png_const_bytep> rows;
  png_structp png = nullptr;
  png_infop info = nullptr;

  ~PngWriter() { png_destroy_write_struct(&png, &info); }
};

void png_write_fail(png_structp png, png_const_charp message) {
  static_cast<PngWriter*>(png_get_error_ptr(png))->error = message;
  png_longjmp(png, 1);
}

void png_put(png_structp png, png_bytep bytes, size_t size) {
  static_cast<PngWriter*>(png_get_io_ptr(png))
      ->bytes.append(reinterpret_cast<const char*>(bytes), size);
}

bool encode(PngWriter& w, const Image& image) {
  if (setjmp(png_jmpbuf(w.png))) return false;
  png_set_write_fn(w.png, &w, png_put, nullptr);
  png_set_IHDR(w.png, w.info, image.width, image.height, 8,
               image.channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY,
               PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  png_write_info(w.png, w.info);
  png_write_image(w.png, const_cast<png_bytepp>(w.rows.data()));
  png_write_end(w.png, nullptr);
  return true;
}

}  // namespace

std::string encode_png(const Image& image) {
  PngWriter w;
  for (uint32_t y = 0; y < image.height; ++y)
    w.rows.push_back(image.pixels.data() +
                     size_t{y} * image.width * image.channels);
  w.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &w, png_write_fail,
                                  png_ignore);
  w.info = w.png ? png_create_info_struct(w.png) : nullptr;
  if (!w.info) throw Error("libpng cannot start");
  if (!encode(w, image)) throw Error("libpng cannot write: " + w.error);
  return std::move(w.bytes);
}

Image to_channels(Image image, uint32_t channels) {
  if (image.channels == channels) return image;
  Image out{image.width, image.height, channels, {}};
  const size_t n = size_t{image.width} * image.height;
  out.pixels.resize(n * channels);
  const uint8_t* in = image.pixels.data();
  for (size_t i = 0; i < n; ++i) {
    if (channels == 1)
      out.pixels[i] =
          static_cast<uint8_t>((in[3 * i] * 19595u + in[3 * i + 1] * 38470u +
                                in[3 * i + 2] * 7471u + 0x8000u) >>
                               16);
    else
      std::fill_n(&out.pixels[3 * i], 3, in[i]);
  }
  return out;
}

std::vector<uint8_t> planes(const Image& image) {
  const size_t n = size_t{image.width} * image.height, c = image.channels;
  std::vector<uint8_t> out(n * c);
  for (size_t i = 0; i < n; ++i)
    for (size_t k = 0; k < c; ++k) out[k * n + i] = image.pixels[i * c + k];
  return out;
}

}  // namespace protean
