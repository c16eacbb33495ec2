#include "protean/models/linear_network.h"

#include "protean/models/ops/ops.h"

namespace protean {

LinearNetwork::LinearNetwork(int64_t features, int64_t outputs) {
  space_.add("head.weight", {outputs, features});
  space_.add("head.bias", {outputs});
}

std::vector<int64_t> LinearNetwork::feature_shape() const {
  return {space_.parameters()[0].shape[1]};
}

at::Tensor LinearNetwork::body(const Params&, const NetInput& in, Norm&) const {
  return in.x;
}

at::Tensor LinearNetwork::head(const Params& p,
                               const at::Tensor& features) const {
  return ops::linear(features, p[0], p[1]);
}

}  // namespace protean
