#include "protean/comm/preflight.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "protean/core/hash.h"

#include "comm/call.h"

namespace protean {
namespace {

void put(std::string& bytes, const std::string& text) {
  const auto n = static_cast<uint32_t>(text.size());
  bytes.append(reinterpret_cast<const char*>(&n), sizeof n);
  bytes += text;
}

std::string packed(const Facts& facts) {
  std::string bytes;
  for (const auto& [name, value] : facts) {
    put(bytes, name);
    put(bytes, value);
  }
  return bytes;
}

std::string take(const char*& at) {
  uint32_t n;
  std::memcpy(&n, at, sizeof n);
  std::string text(at + sizeof n, n);
  at += sizeof n + n;
  return text;
}

const std::string* find(const Facts& facts, const std::string& name) {
  for (const auto& [key, value] : facts)
    if (key == name) return &value;
  return nullptr;
}

// Whether every rank has the same value: two numbers over the network, on any
// number of ranks.
bool same_everywhere(Communicator& comm, int64_t value) {
  int64_t least[2] = {value, ~value};  // ~ turns the order round
  comm.all_reduce(least, 2, DType::i64, ReduceOp::min);
  return least[0] == ~least[1];
}

std::string value_text(const std::string* value) {
  if (!value) return "missing";
  return value->empty() ? "empty" : *value;
}

}  // namespace

std::vector<Facts> gather_facts(Communicator& comm, const Facts& facts) {
  std::string mine = packed(facts);
  const auto ranks = static_cast<size_t>(comm.size());
  std::vector<uint64_t> sizes(ranks);
  const uint64_t size = mine.size();
  comm.all_gather(&size, sizes.data(), sizeof size);
  const uint64_t largest = *std::max_element(sizes.begin(), sizes.end());
  mine.resize(largest);
  std::string all(largest * ranks, '\0');
  comm.all_gather(mine.data(), all.data(), largest);

  std::vector<Facts> result(ranks);
  for (size_t r = 0; r < ranks; ++r) {
    const char* at = all.data() + r * largest;
    const char* end = at + sizes[r];
    while (at < end) {
      std::string name = take(at);
      std::string value = take(at);
      result[r].emplace_back(std::move(name), std::move(value));
    }
  }
  return result;
}

void agree(Communicator& comm, const std::function<void()>& check) {
  Facts facts;
  try {
    check();
  } catch (const Error& e) {
    facts.emplace_back("error", e.what());
  }
  int64_t failures = facts.empty() ? 0 : 1;
  comm.all_reduce(&failures, 1, DType::i64, ReduceOp::max);
  if (failures == 0) return;
  const std::vector<Facts> all = gather_facts(comm, facts);
  const auto failed = std::find_if(all.begin(), all.end(),
                                   [](const Facts& f) { return !f.empty(); });
  const std::string& why = failed->front().second;
  const bool alike = std::all_of(all.begin(), all.end(),
                                 [&](const Facts& f) { return f == *failed; });
  throw AgreedError(alike ? why
                          : concat("rank ", failed - all.begin(), ": ", why));
}

void preflight(Communicator& comm, const Facts& facts) {
  const std::string mine = packed(facts);
  Hash64 hash;
  hash.add(mine.data(), mine.size());
  if (same_everywhere(comm, static_cast<int64_t>(hash.value()))) return;
  const std::vector<Facts> all = gather_facts(comm, facts);
  // Names in rank 0's order, then what only others have.
  std::vector<std::string> names;
  for (const Facts& rank : all)
    for (const auto& [name, value] : rank)
      if (std::find(names.begin(), names.end(), name) == names.end())
        names.push_back(name);

  std::string first;
  std::vector<std::string> more;
  for (const std::string& name : names) {
    const std::string here = value_text(find(all[0], name));
    std::vector<std::pair<std::string, std::vector<int>>> others;
    for (size_t r = 1; r < all.size(); ++r) {
      const std::string there = value_text(find(all[r], name));
      if (there == here) continue;
      auto it = std::find_if(others.begin(), others.end(),
                             [&](auto& o) { return o.first == there; });
      if (it == others.end())
        others.push_back({there, {static_cast<int>(r)}});
      else
        it->second.push_back(static_cast<int>(r));
    }
    if (others.empty()) continue;
    if (!first.empty()) {
      more.push_back(name);
      continue;
    }
    first = concat("ranks differ: ", name, " is ", here, " on rank 0");
    for (size_t i = 0; i < others.size(); ++i)
      first += concat(i ? ", " : " and ", others[i].first, " on ",
                      ranks_text(others[i].second));
  }
  if (first.empty()) return;
  if (!more.empty()) {
    first += "; also different: ";
    for (size_t i = 0; i < more.size(); ++i) first += (i ? ", " : "") + more[i];
  }
  throw AgreedError(first);
}

}  // namespace protean
