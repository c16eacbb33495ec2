// A trained run: predictions from a few examples, features, samples.
#include <algorithm>
#include <filesystem>
#include <functional>

#include <ATen/ATen.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "protean/core/error.h"
#include "protean/core/settings.h"
#include "protean/evaluation/inductive.h"
#include "protean/evaluation/predict_task.h"
#include "protean/experiment/keys.h"
#include "protean/experiment/stored_run.h"
#include "protean/generative/class_sampler.h"
#include "protean/generative/sampling.h"
#include "protean/trainer/evaluate.h"

#include "python/module.h"

namespace protean::python {
namespace {

// Beyond it labels are names, not counted from 0.
constexpr int64_t kMostWays = 100000;

class Run {
 public:
  // transductive: as the run was trained, where its predictions depend on the
  // other queries; else as `protean adapt` does, by the support set's moments.
  Run(const std::string& dir, bool transductive)
      : comm_(alone()),
        run_(load_run(dir, "run", *comm_, OpenFor::prediction)),
        asked_transductive_(transductive) {
    if (transductive) return;
    if (auto twin = inductive_twin(run_.experiment))
      run_.experiment.learner = std::move(twin);
  }

  const std::string& dir() const { return run_.dir; }
  bool asked_transductive() const { return asked_transductive_; }
  int64_t step() const { return run_.step; }
  std::string learner() const { return experiment().learner->name(); }
  const std::vector<int64_t>& input_shape() const {
    return experiment().tasks.train_shape.input;
  }
  bool transductive() const { return experiment().learner->transductive(); }
  bool probabilities() const { return gives_probabilities(experiment()); }
  bool regression() const {
    return experiment().tasks.train_shape.target == TargetKind::values;
  }
  std::map<std::string, std::string> config() const {
    Config copy = experiment().config;
    Settings settings;
    fields(settings, copy);
    std::map<std::string, std::string> values;
    for (const auto& s : settings.all()) values[s.key()] = s.value();
    return values;
  }

  // theta and the meta-state, by name.
  nb::dict parameters() const {
    nb::dict all;
    const auto& spaces = experiment().learner->spaces();
    for (const auto& [space, values] :
         {std::pair(&spaces.theta, &run_.meta.theta),
          std::pair(&spaces.state, &run_.meta.state)})
      for (const auto& p : space->parameters())
        all[p.name.c_str()] =
            array_of(values->narrow(0, p.offset, p.size).view(p.shape).clone());
    return all;
  }

  // (q, ways): logits; of a head with more outputs, those of these classes.
  nb::object scores(const Floats& support, const Labels& labels,
                    const Floats& query) const {
    need(TargetKind::classes, "scores()");
    const std::vector<int64_t> y(labels.data(), labels.data() + labels.size());
    const auto [least, most] = std::minmax_element(y.begin(), y.end());
    if (y.empty() || *least < 0 || *most > kMostWays)
      throw ConfigError(
          concat("labels: ", y.empty() ? "none" : concat(*least, " to ", *most),
                 "; expected 0, 1, ... of the classes"));
    const int64_t ways = *most + 1,
                  asked = static_cast<int64_t>(query.shape(0));
    const auto out =
        predict(support, query, static_cast<int64_t>(y.size()),
                static_cast<uint32_t>(ways), [&](StoredTask& task) {
                  task.support.label = y;
                  task.query.label.assign(static_cast<size_t>(asked), 0);
                });
    return array_of(out.narrow(1, 0, ways));
  }
  // (q, d): values, in the units that the learner was trained on.
  nb::object values(const Floats& support, const Floats& targets,
                    const Floats& query) const {
    need(TargetKind::values, "values()");
    const int64_t d = experiment().tasks.train_shape.target_size;
    const auto y = examples_of(targets, {d}, "targets");
    return array_of(
        predict(support, query, y.size(0), 0, [&](StoredTask& task) {
          task.support.value.assign(y.const_data_ptr<float>(),
                                    y.const_data_ptr<float>() + y.numel());
          task.query.value.assign(query.shape(0) * static_cast<size_t>(d), 0.f);
        }));
  }
  // (n, f), as the network is before any example was seen.
  nb::object encode(const Floats& x) const {
    need(TargetKind::classes, "encode()");
    const auto images = examples_of(x, input_shape(), "x");
    TaskBatch batch;
    batch.shape = experiment().tasks.train_shape;
    batch.ids = {{}};
    batch.support.x = batch.query.x = images.unsqueeze(0);
    batch.support.y = batch.query.y = at::zeros({1, images.size(0)}, at::kLong);
    at::Tensor out;
    {
      nb::gil_scoped_release free;
      const auto& l = *experiment().learner;
      l.adapt(batch, run_.meta, [&](int k, const Phi& phi) {
        if (k == 0) out = l.features(phi, batch.query);
      });
    }
    return array_of(out[0].clone());
  }
  // (count, C, H, W) images of the class that the support images are of.
  nb::object sample(const Floats& support, int64_t count, uint64_t seed,
                    double temperature) const {
    const auto learner = generative_learner(experiment(), run_.dir);
    const auto x = examples_of(support, learner->image_shape(), "support");
    if (count < 1 || count > kMostSamples)
      throw ConfigError(
          concat("count = ", count, "; expected 1 to ", kMostSamples));
    need_support(*learner, x.size(0), "support");
    std::vector<at::Tensor> made;
    {
      nb::gil_scoped_release free;
      const ClassSampler sampler(*learner, run_.meta, x,
                                 {Stream::generator, 0, 0}, seed, temperature);
      sampler.draw(count, [&](int64_t, const at::Tensor& images) {
        made.push_back(images.clone());
      });
    }
    return array_of(at::cat(made));
  }

 private:
  const Experiment& experiment() const { return run_.experiment; }

  void need(TargetKind kind, const char* what) const {
    if (experiment().tasks.train_shape.target != kind)
      throw ConfigError(concat(
          run_.dir, ": learner.name = ", learner(), " was not trained on ",
          kind == TargetKind::values ? "values" : "classes", "; ", what,
          " is not for it"));
  }

  StoredExamples examples(const Floats& array, const char* what,
                          int64_t* count) const {
    const auto x = examples_of(array, input_shape(), what);
    *count = x.size(0);
    return {{x.const_data_ptr<float>(), x.const_data_ptr<float>() + x.numel()},
            {},
            {}};
  }

  // What the labels or targets of the support examples are, `add` puts there.
  at::Tensor predict(const Floats& support, const Floats& query, int64_t given,
                     uint32_t ways,
                     const std::function<void(StoredTask&)>& add) const {
    int64_t known = 0, asked = 0;
    StoredTask task;
    task.support = examples(support, "support", &known);
    task.query = examples(query, "query", &asked);
    if (given != known)
      throw ConfigError(concat("support: ", known, " examples, but ", given,
                               " labels or rows of targets; expected as many"));
    task.shape = experiment().tasks.train_shape;
    task.shape.ways = ways;
    task.shape.support = static_cast<uint32_t>(known);
    task.shape.query = static_cast<uint32_t>(asked);
    add(task);
    nb::gil_scoped_release free;
    return predict_task(experiment(), run_.meta, std::move(task), "support");
  }

  std::unique_ptr<Communicator> comm_;
  StoredRun run_;
  bool asked_transductive_;
};

}  // namespace

void add_run(nb::module_& m) {
  nb::class_<Run>(m, "Run", "A trained run, as its newest checkpoint left it.")
      .def(nb::init<const std::string&, bool>(), nb::arg("dir"),
           nb::arg("transductive") = false)
      // Copied and sent to other processes by its folder.
      .def("__getstate__",
           [](const Run& run) {
             return std::pair(std::filesystem::absolute(run.dir()).string(),
                              run.asked_transductive());
           })
      .def("__setstate__",
           [](Run& run, const std::pair<std::string, bool>& state) {
             new (&run) Run(state.first, state.second);
           })
      .def_prop_ro("dir", &Run::dir)
      .def_prop_ro("step", &Run::step)
      .def_prop_ro("learner", &Run::learner)
      .def_prop_ro("input_shape", &Run::input_shape)
      .def_prop_ro("transductive", &Run::transductive)
      .def_prop_ro("probabilities", &Run::probabilities)
      .def_prop_ro("regression", &Run::regression)
      .def_prop_ro("config", &Run::config)
      .def_prop_ro("parameters", &Run::parameters,
                   "Copies of the parameters and the meta-state, by name.")
      .def("scores", &Run::scores, nb::arg("support"), nb::arg("labels"),
           nb::arg("query"),
           "Adapts to the support examples; (queries, classes) logits.")
      .def("values", &Run::values, nb::arg("support"), nb::arg("targets"),
           nb::arg("query"),
           "Adapts to the support examples; (queries, targets) values.")
      .def("encode", &Run::encode, nb::arg("x"),
           "(n, features) of examples, before any adaptation.")
      .def("sample", &Run::sample, nb::arg("support"), nb::arg("count"),
           nb::arg("seed") = 0, nb::arg("temperature") = 1.0,
           "(count, channels, height, width) images like the support images.");
}

}  // namespace protean::python
