// Residual networks of the few-shot papers (He et al. 2016), features by global
// average.
//
// resnet12 (Oreshkin et al. 2018, arXiv:1805.10123): four blocks of three 3x3
// convolutions, 2x2 max-pool after each. resnet18 (Triantafillou et al. 2020,
// arXiv:1903.03096): four stages of two blocks of two 3x3 convolutions, all
// stages but the first of stride 2. Widths are 1, 2, 4 and 8 times
// model.filters. Images of 64 and more pixels a side enter resnet18 by a 7x7
// convolution of stride 2 and a 2x2 max-pool, smaller ones by a 3x3
// convolution. Shortcuts that change shape are 1x1 convolutions with a norm.
// With context values FiLM modulates the last norm of every block.
#pragma once

#include <memory>
#include <optional>

#include "protean/models/norm_layer.h"

#include "models/film_layer.h"

namespace protean {

class ResNet : public Network {
 public:
  ResNet(const ModelOptions& options, const std::vector<int64_t>& input,
         int64_t outputs);

  const ParameterSpace& params() const override { return space_; }
  size_t head_begin() const override { return head_; }
  int64_t context_size() const override { return context_; }
  std::vector<int64_t> norm_channels() const override { return moments_; }
  std::vector<int64_t> feature_shape() const override { return {features_}; }
  at::Tensor body(const Params& p, const NetInput& in,
                  Norm& norm) const override;
  at::Tensor head(const Params& p, const at::Tensor& features) const override;

 private:
  struct Conv {
    size_t weight;
    int64_t stride;
    NormLayer norm;
  };
  struct Block {
    std::vector<Conv> convs;
    std::optional<Conv> shortcut;
    std::optional<FilmLayer> film;
    ops::Pool pool;
  };
  Conv add_conv(const std::string& name, int64_t in, int64_t out,
                int64_t kernel, int64_t stride);
  void add_block(const std::string& name, int64_t& channels, int64_t out,
                 int convs, int64_t stride, ops::Pool pool);

  ModelOptions options_;
  ParameterSpace space_;
  std::optional<Conv> stem_;
  ops::Pool stem_pool_ = ops::Pool::none;
  std::vector<Block> blocks_;
  std::vector<int64_t> moments_;
  size_t head_ = 0;
  int64_t features_ = 0, context_;
};

}  // namespace protean
