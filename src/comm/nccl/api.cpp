#include "comm/nccl/api.h"

#include "comm/nccl/libraries.h"

namespace protean::nccl {
namespace {

std::function<const Api&()>& loader() {
  static std::function<const Api&()> current = load_libraries;
  return current;
}

}  // namespace

const Api& load() { return loader()(); }

void replace_loader(std::function<const Api&()> other) {
  loader() = std::move(other);
}

bool available(std::string* reason) {
  if (reason) reason->clear();
  try {
    load();
    return true;
  } catch (const ConfigError& e) {
    if (reason) *reason = e.what();
    return false;
  }
}

}  // namespace protean::nccl
