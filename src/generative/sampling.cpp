#include "protean/generative/sampling.h"

#include <algorithm>
#include <cstdio>

#include <ATen/ATen.h>

#include "protean/core/error.h"
#include "protean/core/new_folder.h"
#include "protean/core/signals.h"
#include "protean/generative/class_sampler.h"

namespace protean {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kGridColumns = 10, kGridRows = 10;

void check(const GenerativeLearner& learner, int64_t support, int64_t count) {
  if (count < 1 || count > kMostSamples)
    throw ConfigError(
        concat("--count ", count, "; expected 1 to ", kMostSamples));
  need_support(learner, support, "--support");
}

std::string sample_name(int64_t number) {
  char name[32];
  std::snprintf(name, sizeof name, "sample-%06lld.png",
                static_cast<long long>(number));
  return name;
}

}  // namespace

void write_samples(const GenerativeLearner& learner, const MetaView& meta,
                   const ImageFolder& support, const ImageFormat& format,
                   const SamplingOptions& o, const fs::path& out) {
  const auto shots = static_cast<int64_t>(support.names.size());
  check(learner, shots, o.count);
  std::vector<int64_t> shape{shots};
  shape.insert(shape.end(), format.shape.begin(), format.shape.end());
  const auto x = at::tensor(support.values, at::kFloat)
                     .view(shape)
                     .to(meta.theta.device());
  const ClassSampler sampler(learner, meta, x, {Stream::generator, 0, 0},
                             o.seed, o.temperature);

  NewFolder folder(out, "--out");
  const int64_t in_grid = std::min(o.count, kGridRows * kGridColumns);
  const int64_t columns = std::min(kGridColumns, std::max(in_grid, shots));
  ImageSheet grid(format, 1 + (in_grid + columns - 1) / columns, columns);
  const int64_t values = x[0].numel();
  for (int64_t i = 0; i < std::min(shots, columns); ++i)
    grid.place(0, i, support.values.data() + i * values);
  sampler.draw(o.count, [&](int64_t begin, const at::Tensor& made) {
    if (stop_requested())
      throw Error(concat(out.string(), ": stopped by a signal after ", begin,
                         " images; none is kept"));
    const auto images = made.to(at::kCPU).contiguous();
    if (!at::isfinite(images).all().item<bool>())
      throw NumericError(
          "the model's images are not finite: its training diverged; expected "
          "another run, or smaller learner.inner_lr where it makes steps");
    for (int64_t i = 0; i < images.size(0); ++i) {
      const float* image = images.const_data_ptr<float>() + i * values;
      ImageSheet single(format, 1, 1, /*gap=*/0);
      single.place(0, 0, image);
      folder.write(sample_name(begin + i + 1), single.png());
      if (begin + i < in_grid)
        grid.place(1 + (begin + i) / columns, (begin + i) % columns, image);
    }
  });
  folder.write("grid.png", grid.png());
  folder.finish();
}

}  // namespace protean
