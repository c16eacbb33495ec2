#include "protean/tasks/byte_tasks.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>

#include "protean/tasks/upload.h"

namespace protean {
namespace {

at::Tensor on_host(const at::Tensor& bytes, const ByteScale& scale) {
  const auto out = at::empty(bytes.sizes(), at::kFloat);
  const auto table = scale.values();
  const uint8_t* from = bytes.const_data_ptr<uint8_t>();
  float* to = out.data_ptr<float>();
  constexpr int64_t kGrain = 1 << 16;
  at::parallel_for(0, bytes.numel(), kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) to[i] = table[from[i]];
  });
  return out;
}

// The same numbers from the same table.
at::Tensor there(const at::Tensor& bytes, const ByteScale& scale) {
  const auto values = scale.values();
  const auto table =
      upload(at::tensor(at::ArrayRef<float>(values)), bytes.device());
  return table.index_select(0, bytes.flatten().to(at::kInt))
      .view(bytes.sizes());
}

at::Tensor numbers(const Part& part, const ByteScale& scale) {
  if (part.x.scalar_type() != at::kByte) return part.x;
  auto x = part.x.is_cpu() ? on_host(part.x, scale) : there(part.x, scale);
  if (!part.weight.defined()) return x;
  auto padding = part.weight.eq(0);
  while (padding.dim() < x.dim()) padding = padding.unsqueeze(-1);
  return x.masked_fill_(padding, 0);
}

uint64_t bytes_of(const Part& part) {
  uint64_t sum = 0;
  for (const auto& t : {part.x, part.y, part.weight, part.absent})
    if (t.defined()) sum += t.nbytes();
  return sum;
}

}  // namespace

TaskBatch with_numbers(const TaskBatch& batch, const ByteScale& scale) {
  TaskBatch out = batch;
  out.support.x = numbers(batch.support, scale);
  out.query.x = numbers(batch.query, scale);
  return out;
}

uint64_t bytes_of(const TaskBatch& batch) {
  return bytes_of(batch.support) + bytes_of(batch.query);
}

}  // namespace protean
