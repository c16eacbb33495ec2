// Whether a target column holds numbers or labels.
#pragma once

#include <string>
#include <vector>

#include "protean/data/table_file.h"

namespace protean {

// kind: data.target_kind. Throws DataError naming the cell that is of the other
// kind, ConfigError on an unknown kind.
bool holds_labels(const TableFile& file, const std::vector<size_t>& targets,
                  const std::string& kind);

}  // namespace protean
