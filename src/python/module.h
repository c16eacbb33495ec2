// What the module is made of.
#pragma once

#include <memory>

#include "protean/comm/communicator.h"

#include "python/arrays.h"

namespace protean::python {

void add_run(nb::module_& m);
void add_tasks(nb::module_& m);

// Python is one rank of its own.
std::unique_ptr<Communicator> alone();

}  // namespace protean::python
