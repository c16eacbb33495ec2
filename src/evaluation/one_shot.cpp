#include "protean/evaluation/one_shot.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <sstream>

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"
#include "protean/data/image_codec.h"
#include "protean/data/image_files.h"
#include "protean/data/open_dataset.h"
#include "protean/tasks/stored_tasks.h"

namespace protean {
namespace {

namespace fs = std::filesystem;

OneShotRun read_run(const fs::path& dir, const std::string& name) {
  OneShotRun run;
  run.name = name;
  std::map<std::string, int64_t> classes;  // by path below dir
  for (const auto& file : list_folder(dir / name / "training", false))
    if (is_image_name(file)) {
      classes[name + "/training/" + file] =
          static_cast<int64_t>(run.training.size());
      run.training.push_back(dir / name / "training" / file);
    }
  const auto labels = dir / name / "class_labels.txt";
  std::istringstream in(read_file(labels));
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    std::istringstream words(line);
    std::string item, cls, more;
    if (!(words >> item)) continue;
    words >> cls;
    const auto where = concat(labels.string(), ":", number, ": ");
    if (cls.empty() || words >> more)
      throw DataError(concat(where, "\"", line,
                             "\"; expected a test item and a training item"));
    const auto found = classes.find(cls);
    if (found == classes.end())
      throw DataError(concat(where, "no training item ", cls));
    if (!fs::is_regular_file(dir / item))
      throw DataError(concat(where, "no test item ", item));
    run.test.push_back(dir / item);
    run.label.push_back(found->second);
  }
  if (run.test.empty() || run.training.size() < 2)
    throw DataError(concat((dir / name).string(), ": ", run.training.size(),
                           " training and ", run.test.size(),
                           " test items; expected two or more, and one or "
                           "more"));
  return run;
}

Image drawing(const fs::path& path) {
  return to_channels(decode_image(read_file(path), path.string()), 1);
}

// Ink pixels about their mean.
struct Points {
  std::vector<double> x, y;
};

Points ink_points(const fs::path& path) {
  const Image image = drawing(path);
  Points p;
  for (uint32_t i = 0; i < image.height; ++i)
    for (uint32_t j = 0; j < image.width; ++j)
      if (image.pixels[size_t{i} * image.width + j] < 128) {
        p.x.push_back(j);
        p.y.push_back(i);
      }
  if (p.x.empty()) throw DataError(path.string() + ": holds no dark pixel");
  for (auto* v : {&p.x, &p.y}) {
    double mean = 0;
    for (double a : *v) mean += a;
    mean /= static_cast<double>(v->size());
    for (double& a : *v) a -= mean;
  }
  return p;
}

double mean_nearest(const Points& from, const Points& to) {
  double sum = 0;
  for (size_t i = 0; i < from.x.size(); ++i) {
    double least = std::numeric_limits<double>::infinity();
    for (size_t j = 0; j < to.x.size(); ++j) {
      const double dx = from.x[i] - to.x[j], dy = from.y[i] - to.y[j];
      least = std::min(least, dx * dx + dy * dy);
    }
    sum += std::sqrt(least);
  }
  return sum / static_cast<double>(from.x.size());
}

}  // namespace

std::vector<OneShotRun> read_one_shot_runs(const fs::path& dir) {
  require_folder(dir);
  std::vector<OneShotRun> runs;
  for (const auto& name : list_folder(dir, /*folders=*/true))
    if (name.starts_with("run")) runs.push_back(read_run(dir, name));
  if (runs.empty())
    throw DataError(dir.string() +
                    ": no folder run01; expected run01, run02, ... with "
                    "training, test and class_labels.txt");
  return runs;
}

ImagePreparation one_shot_preparation(const Experiment& e) {
  const auto& examples = e.tasks.examples;
  if (!examples || examples->shape().size() != 3)
    throw ConfigError(
        concat("--protocol needs a run on classes of images; this one has "
               "data.source = ",
               e.config.data.source));
  const auto& data = e.config.data;
  // An inverted data set does not say what its images were.
  bool ink = examples->ink();
  if (data.invert) {
    auto plain = data;
    plain.invert = false;
    plain.rotations = "none";
    plain.group_by = "";
    ink = open_dataset(plain)->ink();
  }
  ImagePreparation how;
  how.shape = examples->shape();
  how.filter = ink ? Filter::nearest : parse_filter(data.filter, "data.filter");
  how.fit = parse_fit(data.fit, "data.fit");
  how.invert = ink != data.invert;
  return how;
}

EvalTasks one_shot_tasks(const std::vector<OneShotRun>& runs,
                         const ImagePreparation& how) {
  std::vector<StoredTask> tasks;
  for (const auto& run : runs) {
    StoredTask task;
    task.shape.ways = static_cast<uint32_t>(run.training.size());
    task.shape.support = task.shape.ways;
    task.shape.query = static_cast<uint32_t>(run.test.size());
    task.shape.input = how.shape;
    for (size_t c = 0; c < run.training.size(); ++c) {
      prepare(drawing(run.training[c]), how, task.support.x);
      task.support.label.push_back(static_cast<int64_t>(c));
    }
    for (const auto& path : run.test) prepare(drawing(path), how, task.query.x);
    task.query.label = run.label;
    tasks.push_back(std::move(task));
  }
  const auto source = std::make_shared<StoredTasks>(std::move(tasks));
  EvalTasks out{source, {}};
  for (uint32_t i = 0; i < source->count(); ++i)
    out.specs.push_back(source->describe(0, {Stream::test, 0, i}, {}));
  return out;
}

std::vector<double> modified_hausdorff(const std::vector<OneShotRun>& runs) {
  std::vector<double> accuracy;
  for (const auto& run : runs) {
    std::vector<Points> known;
    for (const auto& path : run.training) known.push_back(ink_points(path));
    double right = 0;
    for (size_t i = 0; i < run.test.size(); ++i) {
      const Points item = ink_points(run.test[i]);
      size_t best = 0;
      double least = std::numeric_limits<double>::infinity();
      for (size_t c = 0; c < known.size(); ++c) {
        const double d = std::max(mean_nearest(item, known[c]),
                                  mean_nearest(known[c], item));
        if (d < least) {
          least = d;
          best = c;
        }
      }
      right += static_cast<int64_t>(best) == run.label[i];
    }
    accuracy.push_back(right / static_cast<double>(run.test.size()));
  }
  return accuracy;
}

}  // namespace protean
