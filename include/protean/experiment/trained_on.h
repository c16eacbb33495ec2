// Which classes something was trained on, so that no evaluation takes one of
// them for a new class.
//
// A class of images is known by its first image, upright and not inverted: by a
// hash of its values in 256 steps. A turned or inverted copy is the class
// itself, whatever file it lies in and whatever it is called there; with
// another data.side or other channels it is not recognised. A class whose first
// image is of one value, and a task of a table or a text, is known by its name
// in data of one checksum. Computed tasks have no classes.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "protean/experiment/experiment.h"

namespace protean {

struct ClassIdentity {
  std::string name;  // upright
  std::string hash;  // 16 hexadecimal digits
};

// What learnt from the classes, as messages call it: "this run",
// "generator.from = runs/g".
struct Learnt {
  std::string what;
  std::vector<ClassIdentity> classes;
};
using TrainedOn = std::vector<Learnt>;

// The training classes of the experiment itself.
TrainedOn trained_on(const Experiment& experiment);
// Adds what another run learnt from; `what` stands for "this run" there.
void add(TrainedOn& all, const TrainedOn& other, const std::string& what);

// "trained_on" of data.json (run_data.h).
nlohmann::json to_json(const TrainedOn& all);
// Of the run in that folder; empty when it has no such file, which runs of
// earlier builds have not. Throws DataError when the file is none.
TrainedOn stored_trained_on(const std::string& run_dir);

// Which of some classes were trained on.
struct KnownClasses {
  int64_t classes = 0;                              // upright ones, each once
  int64_t known = 0;                                // by anything
  std::vector<std::pair<std::string, int64_t>> by;  // what learnt, how many
  std::string example;                              // name of a known one

  // "3 of 80 evaluated classes were trained on: 3 by this run
  // (Greek/character01 is one)"
  std::string text() const;
  nlohmann::json to_json() const;  // {"classes", "trained_on", "by": {...}}
};
// data: of the classes, read as `how` says.
KnownClasses known_classes(const ClassDataset& data, const DataOptions& how,
                           const std::set<uint32_t>& classes,
                           const TrainedOn& all);
// The same, and says how many were trained on: as information when there are
// none, else as a warning, or with `strict` as a ConfigError. what: whose
// classes they are, "--task-list". Every rank may call it.
KnownClasses check_new_classes(const ClassDataset& data, const DataOptions& how,
                               const std::set<uint32_t>& classes,
                               const TrainedOn& all, const std::string& what,
                               bool strict);
// Classes of any split that come twice, as when data.also overlaps. Says so as
// a warning, or with `strict` as a ConfigError.
void check_doubles(const Experiment& experiment, bool strict);
// All classes that these tasks are made of; none where tasks have no classes.
std::set<uint32_t> classes_of(const std::vector<TaskSpec>& specs);

}  // namespace protean
