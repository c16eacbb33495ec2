#include "protean/data/byte_dataset.h"

#include <vector>

namespace protean {

std::array<float, 256> ByteScale::values() const {
  std::array<float, 256> table;
  for (int v = 0; v < 256; ++v)
    table[v] = static_cast<float>(low + (double{high} - low) * v / 255);
  return table;
}

void ByteDataset::read(uint32_t cls, uint32_t example, float* out) const {
  size_t values = 1;
  for (int64_t d : shape()) values *= static_cast<size_t>(d);
  thread_local std::vector<uint8_t> bytes;
  bytes.resize(values);
  read_bytes(cls, example, bytes.data());
  const auto table = scale().values();
  for (size_t i = 0; i < values; ++i) out[i] = table[bytes[i]];
}

}  // namespace protean
