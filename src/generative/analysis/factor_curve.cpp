#include "protean/generative/analysis/factor_curve.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "protean/core/philox.h"
#include "protean/generative/analysis/quality.h"
#include "protean/generative/known_class.h"
#include "protean/generative/latent_space.h"

namespace protean {
namespace {

constexpr int64_t kSupport = 5, kNeighbours = 5;
// Slots of Purpose::latent: where the latent path begins and ends.
constexpr uint32_t kBegin = 2, kEnd = 3;

// Which images of a class are what: support, then A, then B.
struct Parts {
  Parts(int64_t size, int64_t most)
      : support(std::min(kSupport, size / 3)),
        each(std::min((size - support) / 2, most)) {}
  int64_t support, each;
};

// Features of images by class: one set that is compared with A.
using Features = std::vector<at::Tensor>;

FactorQuality compare(const Features& set, const Features& reference,
                      bool moves) {
  const auto classes = static_cast<int64_t>(set.size());
  const auto a = at::cat(reference), b = at::cat(set);
  std::vector<at::Tensor> means;
  for (const auto& rows : reference) means.push_back(rows.mean(0));
  const auto centres = at::stack(means);
  double from = 0, to = 0;
  for (int64_t i = 0; i < classes; ++i) {
    const auto nearest =
        at::cdist(set[static_cast<size_t>(i)], centres).argmin(1);
    const auto count = [&](int64_t cls) {
      return nearest.eq(cls).sum().item<double>() /
             static_cast<double>(b.size(0));
    };
    from += count(i);
    to += moves ? count((i + 1) % classes) : 0;
  }
  return {frechet_distance(a, b), manifold(a, b, kNeighbours).precision, from,
          to};
}

// Makes the images of both paths, class by class.
class Paths {
 public:
  Paths(const GenerativeLearner& g, const FeatureFunction& features,
        const at::Tensor& factors, uint64_t seed)
      : g_(g),
        features_(features),
        factors_(factors.view({1, -1, 1, 1})),
        seed_(seed),
        code(static_cast<size_t>(factors.numel())),
        latent(code.size()) {}

  // n images at each factor.
  void add(const KnownClass& from, const KnownClass& to, int64_t n) {
    const auto begin = from.noise(n, g_.latent_size(), kBegin, seed_);
    const auto end = from.noise(n, g_.latent_size(), kEnd, seed_);
    const auto here = from.code.unsqueeze(1), there = to.code.unsqueeze(1);
    make(from.phi, here + factors_ * (there - here), begin.unsqueeze(1), n,
         code);
    make(from.phi, here, slerp(begin.unsqueeze(1), end.unsqueeze(1), factors_),
         n, latent);
  }

 private:
  // codes (1, F or 1, 1, c), noise (1, F or 1, n, z)
  void make(const Phi& phi, const at::Tensor& codes, const at::Tensor& noise,
            int64_t n, std::vector<Features>& out) const {
    for (size_t f = 0; f < out.size(); ++f) {
      const auto of = [&](const at::Tensor& t) {
        const int64_t i = t.size(1) > 1 ? static_cast<int64_t>(f) : 0;
        return t.select(1, i).expand({1, n, -1});
      };
      out[f].push_back(features_(g_.decode(phi, of(codes), of(noise))[0]));
    }
  }

  const GenerativeLearner& g_;
  const FeatureFunction& features_;
  at::Tensor factors_;  // (1, F, 1, 1)
  uint64_t seed_;

 public:
  std::vector<Features> code, latent;  // of each factor
};

std::vector<uint32_t> chosen(const GenerativeLearner& g,
                             const ClassDataset& data,
                             const std::vector<uint32_t>& classes,
                             const FactorCurveOptions& o) {
  std::vector<uint32_t> large, out;
  for (uint32_t cls : classes)
    if (data.size(cls) >= 3 &&
        Parts(data.size(cls), 1).support >= g.least_support())
      large.push_back(cls);
  const auto count = std::min(large.size(), static_cast<size_t>(o.images));
  for (uint32_t i : Draws(o.seed, {Stream::generator, 2, 0}, Purpose::classes)
                        .sample(large.size(), count))
    out.push_back(large[i]);
  return out;
}

}  // namespace

FactorCurve factor_curve(const GenerativeLearner& g, const MetaView& meta,
                         const ClassDataset& data,
                         const std::vector<uint32_t>& all,
                         const FeatureFunction& features,
                         const FactorCurveOptions& o) {
  at::NoGradGuard no_grad;
  const auto classes = chosen(g, data, all, o);
  FactorCurve curve;
  curve.classes = static_cast<int64_t>(classes.size());
  const auto parts = [&](uint32_t cls) {
    return Parts(data.size(cls),
                 std::max<int64_t>(1, o.images / curve.classes));
  };
  for (uint32_t cls : classes) curve.images += parts(cls).each;
  if (curve.classes < 2 || curve.images <= kNeighbours) return curve;

  const auto known = [&](uint32_t cls) {
    return known_class(g, meta, class_images(data, cls, 0, parts(cls).support),
                       cls);
  };
  const auto factors = at::linspace(o.low, o.high, o.factors, at::kDouble);
  Paths paths(g, features, factors.to(at::kFloat), o.seed);
  Features a, b;
  const auto first = known(classes[0]);
  auto from = first;
  for (size_t i = 0; i < classes.size(); ++i) {
    const auto p = parts(classes[i]);
    const auto real =
        features(class_images(data, classes[i], p.support, 2 * p.each)[0]);
    a.push_back(real.narrow(0, 0, p.each));
    b.push_back(real.narrow(0, p.each, p.each));
    const auto to = i + 1 < classes.size() ? known(classes[i + 1]) : first;
    paths.add(from, to, p.each);
    from = to;
  }
  curve.real = compare(b, a, false);
  for (int64_t f = 0; f < o.factors; ++f) {
    const auto i = static_cast<size_t>(f);
    curve.factors.push_back(factors[f].item<double>());
    curve.code.push_back(compare(paths.code[i], a, true));
    curve.latent.push_back(compare(paths.latent[i], a, false));
  }
  return curve;
}

}  // namespace protean
