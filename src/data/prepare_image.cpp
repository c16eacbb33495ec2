#include "protean/data/prepare_image.h"

#include <algorithm>

#include "protean/core/error.h"
#include "protean/core/log.h"

namespace protean {
namespace {

constexpr uint32_t kOmniglotSide = 105;

bool has_size(const Image& image, int64_t height, int64_t width) {
  return image.height == height && image.width == width;
}

// Ink, 1 on 0, of a drawing of any size.
void add_ink(const Image& small, bool dark, std::vector<float>& out) {
  const auto [low, high] =
      std::minmax_element(small.pixels.begin(), small.pixels.end());
  const bool blank = nearly_constant(small) && *high - *low < 2;
  for (const uint8_t v : planes(small)) {
    const bool is_dark = 2 * v < *low + *high;
    out.push_back(!blank && is_dark == dark ? 1.0f : 0.0f);
  }
}

}  // namespace

void prepare(const Image& image, const ImagePreparation& how,
             std::vector<float>& out) {
  Image own = to_channels(image, static_cast<uint32_t>(how.shape.at(0)));
  const auto side = static_cast<uint32_t>(how.shape.at(1));
  const bool same = has_size(own, how.shape.at(1), how.shape.at(2));
  if (how.ink && !same && !has_size(own, kOmniglotSide, kOmniglotSide)) {
    if (how.crop_to_ink) own = crop_to_ink(own, how.invert);
    return add_ink(fit_square(own, side, Filter::area, how.fit), how.invert,
                   out);
  }
  if (!same)
    own =
        fit_square(own, side, how.ink ? Filter::nearest : how.filter, how.fit);
  for (const uint8_t v : planes(own)) {
    const float value = static_cast<float>(v) / 255.f;
    out.push_back(how.invert ? 1 - value : value);
  }
}

std::vector<std::string> blank_ones(const std::vector<std::string>& names,
                                    const std::vector<float>& values) {
  constexpr float kLeast = 8.f / 255;
  std::vector<std::string> blank;
  if (names.empty()) return blank;
  const auto size = static_cast<std::ptrdiff_t>(values.size() / names.size());
  auto begin = values.begin();
  for (const auto& name : names) {
    const auto [low, high] = std::minmax_element(begin, begin + size);
    if (*high - *low < kLeast) blank.push_back(name);
    begin += size;
  }
  return blank;
}

void check_blank(const std::string& what, const std::vector<std::string>& names,
                 const std::vector<float>& values) {
  constexpr size_t kNamed = 3;
  const auto blank = blank_ones(names, values);
  if (blank.empty()) return;
  std::string some;
  for (size_t i = 0; i < std::min(kNamed, blank.size()); ++i)
    some += concat(i ? ", " : "", blank[i]);
  const auto text =
      concat(what, ": ", blank.size(), " of ", names.size(),
             " images are of one colour once they are read: ", some,
             blank.size() > kNamed ? ", ..." : "");
  if (blank.size() == names.size())
    throw DataError(text + "; expected something to see");
  log_shared_warning(text);
}

}  // namespace protean
