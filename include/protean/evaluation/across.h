// One run on many domains: a row of a cross-domain matrix.
//
// A domain is a name, or NAME=PATH:
//   test       the run's own test classes
//   rotated    the same, each class of a task turned by a random number of
//              quarter turns
//   inverted   the same with ink and paper changed
//   alphabets  one domain for each group (alphabet) of the test classes
//   PATH       every class of a pack, zip or folder; resized to the run's side
// Tasks have the run's ways, shots and queries (eval.*).
#pragma once

#include <string>
#include <vector>

#include "protean/experiment/trained_on.h"
#include "protean/trainer/evaluate.h"

namespace protean {

struct Domain {
  std::string name;
  TaskSourcePtr source;
  DatasetPtr data;      // of the source's classes, which are upright
  DataOptions how;      // it was read
  bool turned = false;  // by quarter turns, drawn for each class of a task
};

// list: domains, comma-separated. Throws ConfigError naming `flag` and the
// domain; a group with too few classes is left out with a warning.
std::vector<Domain> open_domains(const Experiment& experiment,
                                 const std::string& list,
                                 const std::string& flag);

// Whether no domain of the list is of the run's own data.
bool on_paths_alone(const std::string& list);

struct DomainResult {
  std::string name;
  EvalResult result;
  bool turned = false;
  KnownClasses known;
};

// Columns domain, accuracy, ci95, loss, ece, ways, shots, queries, tasks, mode.
std::string domains_csv(const std::vector<DomainResult>& rows);

}  // namespace protean
