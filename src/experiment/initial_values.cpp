#include "protean/experiment/initial_values.h"

#include <filesystem>

#include <ATen/ATen.h>

#include "protean/core/error.h"
#include "protean/generative/spectral_norm.h"

namespace protean {
namespace {

const Parameter* find(const ParameterSpace& space, const std::string& name) {
  for (const auto& p : space.parameters())
    if (p.name == name) return &p;
  return nullptr;
}

std::string shapes(const ParameterSpace& space, const std::string& prefix) {
  std::string text;
  for (const auto& p : space.parameters()) {
    if (!p.name.starts_with(prefix) || p.shape.size() < 2) continue;
    text += concat(text.empty() ? "" : ", ", p.name, " ", p.shape[0]);
    for (size_t d = 1; d < p.shape.size(); ++d) text += concat("x", p.shape[d]);
  }
  return text;
}

// By its largest singular value.
at::Tensor at_norm_one(const at::Tensor& weight) {
  constexpr int kRounds = 40;  // of power iterations
  const auto w = weight.unsqueeze(0);
  auto between = stretch(w);
  for (int i = 0; i < kRounds; ++i)
    between = stretch(w, between.left.flatten());
  return spectral_norm(w, between).squeeze(0);
}

}  // namespace

int64_t copy_initial_values(const ModelOptions& o, const ParameterSpace& space,
                            at::Tensor& theta) {
  const bool judge = o.init_part == "discriminator";
  if (!o.init_part.empty() && o.init_part != "encoder" && !judge)
    throw ConfigError(
        "model.init_part = \"" + o.init_part +
        "\"; expected one of: encoder, discriminator, or nothing");
  const auto found =
      find_newest_valid(std::filesystem::path(o.init_from) / "checkpoints", {});
  if (!found)
    throw ConfigError("model.init_from = " + o.init_from +
                      ": no checkpoint there; expected the folder of a run");
  const auto& from = found->state;
  const std::string prefix = o.init_part.empty() ? "" : o.init_part + ".";
  // A judge's weights act by their spectral norm, where it had one.
  const nlohmann::json::json_pointer key(
      "/identity/keys/generator.spectral_norm");
  const bool normed =
      judge && from.extra.value(key, std::string("true")) == "true";
  int64_t copied = 0;
  for (const auto& p : space.parameters()) {
    const auto* const source = find(from.theta_space, prefix + p.name);
    if (!source || source->shape != p.shape) continue;
    auto values = at::empty(p.shape, at::kFloat);
    std::copy_n(from.theta.data() + source->offset, p.size,
                values.data_ptr<float>());
    if (normed && p.shape.size() > 1) values = at_norm_one(values);
    theta.narrow(0, p.offset, p.size).copy_(values.flatten());
    ++copied;
  }
  if (copied == 0)
    throw ConfigError(concat(
        "model.init_from = ", o.init_from, ": no parameter fits; it has ",
        shapes(from.theta_space, prefix), "; expected ", shapes(space, "")));
  return copied;
}

}  // namespace protean
