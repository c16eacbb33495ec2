// Names, shapes and offsets of parameters inside one flat buffer.
//
// theta, the meta-state and their gradients are flat buffers laid out by a
// ParameterSpace; networks see tensors with the shapes, the communicator and
// the checkpoint see the flat buffer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace protean {

struct Parameter {
  std::string name;            // dotted, unique: "block1.conv.weight"
  std::vector<int64_t> shape;  // of one task; {} = a single value
  int64_t offset = 0;          // in elements, within the flat buffer
  int64_t size = 1;            // product of shape
};

class ParameterSpace {
 public:
  // Appends a parameter and returns its index. Throws Error on a name that is
  // taken.
  size_t add(std::string name, std::vector<int64_t> shape);

  const std::vector<Parameter>& parameters() const { return parameters_; }
  size_t count() const { return parameters_.size(); }
  int64_t size() const { return size_; }  // elements of the flat buffer
  // Index of a name; throws Error when there is none.
  size_t index(const std::string& name) const;
  // Equal layouts have equal hashes; stored in checkpoints, compared by ranks.
  uint64_t layout_hash() const;

 private:
  std::vector<Parameter> parameters_;
  int64_t size_ = 0;
};

}  // namespace protean
