#include "protean/data/records/verify.h"

#include <algorithm>
#include <mutex>

#include <nlohmann/json.hpp>

#include "protean/core/error.h"
#include "protean/core/workers.h"

namespace protean {

nlohmann::json describe(const SpecDataset& data) {
  const auto& spec = data.spec();
  static const char* kSplits[] = {"train", "validation", "test"};
  static const char* kRules[] = {"flat", "groups", "graph"};
  const auto images = spec.images_per_split();
  auto splits = nlohmann::json::object();
  size_t groups = 0;
  for (int split = 0; split < 3; ++split) {
    splits[kSplits[split]] = {{"classes", spec.classes_per_split[split]},
                              {"images", images[split]},
                              {"sets", spec.sets[split].size()}};
    if (spec.rule == ClassRule::groups) groups += spec.sets[split].size();
  }
  const auto [least, most] =
      std::minmax_element(spec.images.begin(), spec.images.end());
  return {{"name", spec.name},
          {"kind", data.kind()},
          {"rule", kRules[static_cast<int>(spec.rule)]},
          {"classes", spec.classes()},
          {"images", images[0] + images[1] + images[2]},
          {"groups", groups},
          {"smallest_class", spec.images.empty() ? 0 : *least},
          {"largest_class", spec.images.empty() ? 0 : *most},
          {"identity", data.identity()},
          {"splits", splits}};
}

std::vector<std::string> verify(const SpecDataset& data, int threads,
                                const std::function<void(uint64_t)>& progress) {
  std::vector<std::string> damage(data.classes());
  std::mutex mutex;
  uint64_t done = 0;
  run_workers(data.classes(), threads, [&](size_t c) {
    const auto cls = static_cast<uint32_t>(c);
    size_t values = 1;
    for (int64_t d : data.shape()) values *= static_cast<size_t>(d);
    std::vector<uint8_t> pixels(values);
    try {
      for (uint32_t i = 0; i < data.size(cls); ++i)
        data.read_bytes(cls, i, pixels.data());
    } catch (const DataError& e) {
      damage[c] = e.what();
    }
    std::lock_guard lock(mutex);
    done += data.size(cls);
    if (progress) progress(done);
  });
  std::erase(damage, "");
  return damage;
}

}  // namespace protean
