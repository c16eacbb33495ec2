#include "tasks/by_weight.h"

#include <charconv>
#include <cmath>

#include "protean/core/error.h"
#include "protean/core/lists.h"

namespace protean {
namespace {

double sum_of(const std::vector<float>& weights) {
  double sum = 0;
  for (float w : weights) sum += w;
  return sum;
}

}  // namespace

void check_weights(const char* key, const std::vector<float>& weights,
                   size_t count) {
  for (float w : weights)
    if (!(w >= 0 && std::isfinite(w)))
      throw ConfigError(
          concat(key, ": weight ", w, "; expected a number, 0 or above"));
  const double sum = sum_of(weights);
  if (weights.size() != count || !(sum > 0))
    throw ConfigError(concat(key, ": ", weights.size(), " weights that sum to ",
                             sum, " for ", count,
                             " sources; expected one each, one above 0"));
}

std::vector<float> parse_weights(const std::string& text, size_t count) {
  std::vector<float> weights;
  for (const auto& item : comma_separated(text)) {
    const char* const end = item.data() + item.size();
    float weight = 0;
    const auto read = std::from_chars(item.data(), end, weight);
    if (read.ec != std::errc() || read.ptr != end)
      throw ConfigError(concat("data.weights = \"", text, "\": \"", item,
                               "\" is no number; expected one for each data "
                               "set, such as 1,1"));
    weights.push_back(weight);
  }
  check_weights("data.weights", weights, count);
  return weights;
}

uint32_t by_weight(const std::vector<float>& weights, double uniform) {
  double at = uniform * sum_of(weights);
  uint32_t place = 0;
  // The last one with a weight takes what rounding leaves over.
  for (uint32_t i = 0; i < weights.size(); ++i) {
    if (!(weights[i] > 0)) continue;
    place = i;
    if (at < weights[i]) break;
    at -= weights[i];
  }
  return place;
}

}  // namespace protean
