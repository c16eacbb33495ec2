// What the user says about data: section `data` of the configuration.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace protean {

struct StoredData;

struct DataOptions {
  // data.source: auto | omniglot | pack | folder | sinusoid | table | text |
  // point | bandit.
  //   auto      one of the next three, by what data.path holds; a table where
  //             it ends in .csv or .tsv
  //   omniglot  the official layout, from a zip, a folder or a pack
  //   pack      a file written by `protean pack`
  //   folder    class/image.png|jpg, group/class/image, or the first below
  //             folders train, validation (val, valid) and test; a folder or a
  //             zip of one, say of MNIST's digits
  //   sinusoid  no files: y = A sin(x - p)
  //   table     a CSV file, see data/table.h
  //   text      a folder with a .txt file per author or language, see
  //             data/text.h
  //   point, bandit  no files: environments, for learners that act in them, see
  //             tasks/environment.h
  std::string source = "auto";
  // data.path: the file or folder. Empty: what is shipped below configs, found
  // from any working directory: the Omniglot background set, for tables
  // table/devices.csv, for text text/languages.
  std::string path;
  // data.side: height and width of one image, pixels. A pack must have it.
  uint32_t side = 28;
  // data.filter: area | nearest | bilinear, how a folder's images are resized.
  // Omniglot is always nearest.
  std::string filter = "area";
  // data.fit: stretch | pad | crop, what becomes of a folder's images that are
  // not square, see Fit.
  std::string fit = "stretch";
  // data.channels: 1 (grey) or 3 (RGB) for a folder's images; 0: 3 where one of
  // them has colour.
  uint32_t channels = 0;
  // data.split: how classes become train, validation and test.
  //   auto        stored where the data stores one, background where its list
  //               fits the classes, else random
  //   background  the list shipped for the Omniglot background set
  //   stored      what the pack or the folder says (train, val, test folders)
  //   random      by data.split_seed and the two fractions below
  //   test        every class is for test: data that is only evaluated on
  //   PATH        a list file, or a folder with train.txt, val.txt, test.txt;
  //               see data/splits.h
  std::string split = "auto";
  // data.also: more data sets of images of the same shape, comma-separated
  // paths as of data.source = auto, whose classes join the first one's.
  std::string also;
  // data.also_split: how each of theirs are split, as data.split.
  std::string also_split = "random";
  // data.weights: every training task is of one data set, drawn by these; one
  // number for each, comma-separated, the first one's first. Empty: all classes
  // are equally likely and meet in one task.
  std::string weights;
  // data.split_seed: seed of the random split.
  uint64_t split_seed = 0;
  // data.split_validation, data.split_test: fraction of the classes, in [0, 1).
  double split_validation = 0.2;
  double split_test = 0.2;
  // data.group_by: what the examples of one class have in common; of a table,
  // the rows of one task. Empty: class, or the column task.
  //   class     the class that they came in, a character
  //   alphabet  the group of that class: which script is it?
  //   drawer    group and drawer: whose hand is it?
  //   COLUMN    of a table
  std::string group_by;
  // data.target: target columns of a table, comma-separated.
  std::string target = "target";
  // data.target_kind: auto | number | class, what they hold, see data/table.h.
  std::string target_kind = "auto";
  // data.features: its feature columns, comma-separated; empty: all others.
  std::string features;
  // data.length: characters of one piece of text.
  int64_t length = 32;
  // data.vocabulary: most different characters of texts, one of which stands
  // for all others.
  uint32_t vocabulary = 96;
  // data.horizon: steps of a rollout of an environment, at most.
  int64_t horizon = 100;
  // data.family: of point: goal or velocity, what tasks differ in.
  std::string family = "goal";
  int64_t arms = 5;  // data.arms: of a bandit
  // data.rewards: of a bandit: bernoulli or gaussian.
  std::string rewards = "bernoulli";
  // data.train_classes, data.train_groups: so many of the training classes, or
  // of their groups (alphabets), are used, drawn by data.split_seed; a smaller
  // number takes some of what a larger one takes. 0 = all.
  uint32_t train_classes = 0;
  uint32_t train_groups = 0;
  // data.rotations: none | classes | task.
  //   classes  every quarter turn of a class is a class of its own
  //   task     each class of a task is turned by a random number of quarters
  std::string rotations = "none";
  // data.rotate_eval: whether validation and test classes are turned too;
  // false leaves them upright. Published results differ in this.
  bool rotate_eval = false;
  // data.invert: every value v of an image becomes 1 - v.
  bool invert = false;
  // data.augment: none | affine, for training tasks alone, those of a generator
  // or of clusters too.
  //   affine  each class of a task is mirrored or not, turned, sheared and
  //           scaled as a whole, and each drawing a little on its own
  std::string augment = "none";
  // data.sets: of records: names of the data sets that are used,
  // comma-separated; empty: all there are.
  std::string sets;
  // data.io: of packs of records: mmap | pread | ram.
  std::string io = "mmap";
  // data.prefetch: steps that are materialised ahead; 0 = none, inline.
  uint32_t prefetch = 2;

  // Not a key: what a stored run keeps of its data (data/stored_data.h).
  std::shared_ptr<const StoredData> stored;
};

}  // namespace protean
