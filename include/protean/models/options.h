// Which network, and how it starts: section `model` of the configuration. What
// each field is, its unit and its range: src/models/options.cpp, or `protean
// config --explain model.NAME`.
#pragma once

#include <cstdint>
#include <string>

namespace protean {

struct ModelOptions {
  std::string name = "conv4";  // of a row of the table of networks
  int64_t filters = 64;
  std::string pool = "max";
  int64_t pool_blocks = 4;
  std::string norm = "batch";
  bool norm_scale = true;
  double norm_eps = 1e-5;
  std::string hidden = "40,40";
  int64_t context = 0;
  double leak = 0;
  int64_t width = 64;
  int64_t layers = 2;
  int64_t heads = 4;

  std::string init = "xavier";
  std::string head_init;  // empty: as init
  std::string init_from;
  std::string init_part;
};

}  // namespace protean
