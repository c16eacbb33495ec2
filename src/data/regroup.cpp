#include "protean/data/regroup.h"

#include <map>

#include "protean/core/error.h"
#include "protean/core/hash.h"

namespace protean {

std::string drawer_of(const std::string& name) {
  const size_t line = name.rfind('_'), dot = name.rfind('.');
  if (line == std::string::npos || dot == std::string::npos || dot < line + 2)
    return "";
  return name.substr(line + 1, dot - line - 1);
}

RegroupedDataset::RegroupedDataset(DatasetPtr base, const std::string& by)
    : base_(std::move(base)), by_(by) {
  std::map<std::string, Class> found;
  for (uint32_t c = 0; c < base_->classes(); ++c) {
    const std::string group = base_->group(c);
    if (group.empty())
      throw ConfigError(concat("data.group_by = ", by, ", but class ",
                               base_->class_name(c),
                               " has no group; expected class, or data whose "
                               "classes have groups (alphabets)"));
    for (uint32_t e = 0; e < base_->size(c); ++e) {
      std::string name = group;
      if (by == "drawer") {
        const std::string drawer = drawer_of(base_->example_name(c, e));
        if (drawer.empty())
          throw ConfigError(concat(
              "data.group_by = drawer, but \"", base_->example_name(c, e),
              "\" of class ", base_->class_name(c),
              " names no drawer; expected names such as 0709_03.png"));
        name += "/drawer" + drawer;
      }
      Class& cls = found[name];
      cls.name = name;
      cls.group = group;
      if (!cls.examples.empty() && cls.split != base_->split(c))
        throw ConfigError(concat("data.group_by = ", by, ": ", group,
                                 " has classes in more than one split; "
                                 "expected class"));
      cls.split = base_->split(c);
      cls.examples.emplace_back(c, e);
    }
  }
  for (auto& [name, cls] : found) classes_.push_back(std::move(cls));
}

std::string RegroupedDataset::checksum() const {
  const std::string text = "by " + by_ + " " + base_->checksum();
  return sha256_hex(text.data(), text.size());
}

}  // namespace protean
