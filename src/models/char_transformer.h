// A small causal transformer over characters (Vaswani et al. 2017,
// arXiv:1706.03762; norms before each part as in Xiong et al. 2020,
// arXiv:2002.04745): embeddings of character and position, blocks of masked
// self-attention and a two-layer perceptron, a last norm, a linear head.
//
// An example is a row of L character numbers (as floats); features and logits
// have one row per character: (T, n * L, ...). Shorter rows than L are taken
// too. Context values, mapped linearly, are added to every embedding. All is
// made of stock operations, so any order of derivative is exact.
#pragma once

#include "protean/models/network.h"
#include "protean/models/options.h"

namespace protean {

class CharTransformer : public Network {
 public:
  // input: {L}; outputs: size of the vocabulary.
  CharTransformer(const ModelOptions& options,
                  const std::vector<int64_t>& input, int64_t outputs);

  const ParameterSpace& params() const override { return space_; }
  size_t head_begin() const override { return space_.count() - 2; }
  int64_t context_size() const override { return context_; }
  std::vector<int64_t> norm_channels() const override { return {}; }
  std::vector<int64_t> feature_shape() const override { return {width_}; }
  at::Tensor body(const Params& p, const NetInput& in,
                  Norm& norm) const override;
  at::Tensor head(const Params& p, const at::Tensor& features) const override;

 private:
  // Indices of the first parameter of each part.
  struct Block {
    size_t norm1, qkv, out, norm2, up, down;
  };
  size_t add_norm(const std::string& name);
  at::Tensor attention(const Params& p, const Block& b, const at::Tensor& h,
                       int64_t length) const;

  ParameterSpace space_;
  int64_t length_, vocabulary_, width_, heads_, context_;
  size_t embedding_ = 0, position_ = 0, from_context_ = 0, last_norm_ = 0;
  std::vector<Block> blocks_;
};

}  // namespace protean
