// libFuzzer: any bytes as a photograph. The result fills its 3 planes, no more.
#include <cstdlib>
#include <string>
#include <vector>

#include "protean/core/error.h"
#include "protean/data/records/photo.h"

using namespace protean;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  constexpr uint32_t kSide = 9;
  std::vector<uint8_t> out(3 * kSide * kSide);
  try {
    decode_photo(bytes, kSide, "f", out.data());
  } catch (const DataError& e) {
    if (std::string(e.what()).rfind("f: ", 0) != 0) std::abort();
  }
  return 0;
}
