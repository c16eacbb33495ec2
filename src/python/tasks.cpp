// Task streams: the batches that training or evaluation would see.
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "protean/core/error.h"
#include "protean/core/ini.h"
#include "protean/core/settings.h"
#include "protean/experiment/experiment.h"
#include "protean/experiment/keys.h"
#include "protean/experiment/step_batches.h"

#include "python/module.h"

namespace protean::python {
namespace {

// As `protean` reads them: later files and then `values` win.
Config read_config(const std::vector<std::string>& files,
                   const std::map<std::string, std::string>& values) {
  Config config;
  Settings settings;
  fields(settings, config);
  for (const auto& file : files) settings.set_all(read_ini(file), file);
  for (const auto& [key, value] : values)
    Settings::set(settings.at(key, "tasks()"), value, "tasks()");
  check(config);
  return config;
}

struct Batch {
  TaskBatch batch;
  nb::object support_x() const { return array_of(batch.support.x); }
  nb::object support_y() const { return array_of(batch.support.y); }
  nb::object support_weight() const { return array_of(batch.support.weight); }
  nb::object query_x() const { return array_of(batch.query.x); }
  nb::object query_y() const { return array_of(batch.query.y); }
  nb::object query_weight() const { return array_of(batch.query.weight); }
  uint32_t ways() const { return batch.shape.ways; }
  std::vector<uint32_t> indices() const {
    std::vector<uint32_t> all;
    for (const auto& id : batch.ids) all.push_back(id.index);
    return all;
  }
};

class Tasks {
 public:
  Tasks(const std::vector<std::string>& files,
        const std::map<std::string, std::string>& values,
        const std::string& stream)
      : comm_(alone()),
        stream_(stream_named(stream, "stream")),
        experiment_(open_experiment(read_config(files, values), *comm_,
                                    stream_ == Stream::train
                                        ? OpenFor::training
                                        : OpenFor::evaluation)) {
    if (experiment_.tasks.environment)
      throw ConfigError(concat("data.source = ", experiment_.config.data.source,
                               " is acted in; expected tasks of examples"));
  }

  std::vector<Batch> step(int64_t step) const {
    if (step < 0 || step > UINT32_MAX)
      throw ConfigError(concat("step ", step, "; expected 0 or more"));
    nb::gil_scoped_release free;
    std::vector<Batch> all;
    for (auto& batch : step_batches(experiment_, stream_, step))
      all.push_back({std::move(batch)});
    return all;
  }
  int64_t steps() const { return experiment_.config.run.steps; }
  std::string checksum() const { return experiment_.tasks.checksum; }

 private:
  std::unique_ptr<Communicator> comm_;
  Stream stream_;
  Experiment experiment_;
};

}  // namespace

void add_tasks(nb::module_& m) {
  nb::class_<Batch>(m, "Batch",
                    "A stack of T tasks of one shape; NumPy arrays whose first "
                    "dimension is T.")
      .def_prop_ro("support_x", &Batch::support_x)
      .def_prop_ro("support_y", &Batch::support_y)
      .def_prop_ro("support_weight", &Batch::support_weight,
                   "0 where an example is padding; None: no example is")
      .def_prop_ro("query_x", &Batch::query_x)
      .def_prop_ro("query_y", &Batch::query_y)
      .def_prop_ro("query_weight", &Batch::query_weight)
      .def_prop_ro("ways", &Batch::ways)
      .def_prop_ro("indices", &Batch::indices,
                   "positions of the tasks in the meta-batch");
  nb::class_<Tasks>(m, "Tasks", "The task stream of a configuration.")
      .def(nb::init<const std::vector<std::string>&,
                    const std::map<std::string, std::string>&,
                    const std::string&>(),
           nb::arg("files"), nb::arg("values"), nb::arg("stream"))
      .def("step", &Tasks::step, nb::arg("step"),
           "The stacks of one meta-step.")
      .def_prop_ro("steps", &Tasks::steps)
      .def_prop_ro("checksum", &Tasks::checksum);
}

}  // namespace protean::python
