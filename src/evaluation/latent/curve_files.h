// A factor curve as files: curve.csv, curve.svg, and its part of latent.json.
#pragma once

#include <nlohmann/json.hpp>

#include "protean/core/svg_plot.h"
#include "protean/generative/analysis/factor_curve.h"

namespace protean {

// A row per path and factor, and one for real images, which have no factor.
std::string to_csv(const FactorCurve& curve);
// Frechet distances; those of real images are the floor.
Plot to_plot(const FactorCurve& curve, const std::string& features);
nlohmann::json to_json(const FactorCurve& curve);

}  // namespace protean
