#include "protean/trainer/checkpoint.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <functional>

#include <fcntl.h>
#include <unistd.h>

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"
#include "protean/core/fault_points.h"
#include "protean/core/hash.h"
#include "protean/core/log.h"
#include "protean/trainer/safetensors.h"

namespace protean {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* kFormat = "protean-checkpoint";
constexpr int kFormatVersion = 1;
constexpr const char* kModel = "model.safetensors";
constexpr const char* kOptimizer = "optimizer.safetensors";
constexpr const char* kState = "state.json";
constexpr const char* kManifest = "manifest.json";
constexpr const char* kStatePrefix = "state/";
// An older step-N that is being replaced by a new one of the same step.
constexpr const char* kReplaced = ".replaced";

std::string hex(uint64_t value, int digits) {
  char text[17];
  std::snprintf(text, sizeof text, "%0*llx", digits,
                static_cast<unsigned long long>(value));
  return text;
}

// Bad UTF-8 in the trainer's values must not lose a checkpoint.
std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

// --- files -------------------------------------------------------------------

std::string model_file(const CheckpointState& s) {
  std::vector<TensorToStore> tensors;
  for (const auto& p : s.theta_space.parameters())
    tensors.push_back(
        {p.name, StoredType::f32, p.shape, s.theta.data() + p.offset});
  for (const auto& p : s.state_space.parameters())
    tensors.push_back({kStatePrefix + p.name, StoredType::f32, p.shape,
                       s.state.data() + p.offset});
  return to_safetensors(tensors,
                        {{"format", "pt"}, {"step", std::to_string(s.step)}});
}

std::string optimizer_file(const CheckpointState& s) {
  std::vector<TensorToStore> tensors;
  for (size_t i = 0; i < s.optimiser_names.size(); ++i)
    for (const auto& p : s.theta_space.parameters())
      tensors.push_back({s.optimiser_names[i] + "/" + p.name, StoredType::f32,
                         p.shape, s.optimiser_buffers[i].data() + p.offset});
  return to_safetensors(tensors,
                        {{"format", "pt"}, {"step", std::to_string(s.step)}});
}

Json layout_to_json(const ParameterSpace& space) {
  Json layout = Json::array();
  for (const auto& p : space.parameters())
    layout.push_back({{"name", p.name}, {"shape", p.shape}});
  return layout;
}

ParameterSpace layout_from_json(const Json& layout) {
  ParameterSpace space;
  for (const auto& p : layout)
    space.add(p.at("name").get<std::string>(),
              p.at("shape").get<std::vector<int64_t>>());
  return space;
}

std::string state_file(const CheckpointState& s) {
  return dump({{"step", s.step},
               {"best_steps", s.best_steps},
               {"theta", layout_to_json(s.theta_space)},
               {"state", layout_to_json(s.state_space)},
               {"optimiser", s.optimiser_names},
               {"optimiser_updates", s.optimiser_updates},
               {"extra", s.extra}});
}

// The manifest guards itself too: it carries the checksum of its own text
// without that checksum, and has exactly one spelling.
std::string manifest_file(Json manifest) {
  manifest.erase("crc32c");
  const auto text = manifest.dump();
  manifest["crc32c"] = hex(crc32c(text.data(), text.size()), 8);
  return manifest.dump() + "\n";
}

void check_sizes(const CheckpointState& s) {
  const auto check = [&](const std::string& what, size_t size,
                         const ParameterSpace& space) {
    if (size != static_cast<size_t>(space.size()))
      throw Error(concat("checkpoint of step ", s.step, ": ", what, " has ",
                         size, " values, expected ", space.size()));
  };
  check("theta", s.theta.size(), s.theta_space);
  check("the meta-state", s.state.size(), s.state_space);
  if (s.optimiser_names.size() != s.optimiser_buffers.size())
    throw Error(concat("checkpoint of step ", s.step, ": ",
                       s.optimiser_buffers.size(), " optimiser buffers, ",
                       s.optimiser_names.size(), " names"));
  for (size_t i = 0; i < s.optimiser_names.size(); ++i)
    check("optimiser buffer " + s.optimiser_names[i],
          s.optimiser_buffers[i].size(), s.theta_space);
}

// --- folders -----------------------------------------------------------------

std::string folder_name(int64_t step) { return "step-" + std::to_string(step); }

// N of "step-N" or "step-N.replaced"; -1 for any other name.
int64_t step_of(std::string name) {
  if (name.ends_with(kReplaced))
    name.resize(name.size() - std::strlen(kReplaced));
  if (!name.starts_with("step-")) return -1;
  int64_t step = -1;
  const char* end = name.data() + name.size();
  const auto [at, error] = std::from_chars(name.data() + 5, end, step);
  return error == std::errc() && at == end && name == folder_name(step) ? step
                                                                        : -1;
}

struct StepFolder {
  int64_t step;
  fs::path path;
  bool replaced() const { return path.extension() == kReplaced; }
};

// Newest first; a replaced one after its successor.
std::vector<StepFolder> step_folders(const fs::path& checkpoints) {
  std::vector<StepFolder> folders;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(checkpoints, error)) {
    const auto step = step_of(entry.path().filename().string());
    if (step >= 0) folders.push_back({step, entry.path()});
  }
  std::sort(folders.begin(), folders.end(), [](const auto& a, const auto& b) {
    return a.step != b.step ? a.step > b.step : a.replaced() < b.replaced();
  });
  return folders;
}

// What `latest` names, "" when there is no such file.
std::string latest_name(const fs::path& checkpoints) {
  std::error_code error;
  if (!fs::exists(checkpoints / "latest", error)) return "";
  try {
    auto name = read_file(checkpoints / "latest");
    while (!name.empty() && (name.back() == '\n' || name.back() == '\r'))
      name.pop_back();
    return name;
  } catch (const std::exception&) {
    return "";  // a folder of that name, a bad sector
  }
}

void rename_or_throw(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error)
    throw DataError(concat(from.string(), ": cannot rename to ",
                           to.filename().string(), ": ", error.message()));
}

// Under another name first: a half-removed step-N would be met, and warned
// about, by a resume.
void remove_checkpoint(const fs::path& folder) {
  const fs::path aside = folder.string() + ".tmp";
  rename_or_throw(folder, aside);
  fault_point("checkpoint.between_prune");
  std::error_code error;
  fs::remove_all(aside, error);
  if (error)
    throw DataError(aside.string() + ": cannot remove: " + error.message());
}

// What killed processes left behind: half-written folders, and checkpoints that
// were already replaced.
void remove_leftovers(const fs::path& checkpoints) {
  std::error_code error;
  std::vector<fs::path> leftovers;
  for (const auto& entry : fs::directory_iterator(checkpoints, error)) {
    const auto name = entry.path().filename().string();
    const bool ours = name == "latest.tmp" ||
                      (name.starts_with("step-") && name.ends_with(".tmp"));
    const bool replaced = name.ends_with(kReplaced) && step_of(name) >= 0 &&
                          fs::exists(checkpoints / folder_name(step_of(name)));
    if (ours || replaced) leftovers.push_back(entry.path());
  }
  for (const auto& path : leftovers) fs::remove_all(path, error);
}

void move_into_place(const fs::path& aside, const fs::path& folder) {
  std::error_code error;
  if (!fs::exists(folder, error)) {
    rename_or_throw(aside, folder);
    return;
  }
  // Two renames; between them the older one is found under its other name.
  const fs::path replaced = folder.string() + kReplaced;
  fs::remove_all(replaced, error);
  rename_or_throw(folder, replaced);
  try {
    fault_point("checkpoint.between_renames");
    rename_or_throw(aside, folder);
  } catch (...) {
    fs::rename(replaced, folder, error);
    throw;
  }
}

// --- loading -----------------------------------------------------------------

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
  const auto crc = hex(crc32c(bytes.data(), bytes.size()), 8);
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
  if (manifest.value("format", Json()) != kFormat)
    throw DataError(path.string() + ": format is not " + kFormat);
  if (manifest.value("version", Json()) != kFormatVersion)
    throw DataError(concat(path.string(), ": format version ",
                           manifest.value("version", Json()).dump(),
                           ", this program reads ", kFormatVersion));
  if (manifest_file(manifest) != text)
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

  const auto named = step_of(folder.filename().string());
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

void validate(const CheckpointOptions& o) {
  const auto fail = [](const char* key, auto value, const char* expected) {
    throw ConfigError(
        concat("checkpoint.", key, " = ", value, "; expected ", expected));
  };
  const auto seconds = [&](const char* key, double value) {
    if (!(value >= 0) || !std::isfinite(value))
      fail(key, value, "seconds >= 0");
  };
  if (o.every < 0) fail("every", o.every, "steps >= 0 (0 = only at the end)");
  if (o.keep < 1) fail("keep", o.keep, "at least 1");
  if (o.keep_best < 1) fail("keep_best", o.keep_best, "at least 1");
  if (o.keep_every < 0)
    fail("keep_every", o.keep_every, "steps >= 0 (0 = off)");
  seconds("every_s", o.every_s);
  seconds("wait_s", o.wait_s);
  seconds("grace_s", o.grace_s);
}

std::string theta_sha256(std::span<const float> theta) {
  return sha256_hex(theta.data(), theta.size_bytes());
}

std::string theta_sha256(const CheckpointState& s) {
  return theta_sha256(std::span<const float>(s.theta));
}

std::string state_sha256(const CheckpointState& s) {
  Sha256 sha;
  sha.add(s.state.data(), s.state.size() * sizeof(float));
  for (const auto& buffer : s.optimiser_buffers)
    sha.add(buffer.data(), buffer.size() * sizeof(float));
  return sha.hex();
}

std::string layout_hash(const ParameterSpace& theta,
                        const ParameterSpace& state) {
  Hash64 hash;
  hash.add(theta.layout_hash());
  hash.add(state.layout_hash());
  return hex(hash.value(), 16);
}

std::string layout_difference(const ParameterSpace& stored,
                              const ParameterSpace& expected) {
  const auto describe = [](const ParameterSpace& space, size_t i) {
    if (i >= space.count()) return std::string("nothing");
    const auto& p = space.parameters()[i];
    std::string text = p.name + " [";
    for (size_t k = 0; k < p.shape.size(); ++k)
      text.append(k ? "," : "").append(std::to_string(p.shape[k]));
    return text + "]";
  };
  for (size_t i = 0; i < std::max(stored.count(), expected.count()); ++i) {
    const auto a = describe(stored, i), b = describe(expected, i);
    if (a != b)
      return concat("parameter ", i, " is ", a, " in the checkpoint, ", b,
                    " in this run");
  }
  return "";
}

fs::path save_checkpoint(const CheckpointState& state,
                         const fs::path& checkpoints) {
  arm_faults();
  check_sizes(state);
  const fs::path folder = checkpoints / folder_name(state.step);
  const fs::path aside = folder.string() + ".tmp";
  std::error_code error;
  fs::create_directories(checkpoints, error);
  if (error)
    throw DataError(checkpoints.string() +
                    ": cannot create folder: " + error.message());
  try {
    fault_point("checkpoint.begin");
    remove_leftovers(checkpoints);
    fs::create_directory(aside, error);
    if (error)
      throw DataError(aside.string() +
                      ": cannot create folder: " + error.message());
    fault_point("checkpoint.after_mkdir");

    Json manifest = {
        {"format", kFormat},
        {"version", kFormatVersion},
        {"step", state.step},
        {"layout_hash", layout_hash(state.theta_space, state.state_space)}};
    const auto write = [&](const char* name, const std::string& bytes) {
      write_file_synced(aside / name, bytes);
      manifest["files"][name] = {
          {"size", bytes.size()},
          {"crc32c", hex(crc32c(bytes.data(), bytes.size()), 8)}};
    };
    write(kModel, model_file(state));
    fault_point("checkpoint.after_model");
    write(kOptimizer, optimizer_file(state));
    fault_point("checkpoint.after_optimizer");
    write(kState, state_file(state));
    fault_point("checkpoint.after_state");
    write_file_synced(aside / kManifest, manifest_file(manifest));
    fault_point("checkpoint.after_manifest");
    sync_directory(aside);
    fault_point("checkpoint.after_sync");
    move_into_place(aside, folder);
  } catch (...) {
    fs::remove_all(aside, error);
    throw;
  }
  fault_point("checkpoint.after_rename");
  sync_directory(checkpoints);
  fault_point("checkpoint.after_sync_folder");
  write_file_atomically(checkpoints / "latest", folder_name(state.step) + "\n");
  fault_point("checkpoint.after_latest");
  remove_leftovers(checkpoints);  // the one that this one replaced
  return folder;
}

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
  const auto name = latest_name(checkpoints);
  std::error_code error;
  if (fs::exists(checkpoints / "latest", error) &&
      (step_of(name) < 0 || !fs::is_directory(checkpoints / name, error)))
    log_warning((checkpoints / "latest").string() + " names \"" + name +
                "\", which is not there; the newest valid checkpoint is used");
  if (!fallback.empty()) {
    const auto others = step_folders(fallback);
    folders.insert(folders.end(), others.begin(), others.end());
    std::stable_sort(folders.begin(), folders.end(),
                     [](const auto& a, const auto& b) {
                       return a.step != b.step ? a.step > b.step
                                               : a.replaced() < b.replaced();
                     });
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

std::vector<int64_t> checkpoint_steps(const fs::path& checkpoints) {
  std::vector<int64_t> steps;
  for (const auto& folder : step_folders(checkpoints))
    steps.push_back(folder.step);
  return steps;
}

void prune_checkpoints(const fs::path& checkpoints,
                       const CheckpointOptions& options,
                       const std::vector<int64_t>& best_steps) {
  const auto stays = [&](int64_t step) {
    return (options.keep_every > 0 && step % options.keep_every == 0) ||
           std::find(best_steps.begin(), best_steps.end(), step) !=
               best_steps.end();
  };
  const auto latest = step_of(latest_name(checkpoints));
  int kept = 0;
  for (const auto& folder : step_folders(checkpoints)) {
    if (folder.step > latest) continue;
    ++kept;
    if (kept <= options.keep || folder.step == latest || stays(folder.step))
      continue;
    remove_checkpoint(folder.path);
  }
  fault_point("checkpoint.after_prune");
}

void drop_checkpoints_from(const fs::path& checkpoints, int64_t step) {
  std::string newest;
  for (const auto& folder : step_folders(checkpoints)) {
    if (folder.step >= step)
      remove_checkpoint(folder.path);
    else if (newest.empty())
      newest = folder_name(folder.step);
  }
  std::error_code error;
  if (!newest.empty())
    write_file_atomically(checkpoints / "latest", newest + "\n");
  else
    fs::remove(checkpoints / "latest", error);
}

fs::path fallback_checkpoints(const CheckpointOptions& options,
                              const fs::path& run_dir) {
  if (options.fallback_dir.empty()) return {};
  auto run = fs::weakly_canonical(run_dir);
  if (!run.has_filename()) run = run.parent_path();
  const auto text = run.string();
  return fs::path(options.fallback_dir) /
         (run.filename().string() + "-" +
          hex(crc32c(text.data(), text.size()), 8));
}

}  // namespace protean
