#include "models/norm_layer.h"

#include "protean/core/error.h"

namespace protean {

NormLayer::NormLayer(ParameterSpace& space, const std::string& name,
                     int64_t channels, const ModelOptions& o, size_t layer)
    : has_scale_(o.norm_scale), eps_(o.norm_eps), layer_(layer) {
  if (!(eps_ > 0))
    throw ConfigError(
        concat("model.norm_eps = ", eps_, "; expected a value above 0"));
  if (has_scale_) space.add(name + ".scale", {channels});
  shift_ = space.add(name + ".shift", {channels});
}

at::Tensor NormLayer::operator()(const Params& p, const at::Tensor& h,
                                 ops::Pool pool, Norm& norm) const {
  const at::Tensor scale = has_scale_ ? p[shift_ - 1] : at::Tensor();
  const auto& shift = p[shift_];
  if (norm.mode == Norm::Mode::given) {
    const auto& m = norm.moments.at(layer_);
    return ops::norm_relu_pool_given(h, m.mean, m.variance, scale, shift, eps_,
                                     pool);
  }
  auto out = ops::norm_relu_pool(h, scale, shift, eps_, pool);
  if (norm.record) norm.moments.push_back({out.mean, out.variance});
  return out.y;
}

}  // namespace protean
