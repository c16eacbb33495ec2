// Errors of values, as eval and adapt tell them.
#pragma once

#include <cstdio>

#include "protean/evaluation/value_errors.h"

namespace protean {

// "reading: RMSE 0.31, MAE 0.25, R2 0.99 over 12 rows"
inline void print(const ValueErrors& e) {
  std::printf("%s: RMSE %.4g, MAE %.4g, R2 %.4g over %lld rows\n",
              e.target.c_str(), e.rmse, e.mae, e.r2,
              static_cast<long long>(e.rows));
}

}  // namespace protean
