// Tasks that a generator makes from its latent space: LASIUM (Khodadadeh et al.
// 2021, arXiv:2006.10236), here on the class codes of a set-conditional model.
//
//   1. N anchors, one per class, from the prior of codes; drawn again until the
//      smallest distance between two exceeds a quantile of what it would be.
//   2. Codes of a class's images, from its anchor a, by generator.rule:
//        class  a itself: images differ by their latents alone
//        n      a + s e, scaled back to the prior's length
//        ro     from a towards e, by the share s of the way
//        oc     from a towards another class's anchor; every fifth image as ro
//      e standard normal, s = generator.spread; ways are arcs (slerp), since a
//      straight one leaves the prior's shell.
//   3. Images are decoded; the first K of a class are support, the rest query.
//      With generator.tries above 1 as many are decoded for each, and the one
//      stays that looks most real to the generator's discriminator.
//   4. A task whose queries are not nearest to their own class's support, in
//      the generator's codes, for a share generator.separability of them is
//      made again, up to three times; the best one stays.
//
// A spec names the generator's version and one latent seed; each task is made
// alone from them and its id. Versions are added while tasks are made.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "protean/generative/generative_learner.h"
#include "protean/generative/options.h"
#include "protean/tasks/options.h"
#include "protean/tasks/task_source.h"

namespace protean {

// Weights of a generator by version number. Thread-safe.
class GeneratorVersions {
 public:
  // meta must not change afterwards; it stays until forget().
  void add(uint32_t version, MetaView meta);
  void forget_before(uint32_t version);
  // Throws Error when the version is not there.
  MetaView at(uint32_t version) const;

 private:
  mutable std::mutex mutex_;
  std::map<uint32_t, MetaView> versions_;
};

class GeneratedTasks : public TaskSource {
 public:
  // Throws ConfigError naming the key.
  GeneratedTasks(GenerativeLearnerPtr learner,
                 std::shared_ptr<const GeneratorVersions> versions,
                 const TaskCounts& counts, const GeneratedTaskOptions& options);

  TaskSpec describe(uint64_t seed, TaskId id,
                    const StreamState& stream) const override;
  TaskShape shape(const TaskSpec& spec) const override;
  void materialise(const TaskSpec& spec, EpisodeView out) const override;

 private:
  struct Draft {
    at::Tensor images;         // (N, K + Q, C, H, W)
    double separability = -1;  // share of queries nearest to their own class
  };
  Draft draft(const TaskSpec& spec, const MetaView& meta, const Phi& phi,
              uint32_t attempt) const;
  // An image of each code (1, n, c), the best of generator.tries, of noise
  // (1, n tries, z): (1, n, C, H, W).
  at::Tensor most_real(const MetaView& meta, const Phi& phi,
                       const at::Tensor& codes, const at::Tensor& noise) const;
  at::Tensor anchors(const TaskSpec& spec, uint32_t attempt,
                     const at::Tensor& like) const;
  // Whether tasks are made again for want of separability.
  bool rejects() const;
  double separability(const Phi& phi, const at::Tensor& images) const;

  GenerativeLearnerPtr learner_;
  std::shared_ptr<const GeneratorVersions> versions_;
  TaskCounts counts_;
  GeneratedTaskOptions options_;
  double least_distance_;  // squared, between anchors
};

}  // namespace protean
