// Generative models, and the tasks that they make: section `generator` of the
// configuration. What each field is, its unit and its range:
// src/generative/options.cpp, or `protean config --explain generator.NAME`.
#pragma once

#include <cstdint>
#include <string>

namespace protean {

struct GeneratorOptions {
  std::string network = "convolutions";
  int64_t filters = 32;
  int64_t features = 128;
  int64_t hidden = 256;
  int64_t code = 64;
  int64_t latent = 16;
  bool encoder = true;
  std::string pooling = "moments";
  bool random_shots = true;
  bool binary = true;
  bool task_norm = false;

  // Its own loss.
  double code_weight = 0.05;
  int64_t bound_samples = 10;
  int64_t warm_up = 0;
  // Inner steps of metavae and metagan.
  std::string meta = "maml";
  double proximal = 0;

  // metagan alone; the weights of terms that are 0 leave them out.
  double adversary = 10;
  std::string loss = "hinge";
  std::string reconstruct = "bound";
  std::string noise = "normal";
  bool task_code = true;
  bool spectral_norm = true;
  double r1 = 1;
  int64_t r1_every = 8;
  double anchor = 0.1;
  double variance = 0;
  double mode_seeking = 1;
  double image_variance = 0;
  double code_cycle = 0;
  double average = 0.999;

  bool operator==(const GeneratorOptions&) const = default;
};

// Tasks that a trained generator makes (task.mix); the formulas are in
// generated_tasks.h.
struct GeneratedTaskOptions {
  std::string from;
  std::string rule = "class";
  double spread = 0.3;
  double separation = 0.5;
  double separability = 0.6;
  int64_t tries = 1;
  int64_t clusters = 500;
  int partitions = 10;
  int64_t refresh = 0;
  int64_t refresh_steps = 20;

  bool operator==(const GeneratedTaskOptions&) const = default;
};

}  // namespace protean
