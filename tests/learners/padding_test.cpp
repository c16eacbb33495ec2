// Tasks of unequal size in one stack: each comes out as it does alone.
#include <cmath>

#include "protean/learners/make_learner.h"

#include "learners/inner_steps.h"
#include "support/catch.h"
#include "support/toy_tasks.h"

using namespace protean;

namespace {

constexpr int64_t kSide = 16;

// Noise images; classes and shots are what the description says.
class NoiseTasks : public TaskSource {
 public:
  TaskSpec describe(uint64_t seed, TaskId id,
                    const StreamState&) const override {
    TaskSpec spec;
    spec.id = id;
    spec.classes.resize(2 + id.index % 3);
    spec.support.assign(spec.classes.size(), 1 + id.index % 2);
    spec.query.assign(spec.classes.size(), 2);
    spec.latent = {seed};
    return spec;
  }
  TaskShape shape(const TaskSpec& spec) const override {
    TaskShape shape;
    shape.ways = static_cast<uint32_t>(spec.classes.size());
    shape.support = shape.ways * spec.support[0];
    shape.query = shape.ways * spec.query[0];
    shape.input = {1, kSide, kSide};
    return shape;
  }
  void materialise(const TaskSpec& spec, EpisodeView out) const override {
    Draws draws(spec.latent[0], spec.id, Purpose::test);
    const auto fill = [&](PartView to, uint32_t per_class) {
      for (size_t way = 0; way < spec.classes.size(); ++way)
        for (uint32_t i = 0; i < per_class; ++i) {
          *to.label++ = static_cast<int64_t>(way);
          for (int64_t p = 0; p < kSide * kSide; ++p)
            *to.x++ = static_cast<float>(draws.normal());
        }
    };
    fill(out.support, spec.support[0]);
    fill(out.query, spec.query[0]);
  }
};

TaskBatch stacked(const std::vector<TaskSpec>& specs) {
  return to(stack_tasks(NoiseTasks(), specs), at::kCPU, at::kDouble);
}

}  // namespace

TEST_CASE("tasks of unequal size in a stack equal them alone", "[learners]") {
  const std::string name =
      GENERATE("maml", "fomaml", "anil", "boil", "metasgd", "mamlpp",
               "protomaml", "imaml", "metalstm", "cavia", "reptile", "protonet",
               "matching", "siamese");
  // Norms are the same code for all.
  const std::string norms = name == "maml" || name == "protonet"
                                ? GENERATE("batch", "support", "layer", "task")
                                : "batch";
  INFO(name << ", " << norms);
  LearnerOptions o;
  o.name = name;
  set_inner_steps(o, 2, 0.1);
  if (norms == "support" || norms == "task") o.query_norm = "support";
  if (name == "imaml") o.proximal = 2;
  if (name == "metalstm" || name == "siamese") o.width = 5;
  ModelOptions model;
  model.filters = 4;
  model.pool = "max";
  if (norms == "layer" || norms == "task") model.norm = norms;
  if (name == "cavia") model.context = 3;

  std::vector<TaskSpec> specs;
  for (uint32_t i = 0; i < 3; ++i)
    specs.push_back(
        NoiseTasks().describe(11, {Stream::train, 0, i}, StreamState()));
  TaskShape largest = NoiseTasks().shape(specs[2]);
  largest.ways = 6;  // a head with more outputs than any task has classes
  const auto learner = make_learner(o, model, largest);
  CHECK(learner->task_sizes() == TaskSizes::any);
  const auto meta = initial_meta(*learner, 9);

  const auto batch = stacked(specs);
  const auto together = run_gradient(*learner, batch, meta);
  auto theta = at::zeros_like(meta.theta);
  auto state = at::zeros_like(meta.state);
  for (int64_t t = 0; t < 3; ++t) {
    const auto single = stacked({specs[static_cast<size_t>(t)]});
    const auto one = run_gradient(*learner, single, meta);
    theta += one.sums.theta;
    state += one.sums.state;
    CHECK(std::abs(
              (one.losses.loss[0] - together.losses.loss[t]).item<double>()) <
          1e-10);
    CHECK(one.losses.accuracy[0].item<double>() ==
          Approx(together.losses.accuracy[t].item<double>()));
    // No more logits than classes.
    learner->adapt(single, meta, [&](int, const Phi& phi) {
      CHECK(learner->predict(phi, single.query).size(-1) == single.shape.ways);
    });
  }
  CHECK(theta.abs().max().item<double>() > 1e-4);
  CHECK((theta - together.sums.theta).abs().max().item<double>() < 1e-10);
  if (state.numel())
    CHECK((state - together.sums.state).abs().max().item<double>() < 1e-10);
}
