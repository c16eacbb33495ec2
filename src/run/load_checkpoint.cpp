#include <system_error>

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"
#include "protean/core/log.h"
#include "protean/run/checkpoint.h"
#include "protean/run/safetensors.h"

#include "run/checkpoint_folders.h"
#include "run/checkpoint_format.h"

namespace protean {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using namespace checkpoint_format;

std::string checked_file(const fs::path& folder, const Json& manifest,
                         const char* name) {
  const auto& listed = manifest.at("files").at(name);
  const auto path = folder / name;
  std::error_code error;
  const auto expected = listed.at("size").get<uint64_t>();
  const auto size = fs::file_size(path, error);
  if (error)
    throw DataError(path.string() + ": cannot open: " + error.message());
  // The size first: it costs nothing and says more than a checksum.
  if (size != expected)
    throw DataError(
        concat(path.string(), ": ", size, " bytes, expected ", expected));
  auto bytes = read_file(path);
  const auto crc = checksum(bytes);
  if (bytes.size() != expected || crc != listed.at("crc32c"))
    throw DataError(path.string() + ": checksum " + crc + ", expected " +
                    listed.at("crc32c").get<std::string>());
  return bytes;
}

Json read_manifest(const fs::path& folder) {
  const auto path = folder / kManifest;
  std::error_code error;
  if (!fs::exists(path, error))
    throw DataError(path.string() +
                    " is missing: the checkpoint is not complete");
  const auto text = read_file(path);
  auto manifest = Json::parse(text, nullptr, false);
  if (!manifest.is_object())
    throw DataError(concat(path.string(), ": ", text.size(),
                           " bytes that are not a JSON object"));
  // Format and version first: another version may check itself differently.
  if (manifest.value("format", Json()) != kName)
    throw DataError(path.string() + ": format is not " + kName);
  if (manifest.value("version", Json()) != kVersion)
    throw DataError(concat(path.string(), ": format version ",
                           manifest.value("version", Json()).dump(),
                           ", this program reads ", kVersion));
  if (manifest_text(manifest) != text)
    throw DataError(path.string() + ": the manifest's own checksum is wrong");
  return manifest;
}

void copy_parameters(const Safetensors& file, const ParameterSpace& space,
                     const std::string& prefix, std::vector<float>& flat) {
  flat.resize(static_cast<size_t>(space.size()));
  for (const auto& p : space.parameters())
    file.copy_f32(prefix + p.name, p.shape, flat.data() + p.offset);
}

void check_count(const Safetensors& file, const fs::path& path,
                 size_t expected) {
  if (file.entries().size() != expected)
    throw DataError(concat(path.string(), ": ", file.entries().size(),
                           " tensors, expected ", expected));
}

CheckpointState load_checked(const fs::path& folder) {
  const Json manifest = read_manifest(folder);
  CheckpointState s;
  const Json json = Json::parse(checked_file(folder, manifest, kState));
  s.step = json.at("step").get<int64_t>();
  s.best_steps = json.value("best_steps", std::vector<int64_t>());
  s.theta_space = layout_from_json(json.at("theta"));
  s.state_space = layout_from_json(json.at("state"));
  json.at("optimiser").get_to(s.optimiser_names);
  s.optimiser_updates = json.at("optimiser_updates").get<int64_t>();
  s.extra = json.at("extra");

  const auto named = checkpoint_step_of(folder.filename().string());
  if (manifest.at("step") != s.step || (named >= 0 && named != s.step))
    throw DataError(concat(folder.string(), ": holds step ", s.step,
                           ", its manifest says ", manifest.at("step").dump()));
  const auto hash = layout_hash(s.theta_space, s.state_space);
  if (manifest.at("layout_hash") != hash)
    throw DataError(folder.string() + ": layout hash " + hash +
                    ", its manifest says " + manifest.at("layout_hash").dump());

  const auto model_path = folder / kModel;
  const Safetensors model(checked_file(folder, manifest, kModel),
                          model_path.string());
  check_count(model, model_path, s.theta_space.count() + s.state_space.count());
  copy_parameters(model, s.theta_space, "", s.theta);
  copy_parameters(model, s.state_space, kStatePrefix, s.state);

  const auto optimizer_path = folder / kOptimizer;
  const Safetensors optimizer(checked_file(folder, manifest, kOptimizer),
                              optimizer_path.string());
  check_count(optimizer, optimizer_path,
              s.optimiser_names.size() * s.theta_space.count());
  for (const auto& name : s.optimiser_names)
    copy_parameters(optimizer, s.theta_space, name + "/",
                    s.optimiser_buffers.emplace_back());
  return s;
}

}  // namespace

CheckpointState load_checkpoint(const fs::path& folder) {
  try {
    return load_checked(folder);
  } catch (const DataError&) {
    throw;
  } catch (const std::exception& e) {
    // JSON that passed its checksum and still lacks a key, and the like.
    throw DataError(folder.string() + ": " + e.what());
  }
}

std::optional<FoundCheckpoint> find_newest_valid(const fs::path& checkpoints,
                                                 const fs::path& fallback) {
  auto folders = step_folders(checkpoints);
  const auto name = latest_checkpoint_name(checkpoints);
  std::error_code error;
  if (fs::exists(checkpoints / "latest", error) &&
      (checkpoint_step_of(name) < 0 ||
       !fs::is_directory(checkpoints / name, error)))
    log_warning((checkpoints / "latest").string() + " names \"" + name +
                "\", which is not there; the newest valid checkpoint is used");
  if (!fallback.empty()) {
    const auto others = step_folders(fallback);
    folders.insert(folders.end(), others.begin(), others.end());
    sort_step_folders(folders);
  }
  for (const auto& folder : folders) try {
      return FoundCheckpoint{folder.path, load_checkpoint(folder.path)};
    } catch (const Error& e) {
      log_warning("checkpoint " + folder.path.filename().string() +
                  " is not used: " + e.what());
    }
  if (folders.empty()) return std::nullopt;
  throw DataError(concat(checkpoints.string(), ": none of ", folders.size(),
                         " checkpoints is valid (reasons above); remove them "
                         "to start at step 0"));
}

}  // namespace protean
