#include "python/module.h"

#include <c10/util/Exception.h>

#include "protean/comm/inproc.h"
#include "protean/core/error.h"
#include "protean/run/provenance.h"

namespace protean::python {

std::unique_ptr<Communicator> alone() {
  auto ranks = make_inproc(1, {});
  return std::move(ranks.front().comm);
}

}  // namespace protean::python

NB_MODULE(_protean, m) {
  namespace nb = nanobind;
  m.doc() = "Protean's learners, generators and task streams";
  // What ends `protean` with 2, the caller's mistakes, is a ValueError.
  nb::register_exception_translator([](const std::exception_ptr& p, void*) {
    try {
      std::rethrow_exception(p);
    } catch (const protean::Error& e) {
      PyErr_SetString(e.exit_code() == protean::kExitUsage ? PyExc_ValueError
                                                           : PyExc_RuntimeError,
                      e.what());
    } catch (const c10::Error& e) {
      PyErr_SetString(PyExc_RuntimeError, e.what_without_backtrace());
    }
  });
  m.def("build_commit", &protean::build_commit);
  protean::python::add_run(m);
  protean::python::add_tasks(m);
}
