#include "protean/models/norm_layer.h"

#include <ATen/ATen.h>

#include "protean/core/error.h"

namespace protean {
namespace {

// (T or 1, C) -> (1, T or 1, C, 1, 1); (n, T, C) -> (n, T, C, 1, 1).
at::Tensor per_channel(const at::Tensor& p) {
  const auto q = p.dim() == 2 ? p.unsqueeze(0) : p;
  return q.unsqueeze(-1).unsqueeze(-1);
}

// How many images of weight there are, (1 or T, 1).
at::Tensor images_of(const at::Tensor& h, const at::Tensor& weight) {
  return weight.defined() ? weight.to(h.scalar_type()).sum(1, true)
                          : at::full({1, 1}, h.size(0), h.options());
}

// Moments over a task's images and pixels, (T, C).
Moments batch_moments(const at::Tensor& h, const at::Tensor& weight) {
  const auto images = images_of(h, weight);
  const int64_t places = h.size(3) * h.size(4);
  if (!weight.defined()) {
    const auto mean = h.mean({0, 3, 4});
    return {mean, (h - per_channel(mean)).square().mean({0, 3, 4}), images,
            places};
  }
  auto share = weight.to(h.scalar_type());
  share = share / (share.sum(1, true) * places);
  share = per_channel(share.t().unsqueeze(-1));
  const auto mean = (h * share).sum({0, 3, 4});
  return {mean, ((h - per_channel(mean)).square() * share).sum({0, 3, 4}),
          images, places};
}

}  // namespace

NormKind norm_kind(const ModelOptions& o) {
  if (o.norm == "batch") return NormKind::batch;
  if (o.norm == "layer") return NormKind::layer;
  if (o.norm == "instance") return NormKind::instance;
  if (o.norm == "task") return NormKind::task;
  if (o.norm == "none") return NormKind::none;
  throw ConfigError(concat("model.norm = \"", o.norm,
                           "\"; expected one of: batch, layer, instance, task, "
                           "none"));
}

NormLayer::NormLayer(ParameterSpace& space, const std::string& name,
                     int64_t channels, const ModelOptions& o, size_t layer)
    : kind_(norm_kind(o)),
      has_scale_(o.norm_scale),
      eps_(o.norm_eps),
      layer_(layer) {
  if (!(eps_ > 0))
    throw ConfigError(
        concat("model.norm_eps = ", eps_, "; expected a value above 0"));
  if (has_scale_)
    space.add(name + ".scale", {channels}, {Start::Rule::one}, kNorm);
  shift_ = space.add(name + ".shift", {channels}, {}, kNorm);
  if (kind_ == NormKind::task) space.add(name + ".blend", {2}, {}, kNorm);
}

NormLayer::Affine NormLayer::affine(const Params& p, const Film& film) const {
  Affine own{has_scale_ ? p[shift_ - 1] : at::Tensor(), p[shift_]};
  if (!film.scale.defined()) return own;
  return {own.scale.defined() ? own.scale * film.scale : film.scale,
          own.shift * film.scale + film.shift};
}

at::Tensor NormLayer::operator()(const Params& p, const at::Tensor& h,
                                 ops::Pool pool, Norm& norm,
                                 const at::Tensor& weight,
                                 const Film& film) const {
  const auto a = affine(p, film);
  const bool given = norm.mode == Norm::Mode::given;
  if (kind_ == NormKind::batch && given) {
    const auto& m = norm.moments.at(layer_);
    return ops::norm_relu_pool_given(h, m.mean, m.variance, a.scale, a.shift,
                                     eps_, pool);
  }
  if (kind_ == NormKind::batch) {
    auto out = ops::norm_relu_pool(h, a.scale, a.shift, eps_, pool, weight);
    if (norm.record)
      norm.moments.push_back({out.mean, out.variance, images_of(h, weight),
                              h.size(3) * h.size(4)});
    return out.y;
  }
  const auto zero = at::zeros({1, h.size(2)}, h.options());
  return ops::norm_relu_pool_given(standardised(p, h, norm, weight), zero,
                                   zero + 1, a.scale, a.shift, 0, pool);
}

at::Tensor NormLayer::linear(const Params& p, const at::Tensor& h, Norm& norm,
                             const at::Tensor& weight, const Film& film) const {
  const auto a = affine(p, film);
  auto y = standardised(p, h, norm, weight);
  if (a.scale.defined()) y = y * per_channel(a.scale);
  return y + per_channel(a.shift);
}

at::Tensor NormLayer::standardised(const Params& p, const at::Tensor& h,
                                   Norm& norm, const at::Tensor& weight) const {
  if (kind_ == NormKind::none) return h;
  const auto scaled = [&](const at::Tensor& mean, const at::Tensor& variance) {
    return (h - mean) * (variance + eps_).rsqrt();
  };
  if (kind_ == NormKind::layer || kind_ == NormKind::instance) {
    const auto over = kind_ == NormKind::layer ? std::vector<int64_t>{2, 3, 4}
                                               : std::vector<int64_t>{3, 4};
    const auto mean = h.mean(over, true);
    return scaled(mean, (h - mean).square().mean(over, true));
  }
  Moments batch;
  if (norm.mode == Norm::Mode::given) {
    batch = norm.moments.at(layer_);
  } else {
    batch = batch_moments(h, weight);
    if (norm.record) norm.moments.push_back(batch);
  }
  if (kind_ == NormKind::batch)
    return scaled(per_channel(batch.mean), per_channel(batch.variance));
  const auto& blend = p[shift_ + 1];  // (T or 1, 2)
  const auto alpha =
      (blend.narrow(1, 0, 1) * batch.images + blend.narrow(1, 1, 1)).sigmoid();
  const auto mean = h.mean({3, 4});  // (n, T, C)
  const auto variance = (h - per_channel(mean)).square().mean({3, 4});
  const auto middle = alpha * batch.mean + (1 - alpha) * mean;
  const auto spread =
      alpha * (batch.variance + (batch.mean - middle).square()) +
      (1 - alpha) * (variance + (mean - middle).square());
  return scaled(per_channel(middle), per_channel(spread));
}

at::Tensor relu_pool(const at::Tensor& h, ops::Pool pool) {
  if (pool == ops::Pool::none) return h.relu();
  return at::max_pool2d(h.relu().flatten(0, 1), {2, 2}, {2, 2})
      .unflatten(0, {h.size(0), h.size(1)});
}

}  // namespace protean
