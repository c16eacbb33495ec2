// What is acted in.
#include <algorithm>

#include "protean/core/error.h"
#include "protean/core/lists.h"
#include "protean/tasks/environment_tasks.h"

#include "tasks/bandit.h"
#include "tasks/point.h"
#include "tasks/source_rows.h"

namespace protean {
namespace {

struct EnvironmentRow {
  Entry entry;
  EnvironmentPtr (*make)(const DataOptions&);
};

template <typename T>
EnvironmentPtr plain(const DataOptions& o) {
  return std::make_shared<T>(o);
}

// In the order in which they are listed to users.
const std::vector<EnvironmentRow>& environments() {
  static const std::vector<EnvironmentRow> all = {
      {{"point",
        "an environment: a point that is to move; no files",
        "Finn et al. 2017, arXiv:1703.03400",
        "",
        {"data.family", "data.horizon"}},
       plain<Point>},
      {{"bandit",
        "an environment: a bandit with several arms; no files",
        "Duan et al. 2016, arXiv:1611.02779",
        "",
        {"data.arms", "data.rewards", "data.horizon"}},
       plain<Bandit>},
  };
  return all;
}

const EnvironmentRow* find(const std::string& source) {
  const auto& all = environments();
  const auto row = std::find_if(all.begin(), all.end(), [&](const auto& r) {
    return r.entry.name == source;
  });
  return row == all.end() ? nullptr : &*row;
}

TaskSources open(const DataOptions& data, const TaskOptions& task,
                 const TaskCounts& eval) {
  const auto environment = make_environment(data);
  const auto identity = concat(data.source, " ", data.family, " ", data.arms,
                               " ", data.rewards, " ", data.horizon);
  auto sources =
      computed_tasks(data, task, eval, identity, [&](const TaskCounts& c) {
        return std::make_shared<EnvironmentTasks>(environment, c.shots,
                                                  c.queries);
      });
  sources.environment = environment;
  return sources;
}

}  // namespace

bool is_environment(const std::string& source) {
  return find(source) != nullptr;
}

std::string environment_names() {
  return joined(environments(), [](const auto& row) { return row.entry.name; });
}

EnvironmentPtr make_environment(const DataOptions& o) {
  if (o.horizon < 1)
    throw ConfigError(
        concat("data.horizon = ", o.horizon, "; expected at least 1"));
  const auto* const row = find(o.source);
  if (!row)
    throw ConfigError(concat("data.source = \"", o.source,
                             "\"; expected one of: ", environment_names()));
  return row->make(o);
}

SourceRows environment_rows() {
  SourceRows rows;
  for (const auto& row : environments()) rows.push_back({row.entry, open});
  return rows;
}

}  // namespace protean
