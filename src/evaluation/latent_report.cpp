#include "protean/evaluation/latent_report.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "protean/core/error.h"
#include "protean/core/hash.h"
#include "protean/core/log.h"
#include "protean/core/new_folder.h"
#include "protean/core/philox.h"

#include "evaluation/latent/character_sheet.h"
#include "evaluation/latent/code_groups.h"
#include "evaluation/latent/code_maps.h"
#include "evaluation/latent/curve_files.h"
#include "evaluation/latent/direction_sheet.h"

namespace protean {
namespace {

constexpr int64_t kMostClasses = 500;

// Places in run.classes.
std::vector<uint32_t> shown_classes(const LatentRun& run, int64_t count) {
  const auto available = static_cast<int64_t>(run.classes.size());
  const auto most = std::min(available, kMostClasses);
  if (count < 2 || count > most)
    throw ConfigError(concat("--classes ", count, "; expected 2 to ", most,
                             most < available ? ""
                                              : ", the classes of "
                                                "eval.stream"));
  return Draws(run.seed, {Stream::generator, 1, 0}, Purpose::classes)
      .sample(run.classes.size(), static_cast<uint64_t>(count));
}

// A map has two axes, and three points at least.
void check_plane(const LatentRun& run, const std::vector<uint32_t>& shown) {
  if (run.learner->code_size() < 2)
    throw ConfigError(
        "latent draws maps of codes, and generator.code = 1 leaves them one "
        "axis; expected a run with 2 or more");
  int64_t images = 0;
  for (uint32_t c : shown) images += run.data->size(run.classes[c]);
  if (images < 3)
    throw ConfigError(concat("--classes ", shown.size(), " shows ", images,
                             " images; expected classes with 3 or more"));
}

// Codes of single images as features.
ImageFeatures own_codes(const LatentRun& run) {
  const Phi phi = run.learner->start(run.meta);
  const auto theta = run.meta.theta.contiguous();
  return {"the run's own codes",
          sha256_hex(theta.data_ptr(), static_cast<size_t>(theta.nbytes())),
          [&run, phi](const at::Tensor& x) {
            return run.learner->embed(phi, x.unsqueeze(0))[0];
          }};
}

nlohmann::json write_curve(const LatentRun& run, const ImageFeatures& given,
                           const NewFolder& folder) {
  const auto features = given.of ? given : own_codes(run);
  FactorCurveOptions options;
  options.seed = run.seed;
  const auto curve = factor_curve(*run.learner, run.meta, *run.data,
                                  run.classes, features.of, options);
  if (curve.factors.empty()) {
    log_warning(
        "latent: no curve.csv and curve.svg: the classes hold too few images");
    return nullptr;
  }
  folder.write("curve.csv", to_csv(curve));
  folder.write("curve.svg", to_svg(to_plot(curve, features.name)));
  auto json = to_json(curve);
  json["features"] = features.name;
  json["features_sha256"] = features.sha256;
  return json;
}

}  // namespace

nlohmann::json write_latent_report(const Experiment& e, const MetaView& meta,
                                   Stream stream, const LatentOptions& o,
                                   const ImageFeatures& features,
                                   const std::filesystem::path& out) {
  at::NoGradGuard no_grad;
  const LatentRun run{generative_learner(e, "latent"), meta, e.tasks.examples,
                      e.tasks.splits.of(stream), o.seed};
  need_found_codes(*run.learner, "latent");
  const auto shown = shown_classes(run, o.classes);
  check_plane(run, shown);
  NewFolder folder(out, "--out");
  nlohmann::json result;
  if (!o.from.empty()) {
    const auto sheet = direction_sheet(run, {o.from, o.to, o.low, o.high});
    folder.write("direction.png", sheet.png);
    result["direction"] = sheet.json;
  }
  std::vector<uint32_t> numbers;
  for (uint32_t c : shown) numbers.push_back(run.classes[c]);
  folder.write("characters.png", character_sheet(run, numbers));

  const auto codes = run.codes();
  int64_t images = 0;
  for (const auto& of_class : codes) images += of_class.size(0);
  const auto maps = code_maps(run, codes, shown);
  folder.write("map.svg", maps.principal);
  folder.write("map-tsne.svg", maps.neighbours);
  const auto groups = code_groups(codes, o.seed);
  result.update(groups.at("k_means"));
  result.update({{"classes", codes.size()},
                 {"images", images},
                 {"clusters", codes.size()},
                 {"groups", groups},
                 {"plane_variance", maps.plane_variance},
                 {"perplexity", maps.perplexity},
                 {"curve", write_curve(run, features, folder)}});
  folder.write("latent.json", result.dump(2) + "\n");
  folder.finish();
  return result;
}

}  // namespace protean
