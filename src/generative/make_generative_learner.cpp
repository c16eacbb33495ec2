#include <algorithm>
#include <utility>

#include "protean/core/check_entries.h"
#include "protean/core/error.h"
#include "protean/core/lists.h"
#include "protean/generative/generative_learner.h"
#include "protean/generative/keys.h"
#include "protean/learners/keys.h"

#include "generative/deform.h"
#include "generative/meta_gan.h"
#include "generative/meta_vae.h"
#include "generative/set_vae.h"

namespace protean {
namespace {

void check_shape(const TaskShape& train) {
  if (train.input.size() != 3)
    throw ConfigError(concat(
        "a generative learner takes images (channels, height, width), but the "
        "data has examples of ",
        train.input.size(), " dimensions"));
  if (train.ways != 1)
    throw ConfigError(
        concat("task.ways = ", train.ways,
               "; a generative learner takes one class at a time, expected 1"));
}

// The bound needs densities of the noise, which the uniform one's network
// lacks.
void check_noise(const GeneratorOptions& o, bool gan) {
  if (o.noise == "uniform" &&
      (!gan || o.reconstruct == "bound" || o.network == "deform"))
    throw ConfigError(
        "generator.noise = uniform needs learner.name = metagan, "
        "generator.reconstruct = mse or none, and another generator.network "
        "than deform; expected normal");
}

// What a generative learner is made from.
struct Parts {
  const GeneratorOptions& generator;
  const LearnerOptions& learner;
  const TaskShape& train;
  const TaskCounts& eval;
};

struct Row {
  Entry entry;
  GenerativeLearnerPtr (*make)(const Parts&);
};

template <typename T>
GenerativeLearnerPtr plain(const Parts& p) {
  return std::make_shared<T>(p.generator, p.learner, p.train, p.eval);
}

using Keys = std::vector<std::string>;

Keys operator+(Keys a, const Keys& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// What kinds of them read.
const Keys kAll = {"generator.filters",       "generator.features",
                   "generator.hidden",        "generator.latent",
                   "generator.bound_samples", "generator.binary"};
const Keys kSets =
    kAll + Keys{"generator.network",      "generator.code",
                "generator.encoder",      "generator.pooling",
                "generator.random_shots", "generator.code_weight",
                "generator.task_norm"};
const Keys kSteps =
    kSets + Keys{"generator.meta",       "learner.inner_steps",
                 "learner.inner_lr",     "learner.inner_optimizer",
                 "learner.second_order", "learner.adapt",
                 "learner.eval_steps"};
const Keys kGan = kSteps + Keys{"generator.warm_up",
                                "generator.adversary",
                                "generator.loss",
                                "generator.reconstruct",
                                "generator.noise",
                                "generator.variance",
                                "generator.task_code",
                                "generator.spectral_norm",
                                "generator.r1",
                                "generator.r1_every",
                                "generator.anchor",
                                "generator.mode_seeking",
                                "generator.image_variance",
                                "generator.code_cycle",
                                "generator.proximal",
                                "generator.average"};
constexpr char kImages[] = "images, one class per task";

// In the order in which they are listed to users.
const std::vector<Row>& rows() {
  static const std::vector<Row> all = {
      {{"setvae", "a VAE whose class code is read from a set of images",
        "Edwards and Storkey 2017, arXiv:1606.02185", kImages, kSets},
       plain<SetVae>},
      {{"metavae", "the same, adapted to each class by inner steps", "",
        kImages, kSteps},
       plain<MetaVae>},
      {{"metagan",
        "the same with a discriminator that is told the class; inner steps "
        "adapt both",
        "Larsen et al. 2016, arXiv:1512.09300", kImages, kGan},
       plain<MetaGan>},
      {{"deform", "bends one image of a class into others", "", kImages,
        kAll + Keys{"generator.warm_up"}},
       plain<Deform>},
  };
  return all;
}

}  // namespace

std::vector<Entry> generative_entries() {
  std::vector<Entry> entries;
  for (const auto& row : rows()) entries.push_back(row.entry);
  return entries;
}

bool is_generative(const std::string& name) {
  return std::any_of(rows().begin(), rows().end(),
                     [&](const Row& row) { return row.entry.name == name; });
}

std::string generative_names() {
  return joined(rows(), [](const Row& row) { return row.entry.name; });
}

GenerativeLearnerPtr make_generative_learner(const LearnerOptions& learner,
                                             const GeneratorOptions& generator,
                                             const TaskShape& train,
                                             const TaskCounts& eval) {
  check_shape(train);
  check_entries({{"learner.name", generative_entries()}}, learner, generator);
  check_noise(generator, learner.name == "metagan");
  return std::find_if(
             rows().begin(), rows().end(),
             [&](const Row& row) { return row.entry.name == learner.name; })
      ->make({generator, learner, train, eval});
}

void need_any_code(const GenerativeLearner& learner, const std::string& what) {
  if (!learner.draws_any_code())
    throw ConfigError(what + ": learner.name = " + learner.name() +
                      " with these settings bends support images, and draws no "
                      "class from a code alone; expected a run of setvae, "
                      "metavae or metagan with another generator.network than "
                      "deform, or for tasks generator.rule = image");
}

void need_found_codes(const GenerativeLearner& learner,
                      const std::string& what) {
  need_any_code(learner, what);
  if (!learner.finds_codes())
    throw ConfigError(what + ": learner.name = " + learner.name() +
                      " with generator.encoder = false finds no image's code; "
                      "expected a run with generator.encoder = true");
}

void need_support(const GenerativeLearner& learner, int64_t images,
                  const std::string& what) {
  if (images < learner.least_support())
    throw ConfigError(
        concat(what, ": ", images, images == 1 ? " image" : " images",
               " of a class; the model was trained on ",
               learner.least_support(), ", expected at least as many"));
}

at::Tensor GenerativeLearner::realness(const MetaView&, const at::Tensor&,
                                       const at::Tensor&) const {
  throw Error(name() + ": nothing judges images of codes alone");
}

Phi GenerativeLearner::adapted(const at::Tensor& x,
                               const std::vector<TaskId>& ids,
                               const MetaView& meta) const {
  Phi last;
  adapt_to(x, ids, meta, [&](int, const Phi& phi) { last = phi; });
  return last;
}

void GenerativeLearner::adapt_to(const at::Tensor& x,
                                 const std::vector<TaskId>& ids,
                                 const MetaView& meta,
                                 const Visit& visit) const {
  TaskBatch batch;
  batch.ids = ids;
  batch.support.x = x;
  adapt(batch, meta, visit);
}

}  // namespace protean
