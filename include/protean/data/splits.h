// Which classes are for training, validation and test.
//
// A split is made over whole classes: no class is in two splits, and neither
// are two rotations of one class. Sorted by class id.
//
// List file: one `NAME SPLIT` per line, `#` starts a comment. SPLIT is train,
// validation (or val, valid) or test. NAME is a group (all its classes), a
// class (group/class) or one rotation of it (group/class/rot090). List folder:
// files train.txt, val.txt (or validation.txt, valid.txt) and test.txt with one
// NAME per line, as in Vinyals et al. 2016. Classes that no line names are in
// no split. Unless data.rotations = classes, rot000 means the class and the
// lines of other rotations are passed over.
#pragma once

#include <string>
#include <vector>

#include "protean/core/plan.h"
#include "protean/data/dataset.h"
#include "protean/data/options.h"

namespace protean {

struct Splits {
  std::vector<uint32_t> train, validation, test;  // class ids, ascending
  const std::vector<uint32_t>& of(Stream stream) const;
};

// `data` is what open_dataset(options) gave. Without data.rotate_eval,
// validation and test hold upright classes only. Of a stored run's data, what
// it keeps (data/stored_data.h) is the split. Throws ConfigError naming the
// key, DataError naming file, line and class.
Splits make_splits(const ClassDataset& data, const DataOptions& options);

// "70 classes (42/14/14), 529 images 3 x 48 x 48": training, validation and
// test classes.
std::string summary(const ClassDataset& data, const Splits& splits);

}  // namespace protean
