// Examples that lie as bytes and are read as numbers: four times smaller, so
// they travel as bytes as far as they can.
#pragma once

#include <array>
#include <cstdint>

#include "protean/data/dataset.h"

namespace protean {

// Byte v stands for low + (high - low) v / 255.
struct ByteScale {
  float low = 0, high = 1;
  bool operator==(const ByteScale&) const = default;
  // Of every byte, computed in double.
  std::array<float, 256> values() const;
};

class ByteDataset : public ClassDataset {
 public:
  // One example, row-major in shape(). Throws as read().
  virtual void read_bytes(uint32_t cls, uint32_t example,
                          uint8_t* out) const = 0;
  virtual ByteScale scale() const = 0;
  void read(uint32_t cls, uint32_t example, float* out) const final;
};

}  // namespace protean
