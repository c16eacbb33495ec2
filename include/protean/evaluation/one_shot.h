// The within-alphabet one-shot classification challenge of Omniglot: Lake,
// Salakhutdinov, Tenenbaum 2015, "Human-level concept learning through
// probabilistic program induction"; 20 runs of 20-way 1-shot tasks.
//
// A folder holds run01, run02, ... Each has training/ and test/ with PNG
// drawings (105x105, dark ink) and class_labels.txt, whose lines pair a test
// item with the training item of its class:
//   run01/test/item01.png run01/training/class12.png
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "protean/evaluation/user_images.h"
#include "protean/trainer/evaluate.h"

namespace protean {

struct OneShotRun {
  std::string name;
  std::vector<std::filesystem::path> training;  // one per class, sorted
  std::vector<std::filesystem::path> test;
  std::vector<int64_t> label;  // of each test item: index of its class
};

// Sorted by name. Throws DataError naming file, line and what was expected.
std::vector<OneShotRun> read_one_shot_runs(const std::filesystem::path& dir);

// How the images of a run were prepared: its shape, its filter, and whether ink
// is 1 (Omniglot, unless data.invert), or dark as it is drawn.
ImagePreparation one_shot_preparation(const Experiment& experiment);

// The runs as tasks.
EvalTasks one_shot_tasks(const std::vector<OneShotRun>& runs,
                         const ImagePreparation& how);

// The share of right answers of each run by the Modified Hausdorff distance
// (Dubuisson and Jain 1994) between ink pixels: of two sets of points, each
// about its mean, the larger of the two mean distances to the nearest point of
// the other. Needs no training: it checks the reader and the data.
std::vector<double> modified_hausdorff(const std::vector<OneShotRun>& runs);

}  // namespace protean
