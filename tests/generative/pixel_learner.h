// A generative learner whose every value is known: an image's pixels are its
// class's code plus noise of deviation 1, and an image's code is its pixels.
#pragma once

#include "protean/generative/generative_learner.h"

#include "support/toy_tasks.h"

namespace protean {

class PixelLearner : public GenerativeLearner {
 public:
  explicit PixelLearner(int64_t side) : shape_{1, side, side} {}

  std::string name() const override { return "pixels"; }
  const MetaSpaces& spaces() const override { return spaces_; }
  void initialise(const MetaView&, uint64_t) const override {}
  TaskLosses gradient(const TaskBatch&, const MetaView&,
                      const MetaView&) const override {
    return {};
  }
  // phi is the mean of the support images.
  void adapt(const TaskBatch& batch, const MetaView&,
             const Visit& visit) const override {
    Phi phi;
    phi.memory = {batch.support.x.flatten(2).mean(1, true)};
    visit(0, phi);
  }
  at::Tensor predict(const Phi&, const Part&) const override { return {}; }
  int64_t code_size() const override { return shape_[1] * shape_[2]; }
  int64_t latent_size() const override { return code_size(); }
  const std::vector<int64_t>& image_shape() const override { return shape_; }
  int64_t least_support() const override { return 1; }
  at::Tensor code(const Phi& phi, const at::Tensor& noise) const override {
    return phi.memory[0].expand_as(noise);
  }
  at::Tensor decode(const Phi&, const at::Tensor& code,
                    const at::Tensor& noise) const override {
    return (code + noise)
        .view({code.size(0), noise.size(1), 1, shape_[1], shape_[2]});
  }
  at::Tensor embed(const Phi&, const at::Tensor& x) const override {
    return x.flatten(2);
  }
  Phi start(const MetaView&) const override { return {}; }

 private:
  std::vector<int64_t> shape_;
  MetaSpaces spaces_;
};

// Classes of images that such a learner would make.
class PixelClasses : public ClassDataset {
 public:
  // Centres lie about 4 * side apart.
  PixelClasses(int64_t classes, int64_t each, int64_t side)
      : shape_{1, side, side},
        centres_(3 * noise({classes, 1, side, side}, 7)),
        images_((centres_ + noise({classes, each, side, side}, 8))
                    .to(at::kFloat)
                    .contiguous()) {}
  // Mean of the distribution that its images come from, (1, side, side).
  at::Tensor centre(uint32_t cls) const { return centres_[cls].to(at::kFloat); }
  const std::vector<int64_t>& shape() const override { return shape_; }
  uint32_t classes() const override {
    return static_cast<uint32_t>(images_.size(0));
  }
  uint32_t size(uint32_t) const override {
    return static_cast<uint32_t>(images_.size(1));
  }
  std::string class_name(uint32_t cls) const override {
    return std::to_string(cls);
  }
  std::string group(uint32_t) const override { return ""; }
  void read(uint32_t cls, uint32_t example, float* out) const override {
    const auto image = images_[cls][example].contiguous();
    std::copy_n(image.const_data_ptr<float>(), image.numel(), out);
  }
  std::string checksum() const override { return "pixels"; }

 private:
  std::vector<int64_t> shape_;
  at::Tensor centres_;  // (classes, 1, side, side)
  at::Tensor images_;   // (classes, each, side, side)
};

}  // namespace protean
