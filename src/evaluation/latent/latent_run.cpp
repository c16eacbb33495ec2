#include "evaluation/latent/latent_run.h"

#include <ATen/ATen.h>

namespace protean {

std::vector<at::Tensor> LatentRun::codes() const {
  const Phi phi = learner->start(meta);
  std::vector<at::Tensor> out;
  for (uint32_t cls : classes)
    out.push_back(
        learner->embed(phi, class_images(*data, cls, 0, data->size(cls)))[0]);
  return out;
}

KnownClass LatentRun::known(uint32_t cls, int64_t shots) const {
  const auto count = std::min<int64_t>(shots, data->size(cls));
  need_support(*learner, count, "latent: class " + data->class_name(cls));
  return known_class(*learner, meta, class_images(*data, cls, 0, count), cls);
}

void place_row(ImageSheet& sheet, int64_t row, int64_t column,
               const at::Tensor& x) {
  const auto images = x[0].contiguous();
  for (int64_t i = 0; i < images.size(0); ++i)
    sheet.place(row, column + i, images[i].const_data_ptr<float>());
}

}  // namespace protean
