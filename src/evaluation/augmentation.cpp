#include "protean/evaluation/augmentation.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>

#include "protean/comm/inproc.h"
#include "protean/comm/preflight.h"
#include "protean/core/csv.h"
#include "protean/core/error.h"
#include "protean/core/philox.h"
#include "protean/generative/class_sampler.h"
#include "protean/generative/known_class.h"
#include "protean/learners/make_learner.h"
#include "protean/learners/running_moments.h"
#include "protean/models/make_network.h"
#include "protean/models/params.h"
#include "protean/tasks/flat_batches.h"
#include "protean/trainer/meta_step.h"

namespace protean {
namespace {

constexpr uint32_t kBatch = 64;
constexpr double kRate = 0.002;
// Of all images that a classifier learns from.
constexpr int64_t kMostBytes = int64_t{4} << 30;

// Images in memory, (n, C, H, W) per class.
class Images : public ClassDataset {
 public:
  explicit Images(std::vector<at::Tensor> classes)
      : classes_(std::move(classes)),
        shape_(classes_.at(0).sizes().slice(1).vec()) {}
  const std::vector<int64_t>& shape() const override { return shape_; }
  uint32_t classes() const override {
    return static_cast<uint32_t>(classes_.size());
  }
  uint32_t size(uint32_t cls) const override {
    return static_cast<uint32_t>(classes_.at(cls).size(0));
  }
  std::string class_name(uint32_t cls) const override {
    return concat("class ", cls);
  }
  std::string group(uint32_t) const override { return ""; }
  void read(uint32_t cls, uint32_t example, float* out) const override {
    const auto image = classes_.at(cls)[example].contiguous();
    std::copy_n(image.const_data_ptr<float>(), image.numel(), out);
  }
  std::string checksum() const override { return ""; }

 private:
  std::vector<at::Tensor> classes_;
  std::vector<int64_t> shape_;
};

uint32_t for_test(uint32_t size) { return std::min((size + 3) / 4, 50u); }

// Classes of the split, upright, with K images beside those of the test.
std::vector<uint32_t> classes_with(const Experiment& e, Stream stream,
                                   uint32_t shots) {
  const auto& data = *e.tasks.examples;
  std::vector<uint32_t> out;
  for (uint32_t c : e.tasks.splits.of(stream))
    if (data.quarter_turns(c) == 0 && for_test(data.size(c)) > 0 &&
        data.size(c) - for_test(data.size(c)) >= shots)
      out.push_back(c);
  return out;
}

// The images of a class in the order of a repeat: those of the test come last.
at::Tensor shuffled(const ClassDataset& data, uint32_t cls, uint64_t seed,
                    uint32_t repeat) {
  const uint32_t n = data.size(cls);
  const auto order =
      Draws(seed, {Stream::test, repeat, cls}, Purpose::examples).sample(n, n);
  return class_images(data, cls, order)[0];
}

at::Tensor first_of(const ClassSampler& sampler, int64_t count) {
  std::vector<at::Tensor> images;
  sampler.draw(
      count, [&](int64_t, const at::Tensor& some) { images.push_back(some); });
  return at::cat(images);
}

// Share of test images that a classifier trained on `pool` gets right.
double classify(const ModelOptions& model, std::vector<at::Tensor> pool,
                const std::vector<at::Tensor>& test, bool distort,
                int64_t steps, uint64_t seed) {
  const auto ways = static_cast<int64_t>(test.size());
  std::vector<uint32_t> labels(test.size());
  for (uint32_t c = 0; c < labels.size(); ++c) labels[c] = c;
  // Flat batches are meta-steps of one task without a support set.
  Experiment e;
  e.config.run.seed = seed;
  e.config.task.meta_batch = 1;
  e.config.optim.lr = kRate;
  e.config.optim.schedule = "cosine";
  e.tasks.train = std::make_shared<FlatBatches>(
      std::make_shared<Images>(std::move(pool)), labels, kBatch, distort);
  const auto& batches = e.tasks.of(Stream::train);
  LearnerOptions options;
  options.name = "baseline";
  options.seed = seed;
  const auto shape = batches.shape(batches.describe(seed, {}, {}));
  e.learner = make_learner(options, model, shape);
  e.initial = initial_values(*e.learner, seed);
  const auto net = make_network(model, shape.input, ways);
  const auto& spaces = e.learner->spaces();
  auto state = initial_state(e, at::Device(at::kCPU));
  const auto alone = make_inproc(1, {});
  StepObjective objective({e,
                           *alone[0].comm,
                           {ReductionLevel::fast},
                           at::Device(at::kCPU),
                           0,
                           steps},
                          [] { return RankReport(); });
  while (state.step < steps) meta_step(objective, state, {steps});
  const auto& meta = state.meta;

  at::NoGradGuard no_grad;
  const auto params = shared_params(spaces.theta, meta.theta);
  double right = 0, all = 0;
  for (int64_t c = 0; c < ways; ++c) {
    auto norm = running_norm(spaces.state, meta.state);
    const auto& x = test[static_cast<size_t>(c)];
    right += net->forward(params, {x.unsqueeze(0), {}, {}}, norm)
                 .argmax(2)
                 .eq(c)
                 .sum()
                 .item<double>();
    all += static_cast<double>(x.size(0));
  }
  return right / all;
}

bool makes_images(const std::string& arm) {
  return arm == "generated" || arm == "both" || arm == "alone";
}

bool distorts(const std::string& arm) {
  return arm == "classical" || arm == "both" || arm == "ceiling";
}

struct Cell {
  size_t row;
  uint32_t repeat;
};

double accuracy_of(const Experiment& e, const GenerativeLearner& g,
                   const MetaView& meta, Stream stream,
                   const AugmentationOptions& o, const AugmentationRow& row,
                   uint32_t repeat) {
  const auto& data = *e.tasks.examples;
  const uint64_t seed = e.config.run.seed + repeat;
  std::vector<at::Tensor> pool, test;
  for (uint32_t cls : classes_with(e, stream, row.shots)) {
    const auto all = shuffled(data, cls, e.config.run.seed, repeat);
    const int64_t tests = for_test(data.size(cls));
    test.push_back(all.narrow(0, all.size(0) - tests, tests));
    const auto real = all.narrow(0, 0, row.shots);
    if (row.arm == "oracle" || row.arm == "ceiling")
      pool.push_back(all.narrow(0, 0, all.size(0) - tests));
    else if (row.arm == "copies")
      pool.push_back(real.index_select(
          0, at::arange(row.shots + o.generated) % row.shots));
    else if (makes_images(row.arm)) {
      const auto made = first_of({g,
                                  meta,
                                  real,
                                  {Stream::generator, repeat, cls},
                                  seed,
                                  o.temperature},
                                 o.generated);
      pool.push_back(row.arm == "alone" ? made : at::cat({real, made}));
    } else
      pool.push_back(real);
  }
  return classify(e.config.model, std::move(pool), test, distorts(row.arm),
                  o.steps, seed);
}

// The images of a row are in memory all at once.
void check_sizes(const Experiment& e, const AugmentationOptions& o,
                 const AugmentationRow& row) {
  int64_t each = row.classes * static_cast<int64_t>(sizeof(float));
  for (const int64_t d : e.tasks.examples->shape()) each *= d;
  if (o.generated > kMostBytes / each - row.shots)
    throw ConfigError(concat("--generated ", o.generated, ": ", row.classes,
                             " classes of so many images do not fit in memory; "
                             "expected at most ",
                             kMostBytes / each - row.shots));
}

void check(const Experiment& e, const AugmentationOptions& o) {
  if (o.arms.empty()) throw ConfigError("--arms: none; expected at least one");
  for (const auto& arm : o.arms)
    if (std::count(o.arms.begin(), o.arms.end(), arm) > 1)
      throw ConfigError("--arms: " + arm + " stands there twice");
  if (o.temperature != AugmentationOptions{}.temperature &&
      std::none_of(o.arms.begin(), o.arms.end(), makes_images))
    throw ConfigError(concat("--temperature = ", o.temperature,
                             " does nothing with --arms that make no images; "
                             "expected generated among them"));
  const auto known = AugmentationOptions{}.arms;
  for (const auto& arm : o.arms)
    if (std::find(known.begin(), known.end(), arm) == known.end())
      throw ConfigError("--arms \"" + arm +
                        "\"; expected some of: none, copies, classical, "
                        "generated, both, alone, oracle, ceiling");
  for (const auto& [name, value] :
       {std::pair("generated", o.generated), std::pair("repeats", o.repeats),
        std::pair("steps", o.steps)})
    if (value < 1)
      throw ConfigError(
          concat("--", name, " ", value, "; expected 1 or above"));
  check_temperature(o.temperature);
  const auto shape = e.tasks.examples->shape();
  if (shape.at(1) != shape.at(2))
    throw ConfigError(
        "--study augmentation distorts images; expected square "
        "ones");
}

}  // namespace

double AugmentationRow::mean() const {
  double sum = 0;
  for (double a : accuracy) sum += a;
  return sum / static_cast<double>(accuracy.size());
}

double AugmentationRow::deviation() const {
  if (accuracy.size() < 2) return 0;
  double squares = 0;
  for (double a : accuracy) squares += (a - mean()) * (a - mean());
  return std::sqrt(squares / static_cast<double>(accuracy.size() - 1));
}

AugmentationStudy augmentation_study(const Experiment& e, const MetaView& meta,
                                     Stream stream,
                                     const AugmentationOptions& o,
                                     Communicator& comm) {
  AugmentationStudy study;
  std::vector<Cell> cells;
  GenerativeLearnerPtr generator;
  agree(comm, [&] {
    generator = generative_learner(e, "--study augmentation");
    check(e, o);
    for (uint32_t shots : o.shots) {
      need_support(*generator, shots, "--shots");
      AugmentationRow row;
      row.shots = shots;
      const auto classes = classes_with(e, stream, shots);
      row.classes = static_cast<int64_t>(classes.size());
      for (uint32_t c : classes)
        row.test_images += for_test(e.tasks.examples->size(c));
      if (row.classes < 2)
        throw ConfigError(
            concat("--shots ", shots, ": ", row.classes,
                   " classes of eval.stream = ", e.config.eval.stream,
                   " have so many images beside a quarter for "
                   "the test; expected 2 or more"));
      check_sizes(e, o, row);
      row.accuracy.assign(static_cast<size_t>(o.repeats), 0);
      for (const auto& arm : o.arms) {
        row.arm = arm;
        study.rows.push_back(row);
      }
    }
  });
  for (size_t row = 0; row < study.rows.size(); ++row)
    for (uint32_t r = 0; r < o.repeats; ++r) cells.push_back({row, r});
  // One classifier per rank at a time; one that fails ends the study.
  const auto ranks = static_cast<size_t>(comm.size());
  for (size_t begin = 0; begin < cells.size(); begin += ranks) {
    std::vector<double> found(ranks, 0);
    const auto own = static_cast<size_t>(comm.rank());
    agree(comm, [&] {
      if (begin + own >= cells.size()) return;
      const auto& cell = cells[begin + own];
      found[own] = accuracy_of(e, *generator, meta, stream, o,
                               study.rows[cell.row], cell.repeat);
    });
    comm.all_reduce(found.data(), ranks, DType::f64, ReduceOp::sum);
    for (size_t i = 0; i < ranks && begin + i < cells.size(); ++i) {
      const auto& cell = cells[begin + i];
      study.rows[cell.row].accuracy[cell.repeat] = found[i];
    }
  }
  return study;
}

std::string AugmentationStudy::to_csv() const {
  CsvTable csv;
  for (const char* column : {"shots", "arm", "accuracy", "deviation", "repeats",
                             "classes", "test_images"})
    csv.add(std::string_view(column));
  csv.end_row();
  for (const auto& row : rows) {
    csv.add(static_cast<int64_t>(row.shots));
    csv.add(row.arm);
    csv.add(row.mean());
    csv.add(row.deviation());
    for (int64_t n : {static_cast<int64_t>(row.accuracy.size()), row.classes,
                      row.test_images})
      csv.add(n);
    csv.end_row();
  }
  return csv.text();
}

nlohmann::json AugmentationStudy::to_json() const {
  nlohmann::json json = {{"study", "augmentation"},
                         {"rows", nlohmann::json::array()}};
  for (const auto& row : rows)
    json["rows"].push_back({{"shots", row.shots},
                            {"arm", row.arm},
                            {"accuracy", row.mean()},
                            {"deviation", row.deviation()},
                            {"by_repeat", row.accuracy},
                            {"classes", row.classes},
                            {"test_images", row.test_images}});
  return json;
}

}  // namespace protean
