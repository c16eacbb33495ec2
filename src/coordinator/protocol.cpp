#include "protean/coordinator/protocol.h"

#include <cstring>
#include <type_traits>

#include "protean/core/error.h"

namespace protean {
namespace {

class Writer {
 public:
  template <typename T>
  void number(T value) {
    static_assert(std::is_trivially_copyable_v<T>);
    out_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void text(const std::string& value) {
    number<uint32_t>(static_cast<uint32_t>(value.size()));
    out_ += value;
  }
  template <typename T>
  void list(const std::vector<T>& all) {
    number<uint32_t>(static_cast<uint32_t>(all.size()));
    for (const auto& one : all) number(one);
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

class Reader {
 public:
  explicit Reader(std::string_view in) : in_(in) {}
  template <typename T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::string text() { return std::string(take(number<uint32_t>())); }
  template <typename T>
  std::vector<T> list() {
    const auto count = number<uint32_t>();
    if (count > in_.size() / sizeof(T)) broken();
    std::vector<T> all;
    for (uint32_t i = 0; i < count; ++i) all.push_back(number<T>());
    return all;
  }
  void end() const {
    if (!in_.empty()) broken();
  }
  [[noreturn]] static void broken() {
    throw CommError(
        "coordinator: a message that is none; expected another rank of this "
        "build to have sent it");
  }

 private:
  std::string_view take(size_t bytes) {
    if (bytes > in_.size()) broken();
    const auto part = in_.substr(0, bytes);
    in_.remove_prefix(bytes);
    return part;
  }
  std::string_view in_;
};

struct WriteFields {
  Writer& out;
  void operator()(const Hello& m) {
    out.text(m.host);
    out.number(m.pid);
  }
  void operator()(const Beat& m) {
    out.number(m.phase);
    out.number(m.step);
    out.number(m.progress);
    out.list(m.costs);
  }
  void operator()(const Pulse&) {}
  void operator()(const CostTable& m) {
    out.number(m.version);
    out.list(m.entries);
  }
  void operator()(const Bye&) {}
};

}  // namespace

const char* name_of(RankPhase phase) {
  switch (phase) {
    case RankPhase::setup:
      return "setting up";
    case RankPhase::tasks:
      return "waiting for tasks";
    case RankPhase::computing:
      return "computing";
    case RankPhase::waiting:
      return "waiting for other ranks";
    case RankPhase::updating:
      return "in the outer step";
    case RankPhase::validating:
      return "validating";
    case RankPhase::storing:
      return "storing a checkpoint";
    case RankPhase::ending:
      return "ending";
  }
  return "?";
}

std::string encode(const Message& message) {
  Writer out;
  out.number(static_cast<uint8_t>(message.index()));
  std::visit(WriteFields{out}, message);
  return out.take();
}

Message decode(std::string_view bytes) {
  Reader in(bytes);
  const auto kind = in.number<uint8_t>();
  Message message;
  switch (kind) {
    case 0: {
      Hello m;
      m.host = in.text();
      m.pid = in.number<int64_t>();
      message = m;
      break;
    }
    case 1: {
      Beat m;
      m.phase = in.number<RankPhase>();
      if (m.phase > RankPhase::ending) Reader::broken();
      m.step = in.number<int64_t>();
      m.progress = in.number<uint64_t>();
      m.costs = in.list<StackCost>();
      message = m;
      break;
    }
    case 2:
      message = Pulse{};
      break;
    case 3: {
      CostTable m;
      m.version = in.number<uint64_t>();
      m.entries = in.list<CostTable::Entry>();
      message = m;
      break;
    }
    case 4:
      message = Bye{};
      break;
    default:
      Reader::broken();
  }
  in.end();
  return message;
}

}  // namespace protean
