// Learners that model the examples of a task instead of predicting labels.
//
// A task is one class: K support images to adapt to, Q others of the class to
// be judged by. Its shape has ways = 1 and target = none. phi is what
// adaptation made of the support set; images follow from phi and standard
// normal noise:
//
//   noise (T, n, code_size())    -> code(): what each image's class is
//   noise (T, n, latent_size())  -> decode(): what sets it apart within the
//   class
//
// All of it is stacked, and nothing here draws numbers: noise comes from
// whoever asks, keyed by task (noise.h), so results depend on no rank and no
// stack.
#pragma once

#include <memory>

#include "protean/generative/options.h"
#include "protean/learners/learner.h"
#include "protean/learners/options.h"
#include "protean/tasks/options.h"

namespace protean {

class GenerativeLearner : public Learner {
 public:
  virtual int64_t code_size() const = 0;
  virtual int64_t latent_size() const = 0;
  // Shape of one image, {C, H, W}.
  virtual const std::vector<int64_t>& image_shape() const = 0;
  // Fewest support images that the model was made for.
  virtual int64_t least_support() const = 0;
  // Whether codes form a space of classes: whether decode() draws a class from
  // any code, without support images.
  virtual bool draws_any_code() const { return true; }
  // Whether embed() finds an image's code in that space.
  virtual bool finds_codes() const { return true; }
  // Codes given the support set, (T, n, c).
  virtual at::Tensor code(const Phi& phi, const at::Tensor& noise) const = 0;
  // Images (T, n, C, H, W) in [0, 1]; rounded to 0 and 1 for binary models.
  // Codes may come from elsewhere: the prior of codes is standard normal.
  virtual at::Tensor decode(const Phi& phi, const at::Tensor& code,
                            const at::Tensor& noise) const = 0;
  // What each image says of its class, alone: means of codes, (T, n, c).
  virtual at::Tensor embed(const Phi& phi, const at::Tensor& x) const = 0;
  // Whether it has a judge of images made from codes.
  virtual bool judges() const { return false; }
  // How real images (T, n, C, H, W) of codes (T, n, code_size()) look to it,
  // (T, n): higher is more so. Throws Error where there is none.
  virtual at::Tensor realness(const MetaView& meta, const at::Tensor& code,
                              const at::Tensor& images) const;
  // phi before any support image.
  virtual Phi start(const MetaView& meta) const = 0;
  // phi after all of x (T, K, C, H, W), and after each step on the way there.
  Phi adapted(const at::Tensor& x, const std::vector<TaskId>& ids,
              const MetaView& meta) const;
  void adapt_to(const at::Tensor& x, const std::vector<TaskId>& ids,
                const MetaView& meta, const Visit& visit) const;

  bool transductive() const override { return false; }
  TaskSizes task_sizes() const override { return TaskSizes::equal; }
};

using GenerativeLearnerPtr = std::shared_ptr<const GenerativeLearner>;

// Throw ConfigError unless the learner draws classes from any code, or also
// finds the codes of images. what: who needs it, "generator.from = runs/g".
void need_any_code(const GenerativeLearner& learner, const std::string& what);
void need_found_codes(const GenerativeLearner& learner,
                      const std::string& what);
// Throws ConfigError unless so many images of a class are enough for it.
void need_support(const GenerativeLearner& learner, int64_t images,
                  const std::string& what);

// Whether learner.name names a generative learner, and all that do: "setvae,
// ...".
bool is_generative(const std::string& name);
std::string generative_names();

// train: shape of training tasks. eval: counts of evaluation tasks. Throws
// ConfigError naming the key on an impossible setting.
GenerativeLearnerPtr make_generative_learner(const LearnerOptions& learner,
                                             const GeneratorOptions& generator,
                                             const TaskShape& train,
                                             const TaskCounts& eval);

}  // namespace protean
