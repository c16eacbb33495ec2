#include "protean/core/parameter_space.h"

#include "protean/core/error.h"
#include "protean/core/hash.h"

namespace protean {

size_t ParameterSpace::add(std::string name, std::vector<int64_t> shape,
                           const Start& start, unsigned roles) {
  for (const auto& p : parameters_)
    if (p.name == name)
      throw Error("ParameterSpace: the name " + name + " is taken");
  Parameter p{std::move(name), std::move(shape), start, roles, size_, 1};
  for (int64_t n : p.shape) p.size *= n;
  size_ += p.size;
  parameters_.push_back(std::move(p));
  return parameters_.size() - 1;
}

size_t ParameterSpace::index(const std::string& name) const {
  for (size_t i = 0; i < parameters_.size(); ++i)
    if (parameters_[i].name == name) return i;
  throw Error("ParameterSpace: no parameter " + name);
}

uint64_t ParameterSpace::layout_hash() const {
  Hash64 hash;
  for (const auto& p : parameters_) {
    hash.add(p.name.data(), p.name.size());
    hash.add(static_cast<uint64_t>(p.shape.size()));
    for (int64_t n : p.shape) hash.add(static_cast<uint64_t>(n));
  }
  return hash.value();
}

}  // namespace protean
