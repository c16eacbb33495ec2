// Learners that act: section `policy` of the configuration. What each field is,
// its unit and its range: src/rl/options.cpp, or `protean config --explain
// policy.NAME`.
#pragma once

namespace protean {

struct PolicyOptions {
  double deviation = 1;
  double discount = 0.99;
  double trace = 1;
  double later_rate = 0.5;
  // promp alone.
  double clip = 0.3;
  double divergence = 5e-4;
  int epochs = 5;

  bool operator==(const PolicyOptions&) const = default;
};

}  // namespace protean
