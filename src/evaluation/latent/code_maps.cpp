#include "evaluation/latent/code_maps.h"

#include <ATen/ATen.h>

#include "protean/core/error.h"
#include "protean/generative/analysis/scatter.h"
#include "protean/generative/analysis/tsne.h"

namespace protean {
namespace {

constexpr int64_t kPoints = 1000, kPictures = 10;
constexpr double kPerplexity = 30;

// One image as a PNG file.
std::string picture(const ImageFormat& format, const at::Tensor& image) {
  ImageSheet sheet(format, 1, 1, /*gap=*/0);
  place_row(sheet, 0, 0,
            image.view({1, 1, image.size(0), image.size(1), image.size(2)}));
  return sheet.png();
}

struct Points {
  std::vector<at::Tensor> codes;
  std::vector<int64_t> labels;
  std::vector<std::string> names;
  std::vector<std::string> pictures;  // "" past the first of a class
};

Points points_of(const LatentRun& run, const std::vector<at::Tensor>& codes,
                 const std::vector<uint32_t>& shown) {
  Points p;
  const auto most =
      std::max<int64_t>(1, kPoints / static_cast<int64_t>(shown.size()));
  for (uint32_t c : shown) {
    const auto count = std::min(most, codes[c].size(0));
    const auto drawn = std::min(kPictures, count);
    const auto x = class_images(*run.data, run.classes[c], 0, drawn);
    p.codes.push_back(codes[c].narrow(0, 0, count));
    p.labels.insert(p.labels.end(), static_cast<size_t>(count),
                    static_cast<int64_t>(p.names.size()));
    for (int64_t i = 0; i < count; ++i)
      p.pictures.push_back(i < drawn ? picture(run.format(), x[0][i]) : "");
    p.names.push_back(run.data->class_name(run.classes[c]));
  }
  return p;
}

}  // namespace

CodeMaps code_maps(const LatentRun& run, const std::vector<at::Tensor>& codes,
                   const std::vector<uint32_t>& shown) {
  const auto p = points_of(run, codes, shown);
  const auto x = at::cat(p.codes);
  const auto labels = at::tensor(p.labels, at::kLong);
  const auto draw = [&](const at::Tensor& at, const std::string& title) {
    return scatter_svg(at, labels, p.names, title, p.pictures);
  };
  CodeMaps maps;
  maps.points = x.size(0);
  const auto plane = principal_plane(x);
  maps.plane_variance = plane.explained;
  maps.principal = draw(plane.points, "Codes of single images, principal axes");
  TsneOptions o;
  // A third of the points at most: neighbours, not all.
  o.perplexity =
      std::clamp(static_cast<double>(maps.points - 1) / 3, 1.0, kPerplexity);
  o.seed = run.seed;
  maps.perplexity = o.perplexity;
  maps.neighbours = draw(
      tsne(x, o),
      concat("Codes of single images, t-SNE of perplexity ", o.perplexity));
  return maps;
}

}  // namespace protean
