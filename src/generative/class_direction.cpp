#include "protean/generative/class_direction.h"

#include <ATen/ATen.h>

namespace protean {

ClassDirection class_direction(const GenerativeLearner& g, const Phi& phi,
                               const at::Tensor& from, const at::Tensor& to,
                               const std::vector<double>& strengths) {
  const auto own = g.embed(phi, from);   // (1, n, c)
  const auto start = own.mean(1, true);  // (1, 1, c)
  const auto end = g.embed(phi, to).mean(1, true);
  const auto direction = end - start;
  ClassDirection d;
  d.length = direction.norm().item<double>();
  std::vector<at::Tensor> columns;
  for (double strength : strengths) {
    const auto codes = own + strength * direction;
    columns.push_back(g.decode(
        phi, codes,
        at::zeros({1, own.size(1), g.latent_size()}, codes.options())));
    const auto again = g.embed(phi, columns.back());
    const auto nearer =
        (again - end).norm(2, {-1}) < (again - start).norm(2, {-1});
    d.nearer_to.push_back(nearer.to(at::kDouble).mean().item<double>());
  }
  d.images = at::cat(columns).transpose(0, 1);
  return d;
}

}  // namespace protean
