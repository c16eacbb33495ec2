// Examples grouped in classes.
//
// Implementations are immutable once made and safe to read from many threads.
// Wrappers (subset, rotations) have the same type.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace protean {

class ClassDataset {
 public:
  virtual ~ClassDataset() = default;
  // Shape of one example, e.g. {1, 28, 28} (channels, height, width).
  virtual const std::vector<int64_t>& shape() const = 0;
  virtual uint32_t classes() const = 0;
  // Examples of a class. Class and example numbers out of range throw.
  virtual uint32_t size(uint32_t cls) const = 0;
  // Unique: with a group it is group/class, "Greek/character01".
  virtual std::string class_name(uint32_t cls) const = 0;
  // What the class belongs to (Omniglot: its alphabet); "" when nothing.
  virtual std::string group(uint32_t cls) const = 0;
  // Split that the source itself gives the class: train, validation or test;
  // "" when it gives none.
  virtual std::string split(uint32_t cls) const { return ""; }
  // By how many quarter turns the class is a rotation of another one.
  virtual uint32_t quarter_turns(uint32_t cls) const { return 0; }
  // What the source calls an example, "0709_03.png"; "" when it has no name.
  virtual std::string example_name(uint32_t cls, uint32_t example) const {
    return "";
  }
  // Whether values are ink: dark drawings that were read as 1 on 0.
  virtual bool ink() const { return false; }
  // Writes one example, float32, row-major in shape().
  // Throws DataError naming file and record when it cannot be read.
  virtual void read(uint32_t cls, uint32_t example, float* out) const = 0;
  // Identifies the content: equal data, order and preparation give equal hex.
  virtual std::string checksum() const = 0;
};

using DatasetPtr = std::shared_ptr<const ClassDataset>;

}  // namespace protean
