// libFuzzer: any bytes as a dataset_spec.json. What is accepted adds up.
#include <cstdlib>
#include <string>

#include "protean/core/error.h"
#include "protean/data/records/dataset_spec.h"

using namespace protean;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    const auto spec = parse_dataset_spec(text, "f");
    uint64_t classes = 0;
    for (int split = 0; split < 3; ++split) {
      classes += spec.classes_per_split[split];
      for (const auto& set : spec.sets[split])
        for (uint32_t c : set.classes)
          if (c >= spec.classes() || spec.split_of(c) != split) std::abort();
    }
    if (classes != spec.classes() ||
        spec.class_names.size() != spec.classes() ||
        spec.groups.size() != spec.classes())
      std::abort();
    spec.identity();
  } catch (const DataError& e) {
    if (std::string(e.what()).rfind("f: ", 0) != 0) std::abort();
  }
  return 0;
}
