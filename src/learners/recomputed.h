// Memory against time: a function whose graph is made when it is differentiated
// and not when it is called, so that between the two only its arguments are
// kept. Values and gradients have the same bits as without.
#pragma once

#include <functional>

#include "protean/models/network.h"

namespace protean {

// f(inputs). f must depend on its arguments, and on constants, alone, and is
// called once more per gradient. First derivatives only (those of f may be
// taken inside of f).
using TensorFunction = std::function<Params(const Params&)>;
Params recomputed(TensorFunction f, const Params& inputs);

}  // namespace protean
