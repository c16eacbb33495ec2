// Plain data that both columns use: what a task is, what a stack is, and who
// computes which stack. Integers and sizes only, no tensors.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace protean {

// Streams never overlap: the stream is part of every random counter.
enum class Stream : uint32_t { train, validation, test, generator };

struct TaskId {
  Stream stream = Stream::train;
  uint32_t step = 0;   // meta-step; for evaluation the number of the run
  uint32_t index = 0;  // position in the meta-batch or in the evaluation list
  bool operator==(const TaskId&) const = default;
};

// What the task stream depends on beyond (seed, step, index).
struct StreamState {
  std::vector<float> mix;  // weight per source; empty = one source
  // How many levels the tasks stay below the hardest; 0 = all that the source
  // has. What a level is, the source says.
  uint32_t held_back = 0;
  uint32_t generator_version = 0;
  bool operator==(const StreamState&) const = default;
};

// A task description: integers that name a task completely. Any rank rebuilds
// the task from it, byte for byte.
struct TaskSpec {
  TaskId id;
  uint32_t source = 0;  // index within a mixed source
  uint32_t generator_version = 0;
  // One entry per class (way), in label order. For function families: empty.
  std::vector<uint32_t> classes;
  std::vector<uint32_t> transforms;  // per class, e.g. quarter turns; may be
                                     // empty
  std::vector<uint32_t> support;     // examples per class
  std::vector<uint32_t> query;
  // Per class: its support examples, then its query examples.
  std::vector<uint32_t> examples;
  std::vector<uint64_t> latent;  // seeds of values that are computed, not read
  std::vector<TaskSpec> mixed;   // tasks that this one is made of; then only
                                 // latent is set beside them
  bool operator==(const TaskSpec&) const = default;
};

enum class TargetKind : uint32_t { classes, values, none };

// The shape of a task: tasks with equal shapes meet in a stack, others once
// they are padded.
struct TaskShape {
  uint32_t ways = 0;  // 0 for regression
  uint32_t support = 0;
  uint32_t query = 0;
  std::vector<int64_t> input;  // one example, e.g. {1, 28, 28} or {1}
  TargetKind target = TargetKind::classes;
  int64_t target_size = 1;  // values, or labels, per example
  bool weighted = false;    // support examples may weigh less than others
  bool operator==(const TaskShape&) const = default;
  int64_t examples() const { return int64_t{support} + query; }
  // Equal shapes have equal keys, on every machine.
  uint64_t key() const;
};

// Whether tasks of these shapes can be padded to one: examples and targets are
// of one kind, only their numbers differ.
bool alike(const TaskShape& a, const TaskShape& b);
// The least shape that holds both of two that are alike.
TaskShape padded(const TaskShape& a, const TaskShape& b);

// T tasks of one shape, computed on together: the unit of work.
struct StackPlan {
  std::vector<uint32_t> index;  // tasks of the meta-batch
  uint64_t shape_key = 0;
  float cost = 0;  // predicted, arbitrary unit
  uint16_t owner = 0;
  bool operator==(const StackPlan&) const = default;
};

struct StepPlan {
  uint32_t step = 0;
  StreamState stream;
  std::vector<StackPlan> stacks;  // the cut never depends on the rank count
};

}  // namespace protean
