#include "protean/data/records/synthesise.h"

#include <atomic>
#include <cmath>
#include <mutex>

#include <nlohmann/json.hpp>

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"
#include "protean/core/workers.h"
#include "protean/data/records/dataset_spec.h"
#include "protean/data/records/photo.h"
#include "protean/data/records/tf_example.h"
#include "protean/data/records/tf_record.h"

#include "data/pack_writer.h"

namespace protean {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

uint32_t scaled(uint32_t images, double scale) {
  return std::max(std::min(images, 20u),
                  static_cast<uint32_t>(std::lround(images * scale)));
}

// The spec with other counts; of a graph, its inner nodes hold sums.
json scaled_spec(json root, const DatasetSpec& spec,
                 const std::vector<uint32_t>& images) {
  auto& counts = root["images_per_class"];
  if (spec.rule != ClassRule::graph) {
    for (uint32_t c = 0; c < spec.classes(); ++c)
      counts[std::to_string(c)] = images[c];
    return root;
  }
  static const char* kSplits[] = {"TRAIN", "VALID", "TEST"};
  for (uint32_t c = 0; c < spec.classes(); ++c)
    counts[kSplits[spec.split_of(c)]][spec.class_names[c]] = images[c];
  for (int split = 0; split < 3; ++split)
    for (const auto& node : spec.sets[split]) {
      uint64_t sum = 0;
      for (uint32_t c : node.classes) sum += images[c];
      counts[kSplits[split]][node.name] = sum;
    }
  return root;
}

// One class's file, record after record; whole or not at all.
uint64_t write_class(const fs::path& path, const std::string& name,
                     uint32_t cls, uint32_t images,
                     const SynthesiseOptions& options) {
  FileSink file(path);
  uint64_t size = 0;
  for (uint32_t i = 0; i < images; ++i) {
    const auto record = tf_record(image_example(
        encode_jpeg(synthetic_image(name, cls, i, options.side, options.seed)),
        cls));
    file.write(size, record.data(), record.size());
    size += record.size();
  }
  file.commit();
  return size;
}

void check(const SynthesiseOptions& o) {
  if (!(o.scale > 0 && o.scale <= 1))
    throw ConfigError(
        concat("--scale ", o.scale, "; expected above 0, up to 1"));
  if (o.side < 8 || o.side > 1024)
    throw ConfigError(concat("--side ", o.side, "; expected 8 to 1024 pixels"));
}

}  // namespace

Synthesised synthesise(const fs::path& spec_file, const fs::path& folder,
                       const SynthesiseOptions& options,
                       const std::function<void(uint64_t)>& progress) {
  check(options);
  const std::string text = read_file(spec_file);
  const auto spec = parse_dataset_spec(text, spec_file.string());
  if (spec.name.empty() || spec.name[0] == '.' ||
      spec.name.find('/') != std::string::npos)
    throw DataError(concat(spec_file.string(), ": name = \"", spec.name,
                           "\"; expected one that a folder can have"));
  std::vector<uint32_t> images;
  for (uint32_t n : spec.images) images.push_back(scaled(n, options.scale));
  const json root = scaled_spec(json::parse(text), spec, images);

  const fs::path dir = folder / spec.name;
  if (fs::exists(dir / "dataset_spec.json"))
    throw ConfigError(
        concat(dir.string(), ": there is a data set already; expected none"));
  std::error_code error;
  fs::create_directories(dir, error);
  if (error)
    throw DataError(concat(dir.string(), ": cannot create: ", error.message()));

  std::mutex mutex;
  Synthesised done{spec.name, spec.classes()};
  run_workers(spec.classes(), options.threads, [&](size_t c) {
    const auto cls = static_cast<uint32_t>(c);
    const uint64_t bytes = write_class(dir / concat(cls, ".tfrecords"),
                                       spec.name, cls, images[cls], options);
    std::lock_guard lock(mutex);
    done.images += images[cls];
    done.bytes += bytes;
    if (progress) progress(done.images);
  });
  write_file_atomically(dir / "dataset_spec.json", root.dump());
  return done;
}

}  // namespace protean
