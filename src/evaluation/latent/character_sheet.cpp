#include "evaluation/latent/character_sheet.h"

#include <ATen/ATen.h>

namespace protean {
namespace {

constexpr int64_t kSupport = 5, kSamples = 8, kSteps = 5;
// Empty columns part the three kinds.
constexpr int64_t kColumns = kSupport + 1 + kSamples + 1 + kSteps;

at::Tensor samples(const LatentRun& run, const KnownClass& cls) {
  const auto& g = *run.learner;
  const auto noise = [&](int64_t d, uint32_t slot) {
    return cls.noise(kSamples, d, slot, run.seed);
  };
  return g.decode(cls.phi, g.code(cls.phi, noise(g.code_size(), 0)),
                  noise(g.latent_size(), 1));
}

at::Tensor between(const GenerativeLearner& g, const KnownClass& from,
                   const KnownClass& to) {
  const auto share = at::linspace(0, 1, kSteps).view({1, kSteps, 1});
  const auto codes = from.code + share * (to.code - from.code);
  return g.decode(from.phi, codes,
                  at::zeros({1, kSteps, g.latent_size()}, codes.options()));
}

}  // namespace

std::string character_sheet(const LatentRun& run,
                            const std::vector<uint32_t>& shown) {
  const auto rows = static_cast<int64_t>(shown.size());
  ImageSheet sheet(run.format(), rows, kColumns);
  const auto first = run.known(shown[0], kSupport);
  auto cls = first;
  for (int64_t r = 0; r < rows; ++r) {
    const auto next =
        r + 1 < rows ? run.known(shown[static_cast<size_t>(r + 1)], kSupport)
                     : first;
    place_row(sheet, r, 0, cls.support);
    place_row(sheet, r, kSupport + 1, samples(run, cls));
    place_row(sheet, r, kSupport + kSamples + 2,
              between(*run.learner, cls, next));
    cls = next;
  }
  return sheet.png();
}

}  // namespace protean
