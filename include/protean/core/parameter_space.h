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

// How a parameter's values begin (models/initialise.h).
struct Start {
  enum class Rule { zero, one, xavier, torch, truncated, normal };
  Rule rule = Rule::zero;
  // Inputs of one output and outputs of one input: of the layer, times the area
  // of its kernel.
  int64_t fan_in = 0, fan_out = 0;
  double gain = 1;  // times what the rule draws
};

// What a parameter is to inner loops that move, or leave, some apart. It may be
// several of them.
enum Role : unsigned {
  kNorm = 1,  // of a normalisation layer: scale, shift, blend
  // Of a generator: its decoder; what a class's code does to that, and how a
  // code comes from features; how a code comes from features.
  kDecoder = 2,
  kModulation = 4,
  kCode = 8,
};

struct Parameter {
  std::string name;            // dotted, unique: "block1.conv.weight"
  std::vector<int64_t> shape;  // of one task; {} = a single value
  Start start;
  unsigned roles = 0;  // of Role
  int64_t offset = 0;  // in elements, within the flat buffer
  int64_t size = 1;    // product of shape

  bool is(Role role) const { return (roles & role) != 0; }
};

class ParameterSpace {
 public:
  // Appends a parameter and returns its index. Throws Error on a name that is
  // taken.
  size_t add(std::string name, std::vector<int64_t> shape,
             const Start& start = {}, unsigned roles = 0);
  // Another space's parameter.
  size_t add(const Parameter& p) {
    return add(p.name, p.shape, p.start, p.roles);
  }

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
