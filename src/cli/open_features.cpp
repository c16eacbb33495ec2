#include "cli/open_features.h"

#include "protean/comm/on_root.h"
#include "protean/core/lists.h"

#include "cli/commands.h"

namespace protean {

std::vector<ImageFeatures> open_features(const Experiment& generative,
                                         Communicator& comm) {
  std::vector<ImageFeatures> all;
  for (const auto& name : comma_separated(generative.config.eval.features)) {
    StoredRun by;
    const bool script = name.ends_with(".pt");
    if (!script)
      by = load_run(name, "eval.features =", comm, OpenFor::prediction);
    on_root(comm, [&] {
      const auto shape =
          generative_learner(generative, "eval.features = " + name)
              ->image_shape();
      if (!script) check_same_ink("eval.features =", by, generative);
      all.push_back(script ? features_of_script(name, shape)
                           : features_of(by, shape));
    });
  }
  return all;
}

}  // namespace protean
