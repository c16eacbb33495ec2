#include "protean/data/image_sheet.h"

#include <algorithm>
#include <cmath>

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"
#include "protean/data/image_codec.h"
#include "protean/data/image_files.h"
#include "protean/data/prepare_image.h"

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

}  // namespace

ImageFolder read_images(const fs::path& folder, const ImageFormat& format,
                        const ImageReading& how, Ink ink) {
  ImageFolder out;
  std::vector<Image> images;
  for (const auto& file : images_of(folder)) {
    const std::string name = file.string();
    images.push_back(decode_image(read_file(file), name));
    const auto& image = images.back();
    if (how.same_size && (image.height != format.shape.at(1) ||
                          image.width != format.shape.at(2)))
      throw DataError(concat(name, ": ", image.width, "x", image.height,
                             " pixels; expected ", format.shape[2], "x",
                             format.shape[1], ", or --resize auto"));
    out.names.push_back(file.filename().string());
  }
  std::vector<const Image*> all;
  for (const auto& image : images) all.push_back(&image);
  ImagePreparation own{
      format.shape,   how.filter, how.fit, false, format.ink && how.as_ink,
      how.crop_to_ink};
  own.invert = format.ink && dark_ink(ink, all);
  for (const auto& image : images) prepare(image, own, out.values);
  if (format.ink)
    for (float& v : out.values) v = v > 0.5f ? 1.0f : 0.0f;
  check_blank(folder.string(), out.names, out.values);
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
