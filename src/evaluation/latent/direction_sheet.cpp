#include "evaluation/latent/direction_sheet.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "protean/core/error.h"
#include "protean/generative/class_direction.h"

namespace protean {
namespace {

constexpr int64_t kRows = 8, kStrengths = 7, kImages = 100, kSupport = 5;
// The image, nothing, the strengths, nothing, an image of the other class.
constexpr int64_t kColumns = 1 + 1 + kStrengths + 1 + 1;

// What there is, beginning with the names that are most like the wanted one.
std::string listed(std::vector<std::string> names, const std::string& wanted) {
  constexpr size_t kMost = 20;
  const auto alike = [&](const std::string& name) {
    return std::ranges::mismatch(name, wanted).in1 - name.begin();
  };
  std::ranges::stable_sort(names, std::greater(), alike);
  std::string out;
  for (size_t i = 0; i < std::min(kMost, names.size()); ++i)
    out += (i ? ", " : "") + names[i];
  if (names.size() > kMost)
    out += concat(" and ", names.size() - kMost, " more");
  return out;
}

uint32_t class_named(const LatentRun& run, const std::string& name,
                     const char* flag) {
  std::vector<std::string> names;
  for (uint32_t cls : run.classes) {
    names.push_back(run.data->class_name(cls));
    if (names.back() == name) return cls;
  }
  throw ConfigError(concat(
      flag, " ", name,
      "; expected a class of eval.stream: ", listed(std::move(names), name)));
}

std::vector<double> strengths(double low, double high) {
  std::vector<double> out;
  for (int64_t i = 0; i < kStrengths; ++i)
    out.push_back(low + (high - low) * static_cast<double>(i) /
                            static_cast<double>(kStrengths - 1));
  return out;
}

std::string draw(const LatentRun& run, const at::Tensor& from,
                 const at::Tensor& moved, const at::Tensor& to) {
  const int64_t rows = std::min(kRows, from.size(1));
  ImageSheet sheet(run.format(), rows, kColumns);
  for (int64_t r = 0; r < rows; ++r) {
    place_row(sheet, r, 0, from.narrow(1, r, 1));
    place_row(sheet, r, 2, moved.narrow(0, r, 1));
    if (r < to.size(1)) place_row(sheet, r, kColumns - 1, to.narrow(1, r, 1));
  }
  return sheet.png();
}

}  // namespace

DirectionSheet direction_sheet(const LatentRun& run,
                               const DirectionOptions& o) {
  const uint32_t from = class_named(run, o.from, "--from");
  const uint32_t to = class_named(run, o.to, "--to");
  if (from == to)
    throw ConfigError(
        concat("--to ", o.to, "; expected another class than --from"));
  const auto images = [&](uint32_t cls) {
    return class_images(*run.data, cls, 0,
                        std::min<int64_t>(kImages, run.data->size(cls)));
  };
  const auto x = images(from), y = images(to);
  const auto values = strengths(o.low, o.high);
  const auto d = class_direction(*run.learner, run.known(from, kSupport).phi, x,
                                 y, values);
  return {draw(run, x, d.images, y),
          {{"from", o.from},
           {"to", o.to},
           {"strengths", values},
           {"nearer_to", d.nearer_to},
           {"length", d.length}}};
}

}  // namespace protean
