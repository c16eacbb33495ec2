#include "trainer/per_rank.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "protean/comm/preflight.h"
#include "protean/core/error.h"
#include "protean/tasks/upload.h"

namespace protean {
namespace {

int64_t slice_size(int64_t size, int ranks) {
  return (size + ranks - 1) / ranks;
}

size_t bytes_of(const at::Tensor& t) { return static_cast<size_t>(t.nbytes()); }

}  // namespace

OuterStep::Slice slice_of(int64_t size, int rank, int ranks) {
  const int64_t each = slice_size(size, ranks);
  const auto at = [&](int64_t r) { return std::min(r * each, size); };
  return {at(rank), at(rank + 1), {}};
}

at::Tensor whole_of(const at::Tensor& slice, int64_t size, Communicator& comm) {
  // What the communicator cannot take goes through the host.
  if (!slice.is_cpu() && !comm.on_device())
    return upload(whole_of(slice.to(at::kCPU), size, comm), slice.device());
  const int64_t each = slice_size(size, comm.size());
  auto all = at::zeros({each * comm.size()}, slice.options());
  auto mine = all.narrow(0, each * comm.rank(), each);
  mine.narrow(0, 0, slice.numel()).copy_(slice);
  comm.all_gather(mine.data_ptr(), all.data_ptr(), bytes_of(mine));
  return all.narrow(0, 0, size);
}

void gather_slices(at::Tensor& whole, Communicator& comm) {
  const auto slice = slice_of(whole.numel(), comm.rank(), comm.size());
  whole.copy_(whole_of(whole.narrow(0, slice.begin, slice.end - slice.begin),
                       whole.numel(), comm));
}

void shard_optimiser(OuterStep& outer, const at::Tensor& theta,
                     const std::string& learner, Communicator& comm) {
  auto slice = slice_of(theta.numel(), comm.rank(), comm.size());
  slice.gather = [&comm](at::Tensor& whole) { gather_slices(whole, comm); };
  if (!outer.shard(slice))
    throw AgreedError(
        concat("comm.shard_optim = true is not for learner.name = ", learner,
               "; expected false"));
}

std::vector<at::Tensor> gather_buffers(const at::Tensor& mine,
                                       Communicator& comm) {
  std::vector<at::Tensor> all;
  for (int r = 0; r < comm.size(); ++r) {
    auto buffer = comm.rank() == r ? mine.to(at::kCPU).contiguous()
                                   : at::empty_like(mine, at::kCPU);
    comm.broadcast(buffer.data_ptr(), bytes_of(buffer), r);
    if (comm.rank() == 0) all.push_back(buffer.clone());
  }
  return all;
}

void give_out(const std::vector<at::Tensor>& all, at::Tensor& mine,
              Communicator& comm) {
  auto count = static_cast<int64_t>(all.size());
  comm.broadcast(&count, sizeof count, 0);
  if (count == 0) return;
  auto buffer = at::empty_like(mine, at::kCPU);
  for (int r = 0; r < comm.size() && count == comm.size(); ++r) {
    if (comm.rank() == 0) buffer.copy_(all[static_cast<size_t>(r)]);
    comm.broadcast(buffer.data_ptr(), bytes_of(buffer), 0);
    if (comm.rank() == r) mine.copy_(buffer);
  }
  if (count == comm.size()) return;
  mine.zero_();
  for (const auto& rest : all) mine.add_(rest.to(mine.device()));
}

}  // namespace protean
