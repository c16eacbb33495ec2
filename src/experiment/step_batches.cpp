#include "protean/experiment/step_batches.h"

#include "protean/core/error.h"
#include "protean/experiment/curriculum.h"

namespace protean {
namespace {

// Outside of training nobody knows what it would have led to.
void check_known(const Config& config) {
  const char* key = config.task.curriculum_accuracy > 0
                        ? "task.curriculum_accuracy"
                    : config.generated.refresh > 0 ? "generator.refresh"
                                                   : nullptr;
  if (key)
    throw ConfigError(concat(key,
                             " makes tasks depend on how training goes; "
                             "expected a configuration without it"));
}

StreamState state_at(const Experiment& e, int64_t step) {
  check_known(e.config);
  auto state = e.schedule.at(step);
  state.held_back = Curriculum(e.config).held_back(step);
  return state;
}

}  // namespace

Stream stream_named(const std::string& name, const std::string& what) {
  if (name == "train") return Stream::train;
  if (name == "validation") return Stream::validation;
  if (name == "test") return Stream::test;
  throw ConfigError(what + " = \"" + name +
                    "\"; expected one of: train, validation, test");
}

std::vector<TaskBatch> step_batches(const Experiment& e, Stream stream,
                                    int64_t step) {
  const auto& source = e.tasks.of(stream);
  const bool training = stream == Stream::train;
  const auto state = training ? state_at(e, step) : StreamState();
  const auto count = static_cast<uint32_t>(
      training ? int64_t{e.config.task.meta_batch} : e.config.eval.tasks);
  std::vector<TaskSpec> specs;
  std::vector<TaskShape> shapes;
  for (uint32_t i = 0; i < count; ++i) {
    specs.push_back(source.describe(
        e.config.run.seed, {stream, static_cast<uint32_t>(step), i}, state));
    shapes.push_back(source.shape(specs.back()));
  }
  std::vector<TaskBatch> batches;
  for (const auto& stack : cut_stacks(shapes, cut_options(e))) {
    std::vector<TaskSpec> own;
    for (uint32_t i : stack.index) own.push_back(specs[i]);
    batches.push_back(stack_tasks(source, own));
  }
  return batches;
}

}  // namespace protean
