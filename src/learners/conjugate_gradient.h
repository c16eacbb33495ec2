// Conjugate gradients for many systems at once (Hestenes and Stiefel 1952).
#pragma once

#include <functional>

#include <ATen/core/Tensor.h>

namespace protean {

// x with A x = b for every row of b (T, P), after at most `steps` steps from
// x = 0. product: rows times A, which is symmetric.
//
// A row stays where it is once its residual is below what rounding makes of b:
// further steps would divide by what underflows. It also stays where A does not
// curve upwards along the next direction, since the quadratic that the steps
// descend has no minimum there; a row that finds so at once is b, what A = I
// would give (Steihaug 1983).
at::Tensor conjugate_gradient(
    const std::function<at::Tensor(const at::Tensor& rows)>& product,
    const at::Tensor& b, int steps);

}  // namespace protean
