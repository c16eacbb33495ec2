// How accuracy depends on what was learnt from and what is asked: studies of
// several runs, or of one run under several questions.
//
//   classes    runs by their number of training classes: accuracy on tasks of
//              training classes and of held-out ones, and the gap between them
//   alphabets  the same by the number of groups of the training classes
//   shots      one run, evaluated with other numbers of shots than it was
//              trained with
//   domains    one run on test, rotated, inverted and alphabet by alphabet
#pragma once

#include <string>
#include <vector>

#include "protean/core/svg_plot.h"
#include "protean/experiment/stored_run.h"
#include "protean/experiment/trained_on.h"
#include "protean/trainer/evaluate.h"

namespace protean {

struct StudyRow {
  double x = 0;      // classes, alphabets or shots
  std::string name;  // run or domain
  EvalResult test;
  EvalResult train;    // of classes and alphabets; without tasks otherwise
  KnownClasses known;  // of the test classes
};

struct Study {
  std::string kind;
  std::vector<StudyRow> rows;  // by x
  // Columns x, run (or domain), test_accuracy, test_ci95, train_accuracy,
  // train_ci95, gap, ways, shots, queries, tasks, mode, test_classes,
  // trained_on.
  std::string to_csv() const;
  Plot to_plot() const;
  nlohmann::json to_json() const;
};

// A stored run, and what it and what it stands on learnt from.
struct StudyRun : StoredRun {
  TrainedOn learnt;
  bool strict = true;  // test classes among these are an error
};

// Collective. shots: of the study of them. Throws ConfigError naming --study
// when the kind is unknown or the number of runs does not fit it.
Study make_study(const std::string& kind, const std::vector<StudyRun>& runs,
                 const std::vector<uint32_t>& shots, int64_t tasks,
                 Communicator& comm);

}  // namespace protean
