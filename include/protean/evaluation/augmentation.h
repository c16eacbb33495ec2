// What a generator's images are worth to a classifier that has few real ones:
// the low-data protocol of Hong et al. 2020 (F2GAN, arXiv:2008.01999).
//
// A classifier of all classes of a split is trained from scratch and judged on
// drawings that it has not seen: a quarter of every class, rounded up, at most
// fifty. It learns from K others per class, by one of
//   none       these alone
//   copies     these, repeated as often as `generated` has images
//   classical  these, distorted anew at every look (data/affine.h)
//   generated  these and images that the generator made from them
//   both       generated, all distorted as in classical
//   alone      what the generator made, without the K (classification accuracy
//              score, Ravuri and Vinyals 2019, arXiv:1905.10887)
//   oracle     all real ones that are not for the test
//   ceiling    all of these, distorted as in classical
// Network, optimiser, batches and steps are the same for all. Classes without
// K images to learn from are left out, the same for all rows of one K. A repeat
// draws parts, network and images anew, the same parts for all rows.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "protean/comm/communicator.h"
#include "protean/experiment/experiment.h"

namespace protean {

struct AugmentationOptions {
  std::vector<std::string> arms = {"none", "copies", "classical", "generated",
                                   "both", "alone",  "oracle",    "ceiling"};
  std::vector<uint32_t> shots = {5, 10, 15};
  int64_t generated = 128;  // images per class
  double temperature = 1;   // of these, see generative/class_sampler.h
  int64_t repeats = 3;
  int64_t steps = 600;  // of the classifier, 64 images each
};

struct AugmentationRow {
  std::string arm;
  uint32_t shots = 0;
  int64_t classes = 0, test_images = 0;
  std::vector<double> accuracy;  // by repeat
  double mean() const;
  double deviation() const;  // of a sample; 0 for one repeat
};

struct AugmentationStudy {
  std::vector<AugmentationRow> rows;  // by shots, then in the order above
  // Columns shots, arm, accuracy, deviation, repeats, classes, test_images.
  std::string to_csv() const;
  nlohmann::json to_json() const;
};

// Collective: ranks share the classifiers; the result does not depend on how
// many there are. The network is model.* of the experiment's configuration.
// Throws ConfigError when the learner makes no images, an option is impossible,
// or fewer than two classes are left.
AugmentationStudy augmentation_study(const Experiment& experiment,
                                     const MetaView& meta, Stream stream,
                                     const AugmentationOptions& options,
                                     Communicator& comm);

}  // namespace protean
