#include "protean/trainer/interval.h"

#include <array>
#include <cmath>
#include <limits>

namespace protean {
namespace {

constexpr size_t kMany = 30;
// The 97.5 % point of Student's t with 1 to 28 degrees of freedom.
constexpr std::array<double, kMany - 2> kStudent = {
    12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646,
    2.3060,  2.2622, 2.2281, 2.2010, 2.1788, 2.1604, 2.1448,
    2.1314,  2.1199, 2.1098, 2.1009, 2.0930, 2.0860, 2.0796,
    2.0739,  2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484};

}  // namespace

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (double v : values) sum += v;
  return sum / static_cast<double>(values.size());
}

double interval95(const std::vector<double>& values) {
  const size_t count = values.size();
  if (count < 2) return std::numeric_limits<double>::quiet_NaN();
  const double m = mean(values), n = static_cast<double>(count);
  double squares = 0;
  for (double v : values) squares += (v - m) * (v - m);
  return count < kMany ? kStudent[count - 2] * std::sqrt(squares / (n - 1) / n)
                       : 1.96 * std::sqrt(squares / n) / std::sqrt(n);
}

}  // namespace protean
