// Between the flat buffer and a network's stacked parameters.
#pragma once

#include <ATen/core/Tensor.h>

#include "protean/core/parameter_space.h"
#include "protean/models/network.h"

namespace protean {

// Views of flat, (1, shape...) each: shared by all tasks, no copy.
Params shared_params(const ParameterSpace& space, const at::Tensor& flat);

// One for each of T tasks, (T, shape...), as autograd leaves with a gradient
// each. All are views of flat, which must not change while they are in use.
Params stacked_leaves(const ParameterSpace& space, const at::Tensor& flat,
                      int64_t tasks);

// flat[parameter i] += scale * sum over tasks of values[i]. values[i]: (T or 1,
// shape...), or undefined for a parameter without gradient.
void add_to_flat(const ParameterSpace& space, const Params& values,
                 const at::Tensor& flat, double scale = 1);

}  // namespace protean
