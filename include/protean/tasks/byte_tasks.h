// Tasks whose images lie as bytes, and stay bytes until they are computed on:
// prepared steps take a quarter of the memory, and so does the way to a device.
#pragma once

#include <vector>

#include "protean/data/byte_dataset.h"
#include "protean/tasks/task_batch.h"
#include "protean/tasks/task_source.h"

namespace protean {

class ByteTaskSource : public TaskSource {
 public:
  virtual ByteScale scale() const = 0;
  // As materialise(), but x of both parts goes to these bytes, and nothing to
  // x of `out`.
  virtual void materialise_bytes(const TaskSpec& spec, uint8_t* support,
                                 uint8_t* query, EpisodeView out) const = 0;
};

// stack_tasks(), with x of bytes where the source has them.
TaskBatch stack_as_stored(const TaskSource& source,
                          const std::vector<TaskSpec>& specs);

// The same batch with x of numbers, wherever it lies; unchanged where it has
// them. They are those of stack_tasks() to the last bit: padding becomes 0, not
// what byte 0 stands for.
TaskBatch with_numbers(const TaskBatch& batch, const ByteScale& scale);

// Bytes that a batch takes.
uint64_t bytes_of(const TaskBatch& batch);

}  // namespace protean
