// How far a mean may be from what it is an estimate of.
#pragma once

#include <vector>

namespace protean {

double mean(const std::vector<double>& values);

// Half the 95 % interval of the mean: 1.96 standard errors with the population
// deviation, or below 30 values Student's t with the sample's (n - 1). NaN for
// one value, which says nothing of it.
double interval95(const std::vector<double>& values);

}  // namespace protean
