// The data of a stored run, as its folder keeps it in data.json: its
// configuration is opened on them, wherever the command is given, on others
// that the user names, or on none.
//
// data.json: {"source", "path" (absolute), "also", "checksum", "keys": {those
// that decide the split}, "split": {"train", "validation", "test", "unused":
// upright names}, "classes": {name: [examples, hash]}, "hashed", "shape",
// "ink", "fitted", "task", "trained_on": [{"what", "classes": [[name, hash],
// ...]},
// ...], "held_out"}.
#pragma once

#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "protean/data/stored_data.h"
#include "protean/experiment/experiment.h"

namespace protean {

// What a user says of a stored run, beside its configuration.
struct AskedOfRun {
  // Whether data.path, data.also, data.split were given.
  bool path = false, also = false, split = false;
  std::string checkpoint = "latest";  // or best, or a step
};

// Of an experiment that is about to be trained; all but trained_on and
// held_out.
nlohmann::json data_json(const Experiment& experiment);

// Sets config.data.stored, and paths that are relative or have moved. Nothing
// happens where the run keeps nothing: it has no examples, or is of an earlier
// build. Throws ConfigError when the data that the purpose needs are gone.
void use_run_data(Config& config, const std::string& run_dir, OpenFor purpose,
                  const AskedOfRun& asked = {});

}  // namespace protean
