// Families of functions.
#include "protean/tasks/sinusoid.h"

#include "tasks/source_rows.h"

namespace protean {

SourceRows function_rows() {
  return {
      {{"sinusoid",
        "curves y = A sin(x - p); no files",
        "Finn et al. 2017, arXiv:1703.03400",
        "",
        {}},
       [](const DataOptions& data, const TaskOptions& task,
          const TaskCounts& eval) {
         return computed_tasks(
             data, task, eval, data.source, [](const TaskCounts& c) {
               return std::make_shared<Sinusoid>(c.shots, c.queries);
             });
       }},
  };
}

}  // namespace protean
