// Tasks: section `task` of the configuration. What each field is, its unit and
// its range: src/tasks/options.cpp, or `protean config --explain task.NAME`.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "protean/tasks/episode_counts.h"

namespace protean {

// Classes and examples of one task; shots and queries are per class.
struct TaskCounts {
  uint32_t ways = 5, shots = 1, queries = 15;
  bool one_group = false;  // all classes of a task are of one group
};

// The keys that set them, for messages.
struct CountKeys {
  std::string ways = "task.ways", shots = "task.shots",
              queries = "task.queries";
};

// Training tasks that are mixed from two: interpolated_tasks.h.
struct InterpolationOptions {
  double share = 0;  // task.interpolate
  double low = 0;    // task.interpolate_low, and so on
  double high = 1;
  std::string draw = "uniform";
  bool operator==(const InterpolationOptions&) const = default;
};

struct TaskOptions {
  // Of a function family, a table or a text shots and queries are points or
  // rows per task; of an environment rollouts.
  uint32_t ways = 5;
  uint32_t shots = 1;
  uint32_t queries = 15;
  // Of training tasks, where they differ from evaluation; 0 = as above.
  uint32_t train_ways = 0;
  uint32_t train_shots = 0;
  uint32_t train_queries = 0;
  // Training tasks of unequal size, and their curriculum; 0 = off.
  uint32_t train_ways_max = 0;
  uint32_t train_shots_max = 0;
  int64_t curriculum_steps = 0;
  double curriculum_accuracy = 0;
  std::string within = "any";   // or group
  std::string domain = "none";  // domain_tasks.h
  uint32_t flat_batch = 0;

  // Episodes of data.source = records.
  std::string sampler = "spec";  // or flat
  EpisodeOptions episode;

  uint32_t meta_batch = 32;
  uint32_t stack = 0;  // 0 = automatic
  int64_t stack_overhead = 10;

  std::string mix = "real";  // experiment/training_tasks.h
  std::string mix_to;
  int64_t mix_steps = 0;
  InterpolationOptions interpolation;

  uint32_t generated_shots = 0;  // generative/generated_shots.h
  std::string generated_as = "shots";
  uint32_t generated_queries = 0;
  double generated_weight = 1;

  // No key: whether the learner takes labels. Without them a task's target is
  // none.
  bool labels = true;

  TaskCounts train_counts() const {
    return {train_ways ? train_ways : ways, train_shots ? train_shots : shots,
            train_queries ? train_queries : queries, within == "group"};
  }
  TaskCounts counts() const {
    return {ways, shots, queries, within == "group"};
  }
  // What set these counts: keys of `before` ("eval.", "task.train_") where they
  // differ from task.*.
  CountKeys keys_of(const TaskCounts& own, const std::string& before) const {
    const auto key = [&](uint32_t of_task, uint32_t of_own, const char* word) {
      return (of_own == of_task ? "task." : before) + word;
    };
    return {key(ways, own.ways, "ways"), key(shots, own.shots, "shots"),
            key(queries, own.queries, "queries")};
  }
  // Whether training tasks have a class of generated images.
  bool generated_class() const {
    return generated_shots > 0 && generated_as == "class";
  }
  // Of the largest training task.
  TaskCounts most_counts() const {
    auto most = train_counts();
    most.ways = std::max(most.ways, train_ways_max);
    most.shots = std::max(most.shots, train_shots_max);
    return most;
  }
  // Steps from the least to the largest training tasks; 0 = all are equal.
  uint32_t levels() const {
    const auto least = train_counts(), most = most_counts();
    return std::max(most.ways - least.ways, most.shots - least.shots);
  }
};

}  // namespace protean
