#include "protean/core/unused.h"

namespace protean {

void Unused::refuse(const char* key, const std::string& value,
                    const std::string& usual) const {
  throw ConfigError(concat(key, " = ", value, " does nothing with ", with_,
                           "; expected its default, ", usual,
                           instead_.empty() ? "" : ", or ", instead_));
}

}  // namespace protean
