#include "models/mlp.h"

#include "protean/core/error.h"
#include "protean/core/lists.h"
#include "protean/models/initialise.h"
#include "protean/models/ops/ops.h"

namespace protean {
namespace {

std::vector<int64_t> parse_widths(const std::string& text) {
  std::vector<int64_t> widths;
  for (const auto& item : comma_separated(text)) {
    size_t used = 0;
    int64_t width = 0;
    try {
      width = std::stoll(item, &used);
    } catch (const std::exception&) {
    }
    if (width < 1 || item.find_first_not_of(' ', used) != std::string::npos)
      throw ConfigError(concat("model.hidden = \"", text,
                               "\"; expected widths such as 40,40"));
    widths.push_back(width);
  }
  if (widths.empty())
    throw ConfigError("model.hidden is empty; expected widths such as 40,40");
  return widths;
}

// The first `count` layers' weights and biases.
void split_layers(const Params& p, size_t begin, size_t end,
                  std::vector<at::Tensor>& weights,
                  std::vector<at::Tensor>& biases) {
  for (size_t i = begin; i < end; i += 2) {
    weights.push_back(p[i]);
    biases.push_back(p[i + 1]);
  }
}

}  // namespace

Mlp::Mlp(const ModelOptions& o, const std::vector<int64_t>& input,
         int64_t outputs)
    : context_(o.context) {
  const InitRules rules(o);
  int64_t width = 1;
  for (int64_t n : input) width *= n;
  width += context_;
  int layer = 1;
  for (int64_t hidden : parse_widths(o.hidden)) {
    add_weight_and_bias(space_, concat("layer", layer), {hidden, width},
                        rules.body);
    width = hidden;
    ++layer;
  }
  add_weight_and_bias(space_, "head", {outputs, width}, rules.head);
}

at::Tensor Mlp::joined(const NetInput& in) const {
  const auto x = in.x.dim() == 3 ? in.x : in.x.flatten(2);
  if (context_ == 0) return x;
  return at::cat({x, in.context.unsqueeze(1).expand({-1, x.size(1), -1})}, 2);
}

at::Tensor Mlp::body(const Params& p, const NetInput& in, Norm&) const {
  std::vector<at::Tensor> weights, biases;
  split_layers(p, 0, head_begin(), weights, biases);
  return ops::relu_mlp(joined(in), weights, biases).relu();
}

at::Tensor Mlp::head(const Params& p, const at::Tensor& features) const {
  return ops::linear(features, p[head_begin()], p[head_begin() + 1]);
}

at::Tensor Mlp::forward(const Params& p, const NetInput& in, Norm&) const {
  std::vector<at::Tensor> weights, biases;
  split_layers(p, 0, space_.count(), weights, biases);
  return ops::relu_mlp(joined(in), weights, biases);
}

at::Tensor Mlp::squared_error(const Params& p, const NetInput& in,
                              const at::Tensor& y) const {
  std::vector<at::Tensor> weights, biases;
  split_layers(p, 0, space_.count(), weights, biases);
  return ops::relu_mlp_squared_error(joined(in), y, in.weight, weights, biases);
}

Params Mlp::descend(const Params& p, const NetInput& in, const at::Tensor& y,
                    double lr) const {
  std::vector<at::Tensor> weights, biases;
  split_layers(p, 0, space_.count(), weights, biases);
  auto stepped =
      ops::relu_mlp_descent(joined(in), y, in.weight, weights, biases, lr);
  Params out;
  for (size_t l = 0; l < weights.size(); ++l) {
    out.push_back(stepped[l]);
    out.push_back(stepped[weights.size() + l]);
  }
  return out;
}

}  // namespace protean
