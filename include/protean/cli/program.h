// The whole program, for a main() that adds something of its own first: see
// add_learner() in experiment/catalogue.h.
#pragma once

namespace protean {

// What `protean` does with these arguments; its exit code. Once per process.
int program(int argc, char** argv);

}  // namespace protean
