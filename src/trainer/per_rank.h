// What every rank holds a part of, and a checkpoint all of: slices of the
// optimiser's state, rests of 16-bit gradients.
#pragma once

#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "protean/comm/communicator.h"
#include "protean/learners/outer_step.h"

namespace protean {

// Equal slices of `size` elements, the last ones shorter.
OuterStep::Slice slice_of(int64_t size, int rank, int ranks);
// Completes a flat float32 buffer of which each rank has its slice
// (collective). A device's goes through the host where comm is of host memory.
void gather_slices(at::Tensor& whole, Communicator& comm);
// The whole buffer from each rank's slice of it (collective).
at::Tensor whole_of(const at::Tensor& slice, int64_t size, Communicator& comm);
// From here on this rank holds its slice of the optimiser's state, and theta is
// completed over comm, which must outlive the step. Throws AgreedError naming
// the learner whose outer step needs all of it.
void shard_optimiser(OuterStep& outer, const at::Tensor& theta,
                     const std::string& learner, Communicator& comm);

// Each rank's float32 buffer, in rank order, on rank 0; empty elsewhere
// (collective).
std::vector<at::Tensor> gather_buffers(const at::Tensor& mine,
                                       Communicator& comm);
// The other way round: rank r gets buffer r of rank 0's (collective). Of
// another number of ranks' buffers rank 0 gets the sum and the others zeros, so
// that none is lost.
void give_out(const std::vector<at::Tensor>& all, at::Tensor& mine,
              Communicator& comm);

}  // namespace protean
