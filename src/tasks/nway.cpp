#include "protean/tasks/nway.h"

#include <algorithm>

namespace protean {

TaskSpec describe_nway(TaskId id, const TaskCounts& counts) {
  TaskSpec spec;
  spec.id = id;
  spec.support.assign(counts.ways, counts.shots);
  spec.query.assign(counts.ways, counts.queries);
  return spec;
}

TaskShape shape_nway(const TaskSpec& spec, const std::vector<int64_t>& input) {
  TaskShape shape;
  shape.ways = static_cast<uint32_t>(spec.support.size());
  for (uint32_t n : spec.support) shape.support += n;
  for (uint32_t n : spec.query) shape.query += n;
  shape.input = input;
  return shape;
}

void fill_nway(const at::Tensor& images, const TaskSpec& spec,
               EpisodeView out) {
  const int64_t values = images[0][0].numel();
  const float* from = images.const_data_ptr<float>();
  const auto fill = [&](PartView& part, uint32_t count, size_t way) {
    for (uint32_t i = 0; i < count; ++i, from += values) {
      part.x = std::copy_n(from, values, part.x);
      if (part.label) *part.label++ = static_cast<int64_t>(way);
    }
  };
  for (size_t way = 0; way < spec.support.size(); ++way) {
    fill(out.support, spec.support[way], way);
    fill(out.query, spec.query[way], way);
  }
}

}  // namespace protean
