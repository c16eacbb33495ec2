#include "protean/data/image_codec.h"

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstring>

#include <jerror.h>
#include <jpeglib.h>
#include <png.h>

#include "protean/core/error.h"

namespace protean {
namespace {

constexpr uint32_t kMaxSide = 1 << 14;

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

bool decode(PngReader& r) {
  if (setjmp(png_jmpbuf(r.png))) return false;
  png_set_read_fn(r.png, &r, png_take);
  png_set_user_limits(r.png, kMaxSide, kMaxSide);
  png_read_info(r.png, r.info);
  png_set_expand(r.png);
  png_set_strip_16(r.png);
  png_set_interlace_handling(r.png);
  png_read_update_info(r.png, r.info);
  allocate(r);
  png_read_image(r.png, r.rows.data());
  png_read_end(r.png, nullptr);
  return true;
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
  if (!decode(r)) throw DataError(concat(name, ": unreadable PNG: ", r.error));
  if (r.image.channels % 2 == 0) flatten(r.image);
  return std::move(r.image);
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

bool decode(JpegReader& r, std::string_view bytes) {
  if (setjmp(r.back)) return false;
  jpeg_create_decompress(&r.jpeg);
  jpeg_mem_src(&r.jpeg, reinterpret_cast<const unsigned char*>(bytes.data()),
               bytes.size());
  jpeg_read_header(&r.jpeg, TRUE);
  r.jpeg.out_color_space = r.jpeg.num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
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

Image decode_jpeg(std::string_view bytes, const std::string& name) {
  JpegReader r;
  r.jpeg.err = jpeg_std_error(&r.errors);
  r.errors.error_exit = jpeg_fail;
  r.errors.emit_message = jpeg_warn;
  r.jpeg.client_data = &r;
  if (!decode(r, bytes))
    throw DataError(concat(name, ": unreadable JPEG: ", r.error));
  return std::move(r.image);
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

Filter parse_filter(const std::string& name, const std::string& key) {
  if (name == "nearest") return Filter::nearest;
  if (name == "bilinear") return Filter::bilinear;
  throw ConfigError(
      concat(key, " = \"", name, "\"; expected one of: nearest, bilinear"));
}

namespace {

Image resize_nearest(const Image& in, uint32_t side) {
  Image out{side, side, in.channels, {}};
  out.pixels.reserve(size_t{side} * side * in.channels);
  auto source = [&](uint32_t i, uint32_t from) {
    return (2 * uint64_t{i} + 1) * from / (2 * side);
  };
  for (uint32_t y = 0; y < side; ++y)
    for (uint32_t x = 0; x < side; ++x) {
      const size_t at =
          (source(y, in.height) * in.width + source(x, in.width)) * in.channels;
      for (uint32_t c = 0; c < in.channels; ++c)
        out.pixels.push_back(in.pixels[at + c]);
    }
  return out;
}

struct Tap {
  uint32_t low, high;
  double weight;  // of high
};

std::vector<Tap> bilinear_taps(uint32_t from, uint32_t side) {
  std::vector<Tap> taps;
  for (uint32_t i = 0; i < side; ++i) {
    const double at =
        std::max(0.0, (i + 0.5) * from / static_cast<double>(side) - 0.5);
    const auto low = std::min(static_cast<uint32_t>(at), from - 1);
    taps.push_back({low, std::min(low + 1, from - 1), at - low});
  }
  return taps;
}

Image resize_bilinear(const Image& in, uint32_t side) {
  Image out{side, side, in.channels, {}};
  out.pixels.reserve(size_t{side} * side * in.channels);
  const auto rows = bilinear_taps(in.height, side);
  const auto columns = bilinear_taps(in.width, side);
  auto pixel = [&](uint32_t y, uint32_t x, uint32_t c) {
    return static_cast<double>(
        in.pixels[(size_t{y} * in.width + x) * in.channels + c]);
  };
  for (const Tap& y : rows)
    for (const Tap& x : columns)
      for (uint32_t c = 0; c < in.channels; ++c) {
        const double top = (1 - x.weight) * pixel(y.low, x.low, c) +
                           x.weight * pixel(y.low, x.high, c);
        const double bottom = (1 - x.weight) * pixel(y.high, x.low, c) +
                              x.weight * pixel(y.high, x.high, c);
        out.pixels.push_back(static_cast<uint8_t>((1 - y.weight) * top +
                                                  y.weight * bottom + 0.5));
      }
  return out;
}

}  // namespace

Image resize(const Image& image, uint32_t side, Filter filter) {
  if (image.width == side && image.height == side) return image;
  return filter == Filter::nearest ? resize_nearest(image, side)
                                   : resize_bilinear(image, side);
}

std::vector<uint8_t> planes(const Image& image) {
  const size_t n = size_t{image.width} * image.height, c = image.channels;
  std::vector<uint8_t> out(n * c);
  for (size_t i = 0; i < n; ++i)
    for (size_t k = 0; k < c; ++k) out[k * n + i] = image.pixels[i * c + k];
  return out;
}

}  // namespace protean
