#include "protean/data/image_sheet.h"

#include <algorithm>
#include <cmath>

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"
#include "protean/data/image_codec.h"
#include "protean/data/image_files.h"

namespace protean {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> images_of(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> files;
  for (fs::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error))
    if (is_image_name(it->path().string()) && it->is_regular_file(error))
      files.push_back(it->path());
  if (error)
    throw ConfigError(concat(folder.string(), ": cannot be listed: ",
                             error.message(), "; expected a folder of images"));
  if (files.empty())
    throw ConfigError(concat(folder.string(),
                             ": holds no PNG or JPEG file; expected at least "
                             "one image"));
  std::sort(files.begin(), files.end());
  return files;
}

bool all_grey(const Image& image) {
  for (size_t i = 0; i < image.pixels.size(); i += 3)
    if (image.pixels[i] != image.pixels[i + 1] ||
        image.pixels[i] != image.pixels[i + 2])
      return false;
  return true;
}

// dark: ink is what is dark.
void append(const Image& image, const ImageFormat& format, bool dark,
            std::vector<float>& values) {
  const size_t pixels = size_t{image.width} * image.height, c = image.channels;
  for (size_t k = 0; k < c; ++k)
    for (size_t i = 0; i < pixels; ++i) {
      const uint8_t p = image.pixels[i * c + k];
      values.push_back(format.ink ? static_cast<float>((p < 128) == dark)
                                  : static_cast<float>(p) / 255);
    }
}

}  // namespace

ImageFolder read_images(const fs::path& folder, const ImageFormat& format,
                        const std::string& resize_by, Ink ink) {
  const auto height = static_cast<uint32_t>(format.shape.at(1));
  const auto width = static_cast<uint32_t>(format.shape.at(2));
  const auto channels = static_cast<uint32_t>(format.shape.at(0));
  if (resize_by != "none") parse_filter(resize_by, "--resize");
  ImageFolder out;
  std::vector<Image> images;
  for (const auto& file : images_of(folder)) {
    const std::string name = file.string();
    Image image = decode_image(read_file(file), name);
    if (image.channels == 3 && channels == 1 && all_grey(image))
      image = to_channels(image, 1);
    if (image.channels != channels)
      throw DataError(concat(name, ": ", image.channels == 3 ? "RGB" : "grey",
                             "; expected ", channels == 3 ? "RGB" : "grey",
                             ", as the model was trained on"));
    if (resize_by != "none" && width == height)
      image = resize(image, width, parse_filter(resize_by, "--resize"));
    if (image.width != width || image.height != height)
      throw DataError(concat(name, ": ", image.width, "x", image.height,
                             " pixels; expected ", width, "x", height,
                             ", or --resize nearest or bilinear"));
    images.push_back(std::move(image));
    out.names.push_back(file.filename().string());
  }
  std::vector<const Image*> all;
  for (const auto& image : images) all.push_back(&image);
  const bool dark = dark_ink(ink, all);
  for (const auto& image : images) append(image, format, dark, out.values);
  return out;
}

ImageSheet::ImageSheet(const ImageFormat& format, int64_t rows, int64_t columns,
                       int64_t gap)
    : format_(format),
      width_(columns * (format.shape.at(2) + gap) + gap),
      height_(rows * (format.shape.at(1) + gap) + gap),
      gap_(gap),
      pixels_(static_cast<size_t>(width_ * height_ * format.shape.at(0)),
              gap > 0 ? 208 : 255) {}

void ImageSheet::place(int64_t row, int64_t column, const float* values) {
  const int64_t channels = format_.shape[0];
  const int64_t height = format_.shape[1], width = format_.shape[2];
  const int64_t top = gap_ + row * (height + gap_);
  const int64_t left = gap_ + column * (width + gap_);
  for (int64_t k = 0; k < channels; ++k)
    for (int64_t y = 0; y < height; ++y)
      for (int64_t x = 0; x < width; ++x) {
        const float v = std::clamp(*values++, 0.0f, 1.0f);
        const float brightness = format_.ink ? 1 - v : v;
        const int64_t at = ((top + y) * width_ + left + x) * channels + k;
        pixels_[static_cast<size_t>(at)] =
            static_cast<uint8_t>(std::lround(255 * brightness));
      }
}

std::string ImageSheet::png() const {
  return encode_png({static_cast<uint32_t>(width_),
                     static_cast<uint32_t>(height_),
                     static_cast<uint32_t>(format_.shape[0]), pixels_});
}

}  // namespace protean
