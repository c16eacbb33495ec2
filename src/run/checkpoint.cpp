#include "protean/run/checkpoint.h"

#include <algorithm>
#include <cmath>

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"
#include "protean/core/fault_points.h"
#include "protean/core/hash.h"
#include "protean/run/safetensors.h"

#include "run/checkpoint_folders.h"
#include "run/checkpoint_format.h"

namespace protean {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using namespace checkpoint_format;

// Bad UTF-8 in the trainer's values must not lose a checkpoint.
std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

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

std::string state_file(const CheckpointState& s) {
  return dump({{"step", s.step},
               {"best_steps", s.best_steps},
               {"theta", layout_to_json(s.theta_space)},
               {"state", layout_to_json(s.state_space)},
               {"optimiser", s.optimiser_names},
               {"optimiser_updates", s.optimiser_updates},
               {"extra", s.extra}});
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
  const fs::path folder = checkpoints / checkpoint_folder_name(state.step);
  const fs::path aside = folder.string() + ".tmp";
  std::error_code error;
  fs::create_directories(checkpoints, error);
  if (error)
    throw DataError(checkpoints.string() +
                    ": cannot create folder: " + error.message());
  try {
    fault_point("checkpoint.begin");
    remove_checkpoint_leftovers(checkpoints);
    fs::create_directory(aside, error);
    if (error)
      throw DataError(aside.string() +
                      ": cannot create folder: " + error.message());
    fault_point("checkpoint.after_mkdir");

    Json manifest = {
        {"format", kName},
        {"version", kVersion},
        {"step", state.step},
        {"layout_hash", layout_hash(state.theta_space, state.state_space)}};
    const auto write = [&](const char* name, const std::string& bytes) {
      write_file_synced(aside / name, bytes);
      manifest["files"][name] = {{"size", bytes.size()},
                                 {"crc32c", checksum(bytes)}};
    };
    write(kModel, model_file(state));
    fault_point("checkpoint.after_model");
    write(kOptimizer, optimizer_file(state));
    fault_point("checkpoint.after_optimizer");
    write(kState, state_file(state));
    fault_point("checkpoint.after_state");
    write_file_synced(aside / kManifest, manifest_text(manifest));
    fault_point("checkpoint.after_manifest");
    sync_directory(aside);
    fault_point("checkpoint.after_sync");
    move_checkpoint_into_place(aside, folder);
  } catch (...) {
    fs::remove_all(aside, error);
    throw;
  }
  fault_point("checkpoint.after_rename");
  sync_directory(checkpoints);
  fault_point("checkpoint.after_sync_folder");
  write_file_atomically(checkpoints / "latest",
                        checkpoint_folder_name(state.step) + "\n");
  fault_point("checkpoint.after_latest");
  remove_checkpoint_leftovers(checkpoints);  // the one that this one replaced
  return folder;
}

}  // namespace protean
