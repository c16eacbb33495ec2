#include "protean/core/settings.h"
#include "protean/data/keys.h"

namespace protean {
namespace {

bool splits_at_random(const Settings& s) {
  return s.is("data.split", {"random", "auto"}) ||
         (s.value("data.also") != "" && s.is("data.also_split", {"random"}));
}

bool draws_classes(const Settings& s) {
  return splits_at_random(s) || s.value("data.train_classes") != "0" ||
         s.value("data.train_groups") != "0";
}

// Images that are decoded here, rather than kept in a pack.
bool decodes_files(const Settings& s) {
  return s.is("data.source", {"folder", "auto"}) || s.value("data.also") != "";
}

constexpr const char* kFiles =
    "data.source = folder or auto, or more data sets in data.also";

void source_fields(Settings& s, DataOptions& o) {
  s.add("data.source", &o.source)
      .says(
          "where tasks come from; `protean config --sources` lists the kinds. "
          "auto finds out what data.path holds: Omniglot's layout, a pack, "
          "a folder of images, or a table (.csv, .tsv)")
      .when(
          "text for a folder of texts, and where auto is to be held to one "
          "kind");
  s.add("data.path", &o.path)
      .says(
          "the file or folder; empty: the data that is shipped (Omniglot's "
          "background set, table/devices.csv, text/languages)")
      .when(
          "for data of your own; a continued run may find the same data "
          "elsewhere")
      .resumes(Resume::may_change)
      .also_called({"data_dir", "dataset", "root"});
  s.add("data.side", &o.side)
      .says("height and width of the images, pixels; a pack must have it")
      .when("84 for natural images; time grows with its square")
      .at_least(1)
      .also_called({"image_size", "resolution"});
  s.add("data.filter", &o.filter)
      .says(
          "how image files are resized: area (the mean of what a pixel "
          "covers), nearest or bilinear (both look at single pixels, and lose "
          "thin lines); Omniglot's always by nearest")
      .when("nearest for drawings of few pixels that should stay sharp")
      .one_of({"area", "nearest", "bilinear"})
      .only_if("data.source", kFiles, decodes_files);
  s.add("data.fit", &o.fit)
      .says(
          "what becomes of image files that are not square: stretch, pad (the "
          "whole image, on a square of its border's colour) or crop (the "
          "square in its middle)")
      .when(
          "pad where shapes matter, crop for photographs with the thing in "
          "the middle")
      .one_of({"stretch", "pad", "crop"})
      .only_if("data.source", kFiles, decodes_files);
  s.add("data.channels", &o.channels)
      .says(
          "colours of image files: 1 (grey), 3 (RGB), or 0 for what they "
          "have: 3 where one of them has colour")
      .when("1 to ignore colour")
      .one_of({"0", "1", "3"})
      .only_if("data.source", kFiles, decodes_files);
  s.add("data.split", &o.split)
      .says(
          "how classes become training, validation and test classes: "
          "background (the shipped list for Omniglot), stored (as the pack, "
          "the folder or the table says), random, test (all for evaluation), "
          "the path of a list file or folder, or auto: stored where there is "
          "such, background for Omniglot, else random")
      .when("a list for a split that others use too");
  s.add("data.split_seed", &o.split_seed)
      .says("seed of the random split, and of the classes that are kept")
      .when(
          "for other splits of the same data; apart from run.seed, so that "
          "runs can share a split")
      .only_if("data.split",
               "data.split = random or auto, data.also_split = random, or "
               "data.train_classes or data.train_groups above 0",
               draws_classes);
  s.add("data.split_validation", &o.split_validation)
      .says("share of the classes that are for validation, 0 to 1")
      .when("more for small data, so that validation says something")
      .within(0, 1)
      .below(1)
      .only_if("data.split",
               "data.split = random or auto, or data.also_split = random",
               splits_at_random);
  s.add("data.split_test", &o.split_test)
      .says("share of the classes that are for the test, 0 to 1")
      .when("0 when the test is on other data")
      .within(0, 1)
      .below(1)
      .only_if("data.split",
               "data.split = random or auto, or data.also_split = random",
               splits_at_random);
  s.add("data.also", &o.also)
      .says(
          "more data sets of images of the same shape, comma-separated paths, "
          "whose classes join the first one's")
      .when("to train on several data sets at once");
  s.add("data.also_split", &o.also_split)
      .says("how each of data.also is split, as data.split")
      .when("stored where the folders say so")
      .only_if(
          "data.also", "more data sets in data.also",
          [](const Settings& all) { return all.value("data.also") != ""; });
  s.add("data.weights", &o.weights)
      .says(
          "how often a training task is of each data set, one number each, "
          "such as 1,1; empty: classes of all sets meet in one task")
      .when("when tasks should not mix data sets, or one set is much larger");
}

void reading_fields(Settings& s, DataOptions& o) {
  s.add("data.group_by", &o.group_by)
      .says(
          "what the examples of a class have in common: class (a character), "
          "alphabet or drawer; in a table the column that tells tasks apart. "
          "Empty: class, or the column task")
      .when(
          "drawer for `whose hand is it?', alphabet for `which script is "
          "it?'");
  s.add("data.target", &o.target)
      .says("target columns of a table, comma-separated")
      .when("where the table calls them otherwise")
      .also_called({"label_column"});
  s.add("data.target_kind", &o.target_kind)
      .says(
          "what targets are: number (a regression), class (labels), or auto: "
          "texts are labels, numbers are numbers, but for a few whole ones "
          "from 0 or 1 on, each in many rows")
      .when("number to predict a count or a grade, class for labels like 7")
      .one_of({"auto", "number", "class"});
  s.add("data.features", &o.features)
      .says("feature columns of a table, comma-separated; empty: all others")
      .when("to leave columns out, such as names and dates");
  s.add("data.length", &o.length)
      .says("characters of one piece of text, which is one example")
      .when("longer pieces need more memory and give more context")
      .at_least(1)
      .also_called({"block_size", "context_length"});
  s.add("data.vocabulary", &o.vocabulary)
      .says(
          "most different characters of all texts, one of which stands for "
          "all others")
      .when("raise it for scripts with many signs")
      .at_least(2);
  s.add("data.horizon", &o.horizon)
      .says("steps of a rollout, at most")
      .when("as long as a task takes to solve")
      .at_least(1);
  s.add("data.family", &o.family)
      .says(
          "what the point's tasks differ in: where it should be (goal) or how "
          "it should move (velocity)")
      .one_of({"goal", "velocity"});
  s.add("data.arms", &o.arms).says("arms of a bandit").at_least(2);
  s.add("data.rewards", &o.rewards)
      .says("distribution of a bandit's rewards")
      .one_of({"bernoulli", "gaussian"});
}

void change_fields(Settings& s, DataOptions& o) {
  s.add("data.train_classes", &o.train_classes)
      .says(
          "how many of the training classes are used, drawn by "
          "data.split_seed; a smaller number takes some of what a larger one "
          "takes. 0: all")
      .when("to see how much data a learner needs");
  s.add("data.train_groups", &o.train_groups)
      .says("the same for groups of them, such as Omniglot's alphabets; 0: all")
      .when("to see how much variety a learner needs");
  s.add("data.rotations", &o.rotations)
      .says(
          "quarter turns of training images: none, classes (every turn is a "
          "class of its own) or task (a class of a task is turned at random)")
      .when(
          "classes or task on Omniglot, as nearly all papers do; none where "
          "up matters")
      .one_of({"none", "classes", "task"});
  s.add("data.rotate_eval", &o.rotate_eval)
      .says("whether validation and test classes are turned too")
      .when("published results differ in this; upright classes are harder")
      .only_with("data.rotations", {"classes", "task"});
  s.add("data.invert", &o.invert)
      .says("every value v of an image becomes 1 - v")
      .when("for dark ink on white paper where ink should be 1");
  s.add("data.augment", &o.augment)
      .says(
          "distortions of training tasks, made-up ones too: affine mirrors, "
          "turns, shears and scales each class as a whole and each drawing a "
          "little")
      .when("against over-fitting to few training classes")
      .one_of({"none", "affine"});
  s.add("data.sets", &o.sets)
      .says(
          "names of the data sets of records that are used, comma-separated; "
          "empty: all that data.path holds")
      .when("to train on ImageNet's records alone");
  s.add("data.io", &o.io)
      .says(
          "how packs of records are read: mmap (the system keeps what fits in "
          "memory), pread (a call for each image) or ram (read whole at the "
          "start)")
      .when("ram for small packs on slow disks, pread where mapping is slow")
      .one_of({"mmap", "pread", "ram"})
      .resumes(Resume::may_change);
  s.add("data.prefetch", &o.prefetch)
      .says(
          "meta-steps whose tasks are made ahead of time, in the background; "
          "0: none")
      .when("more when data_s in the metrics is high and varies; costs memory")
      .resumes(Resume::may_change)
      .also_called({"prefetch_factor"});
}

}  // namespace

void fields(Settings& s, DataOptions& o) {
  source_fields(s, o);
  reading_fields(s, o);
  change_fields(s, o);
}

}  // namespace protean
