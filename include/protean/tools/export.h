// A run's weights as a folder that others know: the layout of the Hugging Face
// hub. Nothing in it needs the training data, or this program to be read.
//
//   model.safetensors  theta by parameter name, as PyTorch lays them out (a
//                      convolution (out, in, h, w), a linear layer (out, in));
//                      meta-state (running moments) as state/NAME
//   config.json        learner, network, shape of a task, every setting, hashes
//   README.md          model card: data, protocol, accuracy with its interval
#pragma once

#include <filesystem>
#include <string>

namespace protean {

struct ExportOptions {
  std::filesystem::path run;
  // A checkpoint's folder of that run.
  std::filesystem::path checkpoint;
  std::filesystem::path out;  // must not exist, or be empty
  std::string license;        // of the weights, for the card; "" = not stated
};

// Every byte of the checkpoint is checked before anything is written, and the
// folder appears whole or not at all. Throws ConfigError when run is none, or
// DataError naming the file.
void export_run(const ExportOptions& options);

}  // namespace protean
