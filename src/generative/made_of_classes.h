// What a generator makes of the classes of one task, for sources of
// tasks that consist of such images or add them to others.
#pragma once

#include <memory>
#include <vector>

#include "protean/generative/generated_tasks.h"
#include "protean/tasks/task_source.h"

namespace protean {

// First slot of images that are added to a task: beyond those of tasks which
// are made themselves, whose images these would repeat (generated_tasks.cpp).
constexpr uint32_t kAddedSlots = 1 << 16;

// Throws ConfigError unless the generator makes images like those of the
// source's tasks, from as many as these have of each class.
void check_generator(const TaskSource& base,
                     const GenerativeLearner& generator);

// The base's description with the seed of what is added to it (added_seed.h)
// and the generator's version.
TaskSpec with_generator(TaskSpec base, uint64_t seed,
                        const StreamState& stream);

// Images like those of each class, from real ones (N, K, C, H, W): one tensor
// (N, n, C, H, W) for each n of counts, contiguous, undefined for 0. They
// depend on spec, whose last latent is their seed, and on their place in the
// list alone, which begins at first_slot of Purpose::latent.
std::vector<at::Tensor> made_of_classes(const GenerativeLearner& generator,
                                        const GeneratorVersions& versions,
                                        const TaskSpec& spec,
                                        uint32_t first_slot,
                                        const at::Tensor& real,
                                        const std::vector<int64_t>& counts);

}  // namespace protean
