#include "protean/tasks/environment.h"

#include "protean/core/error.h"

#include "tasks/bandit.h"
#include "tasks/point.h"

namespace protean {

bool is_environment(const std::string& source) {
  return source == "point" || source == "bandit";
}

EnvironmentPtr make_environment(const DataOptions& o) {
  if (o.horizon < 1)
    throw ConfigError(
        concat("data.horizon = ", o.horizon, "; expected at least 1"));
  if (o.source == "bandit") return std::make_shared<Bandit>(o);
  return std::make_shared<Point>(o);
}

}  // namespace protean
