// How a checkpoint's files are spelt: what its writing and its reading share.
#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

#include "protean/core/parameter_space.h"

namespace protean::checkpoint_format {

constexpr const char* kName = "protean-checkpoint";
constexpr int kVersion = 1;
constexpr const char* kModel = "model.safetensors";
constexpr const char* kOptimizer = "optimizer.safetensors";
constexpr const char* kState = "state.json";
constexpr const char* kManifest = "manifest.json";
constexpr const char* kStatePrefix = "state/";

std::string hex(uint64_t value, int digits);
// The CRC32C of some bytes, as it stands in a manifest.
std::string checksum(const std::string& bytes);

nlohmann::json layout_to_json(const ParameterSpace& space);
ParameterSpace layout_from_json(const nlohmann::json& layout);

// The manifest guards itself too: its text carries the checksum of itself
// without that checksum, and has exactly one spelling.
std::string manifest_text(nlohmann::json manifest);

}  // namespace protean::checkpoint_format
