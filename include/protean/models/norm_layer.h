// One normalisation layer of an image network, with the scale, shift, ReLU and
// pooling that follow it.
//
//   batch     moments of a task's images (Ioffe and Szegedy 2015)
//   layer     of each image over channels and pixels (Ba et al. 2016)
//   instance  of each image and channel (Ulyanov et al. 2016)
//   task      TaskNorm-I (Bronskill et al. 2020, arXiv:2003.03284): a blend of
//             batch and instance moments, by a learnt function of the number of
//             images that the batch moments are of
//   none      scale and shift alone
#pragma once

#include <string>

#include "protean/models/network.h"
#include "protean/models/ops/ops.h"
#include "protean/models/options.h"

namespace protean {

enum class NormKind { batch, layer, instance, task, none };

// Throws ConfigError on an unknown model.norm.
NormKind norm_kind(const ModelOptions& options);
// Whether moments of a task's images are looked at.
inline bool uses_batch_moments(NormKind kind) {
  return kind == NormKind::batch || kind == NormKind::task;
}

// One scale and shift per task on top of the layer's own, (T, C); undefined:
// none (Perez et al. 2018, arXiv:1709.07871).
struct Film {
  at::Tensor scale, shift;
};

class NormLayer {
 public:
  // Adds NAME.scale (if the options have it), NAME.shift and, for TaskNorm,
  // NAME.blend. layer: its place among the moments of a Norm.
  NormLayer(ParameterSpace& space, const std::string& name, int64_t channels,
            const ModelOptions& options, size_t layer);

  // h: (n, T, C, H, W); weight: of its images, (T, n), or undefined. Records
  // batch moments, or uses given ones.
  at::Tensor operator()(const Params& p, const at::Tensor& h, ops::Pool pool,
                        Norm& norm, const at::Tensor& weight,
                        const Film& film = {}) const;
  // The same without ReLU and pooling, for residual sums.
  at::Tensor linear(const Params& p, const at::Tensor& h, Norm& norm,
                    const at::Tensor& weight, const Film& film = {}) const;

 private:
  struct Affine {
    at::Tensor scale, shift;  // scale may be undefined
  };
  Affine affine(const Params& p, const Film& film) const;
  // h of mean 0 and variance 1, as the kind of norm has it.
  at::Tensor standardised(const Params& p, const at::Tensor& h, Norm& norm,
                          const at::Tensor& weight) const;

  NormKind kind_;
  bool has_scale_;
  size_t shift_;
  double eps_;
  size_t layer_;
};

// max(0, h), and pooled: what follows a residual sum. h: (n, T, C, H, W).
at::Tensor relu_pool(const at::Tensor& h, ops::Pool pool);

}  // namespace protean
