// What `protean eval` says of a result on stdout.
#pragma once

#include <nlohmann/json.hpp>

#include "protean/trainer/evaluate.h"

namespace protean {

// In words: a line or two.
void print(const EvalResult& result);
// Of sample_quality().
void print_quality(const nlohmann::json& quality);
// One object, on a line.
void print_json(const nlohmann::json& json);

}  // namespace protean
