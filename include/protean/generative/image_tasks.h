// Tasks made from single images: a class is one image and what a generator
// makes of it. UMTRA (Khodadadeh et al. 2019, arXiv:1811.11819) with a learnt
// augmentation; LASIUM's rule of 2021 (arXiv:2006.10236) for autoencoders,
// whose anchors are images too.
//
// The image itself is the first support example, everything else is made.
// Images are drawn from all of the given classes without looking at labels, so
// two classes of a task may show one character. A spec names the images, the
// generator's version and one latent seed.
#pragma once

#include <memory>
#include <vector>

#include "protean/data/dataset.h"
#include "protean/generative/generated_tasks.h"

namespace protean {

class ImageTasks : public TaskSource {
 public:
  // Throws ConfigError when the images are fewer than the ways, of another
  // shape than the generator's, or one alone is too few for the generator.
  ImageTasks(GenerativeLearnerPtr learner,
             std::shared_ptr<const GeneratorVersions> versions, DatasetPtr data,
             const std::vector<uint32_t>& classes, const TaskCounts& counts);

  TaskSpec describe(uint64_t seed, TaskId id,
                    const StreamState& stream) const override;
  TaskShape shape(const TaskSpec& spec) const override;
  void materialise(const TaskSpec& spec, EpisodeView out) const override;

 private:
  struct Image {
    uint32_t cls, example;
  };

  GenerativeLearnerPtr learner_;
  std::shared_ptr<const GeneratorVersions> versions_;
  DatasetPtr data_;
  TaskCounts counts_;
  std::vector<Image> images_;
};

}  // namespace protean
