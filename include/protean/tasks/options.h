// What the user says about tasks: section `task` of the configuration.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

namespace protean {

// Classes and examples of one task; shots and queries are per class.
struct TaskCounts {
  uint32_t ways = 5, shots = 1, queries = 15;
};

// The keys that set them, for messages.
struct CountKeys {
  std::string ways = "task.ways", shots = "task.shots",
              queries = "task.queries";
};

// Training tasks that are mixed from two; see interpolated_tasks.h.
struct InterpolationOptions {
  double share = 0;  // task.interpolate: of training tasks that are mixed
  // task.interpolate_low, task.interpolate_high: between which the other task's
  // factor is drawn, in [-0.25, 1.25]; below 0 and above 1 the way goes on
  // beyond a task. Equal: always so much.
  double low = 0;
  double high = 1;
  // task.interpolate_draw: uniform, or beta: Beta(2, 2), stretched to the
  // range.
  std::string draw = "uniform";
  bool operator==(const InterpolationOptions&) const = default;
};

struct TaskOptions {
  uint32_t ways = 5;      // task.ways: classes per task
  uint32_t shots = 1;     // task.shots: support examples per class; for a
                          // function family: points; or rollouts
  uint32_t queries = 15;  // task.queries: query examples per class; for a
                          // function family: points; or rollouts
  // task.train_ways, task.train_shots, task.train_queries: of training tasks,
  // where they differ from evaluation; 0 = as above.
  uint32_t train_ways = 0;
  uint32_t train_shots = 0;
  uint32_t train_queries = 0;
  // task.train_ways_max, task.train_shots_max: training tasks differ, each has
  // between task.train_ways and so many classes, task.train_shots and so many
  // shots, all equally likely; 0 = all are equal.
  uint32_t train_ways_max = 0;
  uint32_t train_shots_max = 0;
  // task.curriculum_steps: such tasks begin as the least, and may have one
  // class and one shot more every so many steps; 0 = off.
  int64_t curriculum_steps = 0;
  // task.curriculum_accuracy: the same after every validation of at least this
  // accuracy, in [0, 1]; 0 = off.
  double curriculum_accuracy = 0;
  // task.domain: none, or what differs between support and query, see
  // domain_tasks.h: rotation, inversion or alphabet.
  std::string domain = "none";
  // task.flat_batch: examples of a flat mini-batch of all training classes, in
  // place of a training task; 0 = tasks.
  uint32_t flat_batch = 0;
  uint32_t meta_batch = 32;  // task.meta_batch: tasks per meta-step, all ranks
  uint32_t stack = 0;  // task.stack: tasks computed on together; 0 = automatic
  // task.stack_overhead: what one stack more costs, in examples: tasks that
  // differ are padded to meet in a stack where that costs less; 0 = only equal
  // tasks meet.
  int64_t stack_overhead = 10;

  // task.mix: where training tasks come from, with weights; see
  // trainer/training_tasks.h.
  std::string mix = "real";
  // task.mix_to, task.mix_steps: weights of the same sources, 0 allowed, that
  // those of task.mix turn into, in equal parts over so many steps.
  std::string mix_to;
  int64_t mix_steps = 0;

  InterpolationOptions interpolation;

  // task.generated_shots: support images that generator.from makes of each
  // class's real ones.
  uint32_t generated_shots = 0;
  // task.generated_as: what they are.
  //   shots  more examples of their class, in training and evaluation
  //          (generative/generated_shots.h)
  //   class  one class more, of all that is made, in training alone
  //          (generative/generated_class.h)
  std::string generated_as = "shots";
  // task.generated_queries: of class: query images made of each real class; 0:
  // queries are real.
  uint32_t generated_queries = 0;
  // task.generated_weight: of a generated support image in losses, prototypes
  // and moments, where a real one has 1; in (0, 1].
  double generated_weight = 1;

  // No key: whether the learner takes labels. Without them a task's target is
  // none.
  bool labels = true;

  TaskCounts train_counts() const {
    return {train_ways ? train_ways : ways, train_shots ? train_shots : shots,
            train_queries ? train_queries : queries};
  }
  TaskCounts counts() const { return {ways, shots, queries}; }
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
    const auto least = train_counts();
    return {std::max(least.ways, train_ways_max),
            std::max(least.shots, train_shots_max), least.queries};
  }
  // Steps from the least to the largest training tasks; 0 = all are equal.
  uint32_t levels() const {
    const auto least = train_counts(), most = most_counts();
    return std::max(most.ways - least.ways, most.shots - least.shots);
  }
};

}  // namespace protean
