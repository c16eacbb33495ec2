#include "protean/comm/communicator.h"

#include <algorithm>
#include <type_traits>

#include "protean/comm/mailbox.h"
#include "protean/core/half.h"

#include "comm/call.h"
#include "comm/reduce.h"

namespace protean {
namespace {

template <typename T>
void reduce_typed(T* __restrict into, const T* __restrict from, size_t count,
                  ReduceOp op) {
  switch (op) {
    case ReduceOp::sum:
      if constexpr (std::is_integral_v<T>) {  // wraps, without overflow in C++
        using U = std::make_unsigned_t<T>;
        for (size_t i = 0; i < count; ++i)
          into[i] =
              static_cast<T>(static_cast<U>(into[i]) + static_cast<U>(from[i]));
      } else {
        for (size_t i = 0; i < count; ++i) into[i] += from[i];
      }
      return;
    case ReduceOp::min:
      for (size_t i = 0; i < count; ++i) into[i] = std::min(into[i], from[i]);
      return;
    case ReduceOp::max:
      for (size_t i = 0; i < count; ++i) into[i] = std::max(into[i], from[i]);
      return;
  }
}

template <float (*Widen)(uint16_t), uint16_t (*Round)(float)>
void add_halves(void* into, const void* from, size_t count, ReduceOp op) {
  if (op != ReduceOp::sum)
    throw CommError("min and max of 16-bit floats are not offered");
  auto* const a = static_cast<uint16_t*>(into);
  const auto* const b = static_cast<const uint16_t*>(from);
  for (size_t i = 0; i < count; ++i) a[i] = Round(Widen(a[i]) + Widen(b[i]));
}

}  // namespace

size_t size_of(DType type) {
  switch (type) {
    case DType::u8:
      return 1;
    case DType::bf16:
    case DType::f16:
      return 2;
    case DType::i32:
    case DType::f32:
      return 4;
    default:
      return 8;
  }
}

const char* name_of(DType type) {
  switch (type) {
    case DType::u8:
      return "u8";
    case DType::i32:
      return "i32";
    case DType::i64:
      return "i64";
    case DType::f32:
      return "f32";
    case DType::bf16:
      return "bf16";
    case DType::f16:
      return "f16";
    default:
      return "f64";
  }
}

const char* name_of(ReduceOp op) {
  switch (op) {
    case ReduceOp::sum:
      return "sum";
    case ReduceOp::min:
      return "min";
    default:
      return "max";
  }
}

void reduce_into(void* into, const void* from, size_t count, DType type,
                 ReduceOp op) {
  auto run = [&]<typename T>(T*) {
    reduce_typed(static_cast<T*>(into), static_cast<const T*>(from), count, op);
  };
  switch (type) {
    case DType::u8:
      return run(static_cast<uint8_t*>(nullptr));
    case DType::i32:
      return run(static_cast<int32_t*>(nullptr));
    case DType::i64:
      return run(static_cast<int64_t*>(nullptr));
    case DType::f32:
      return run(static_cast<float*>(nullptr));
    case DType::f64:
      return run(static_cast<double*>(nullptr));
    case DType::bf16:
      return add_halves<bf16_to_float, float_to_bf16>(into, from, count, op);
    case DType::f16:
      return add_halves<f16_to_float, float_to_f16>(into, from, count, op);
  }
}

std::string Call::text() const {
  switch (kind) {
    case CallKind::all_reduce:
      return concat("all_reduce(", name_of(op),
                    order == SumOrder::by_rank ? " by rank, " : ", ",
                    name_of(type), "[", count, "])");
    case CallKind::broadcast:
      return concat("broadcast(", count, " bytes from rank ", root, ")");
    case CallKind::all_gather:
      return concat("all_gather(", count, " bytes)");
    case CallKind::barrier:
      return "barrier";
    default:
      return "split";
  }
}

std::string compare_calls(const Noted& noted, const std::string& text,
                          uint64_t number) {
  const std::string last = noted.last.text();
  if (noted.calls == 0) return "has not called it, nor anything else";
  if (noted.calls < number) {
    const std::chrono::duration<double> ago =
        std::chrono::steady_clock::now() - noted.time;
    return concat("has not called it; its last call was ", last, ", ",
                  seconds_text(ago.count()), " ago");
  }
  if (noted.calls == number && last != text)
    return concat("calls ", last, " instead");
  return "";
}

void check_root(int root, int ranks) {
  if (root < 0 || root >= ranks)
    throw CommError(
        concat("broadcast: root = ", root, "; expected 0 to ", ranks - 1));
}

void check_color(int color) {
  if (color < 0)
    throw CommError(concat("split: color = ", color, "; expected >= 0"));
}

void check_mail(int to, int ranks, const std::string& bytes) {
  if (to < 0 || to >= ranks)
    throw CommError(concat("mail to rank ", to, "; expected 0 to ", ranks - 1));
  if (bytes.size() > Mailbox::kMostBytes)
    throw CommError(concat("mail of ", bytes.size(), " bytes; expected ",
                           Mailbox::kMostBytes, " at most"));
}

std::string seconds_text(double seconds) {
  std::ostringstream out;
  out.precision(3);
  out << seconds << " s";
  return out.str();
}

std::string ranks_text(const std::vector<int>& ranks) {
  std::string text = ranks.size() == 1 ? "rank " : "ranks ";
  for (size_t i = 0; i < ranks.size(); ++i)
    text += (i ? ", " : "") + std::to_string(ranks[i]);
  return text;
}

}  // namespace protean
