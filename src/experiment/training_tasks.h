// Where training tasks come from, when not from labelled classes alone.
//
// task.mix lists sources with weights, "real=1,generated=3":
//   real       labelled classes of data.*
//   augmented  every training image is a class of its own, its examples are
//              distortions of it (UMTRA, Khodadadeh et al. 2019,
//              arXiv:1811.11819); no labels
//   generated  a generator's latent space (generated_tasks.h)
//   clustered  clusters of training images in a generator's codes (CACTUs, Hsu
//              et al. 2019, arXiv:1810.02334); no labels but those that the
//              generator has seen
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "protean/experiment/experiment.h"
#include "protean/generative/generated_tasks.h"

namespace protean {

// The sources of task.mix with a weight each; those of task.mix_to may be 0.
// Throws ConfigError naming the key.
std::vector<std::pair<std::string, float>> parse_mix(
    const std::string& mix, const char* key = "task.mix");

// Whether task.mix or task.generated_shots needs generator.from. Throws
// ConfigError when generator.from is missing, or set without need.
bool needs_generator(const Config& config);

// Replaces the training tasks by those of task.mix; validation and test tasks
// stay real. generator: null unless needs_generator().
void mix_training_tasks(Experiment& experiment,
                        const FrozenGenerator* generator);

// Adds task.generated_shots to the support sets of all tasks, training and
// evaluation alike, or a class of them to training tasks (task.generated_as);
// nothing to do when there are none. After mix_training_tasks(), if that is
// called.
void add_generated_shots(Experiment& experiment,
                         const FrozenGenerator* generator);

// Mixes training tasks with each other (task.interpolate), as all of the above
// has made them.
void interpolate_training_tasks(Experiment& experiment);

}  // namespace protean
