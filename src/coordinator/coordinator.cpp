#include "coordinator/coordinator.h"

#include <algorithm>
#include <cmath>

#include "protean/core/error.h"
#include "protean/core/fault_points.h"
#include "protean/core/log.h"

namespace protean {
namespace {

constexpr int kStragglerSteps = 20;
constexpr double kStragglerRatio = 1.5;
// Steps of milliseconds vary by themselves: so much work is looked at.
constexpr double kStragglerSeconds = 5;

std::vector<std::string> rank_names(int ranks) {
  std::vector<std::string> names;
  for (int r = 0; r < ranks; ++r) names.push_back(concat("rank ", r));
  return names;
}

}  // namespace

std::vector<Stragglers::Slow> Stragglers::step(std::span<const float> busy_s) {
  for (size_t r = 0; r < busy_.size(); ++r) busy_[r] += busy_s[r];
  if (++steps_ < kStragglerSteps) return {};
  // Ranks without tasks are no measure.
  std::vector<double> sorted;
  for (double b : busy_)
    if (b > 0) sorted.push_back(b);
  if (sorted.size() < 2) return {};
  // The lower median: with two ranks the slow one is not its own measure.
  const auto middle = sorted.begin() + (sorted.size() - 1) / 2;
  std::nth_element(sorted.begin(), middle, sorted.end());
  if (*middle < kStragglerSeconds) return {};
  std::vector<Slow> slow;
  for (size_t r = 0; r < busy_.size(); ++r) {
    const bool now = busy_[r] > kStragglerRatio * *middle;
    if (now && !named_[r]) slow.push_back({r, busy_[r] / *middle, steps_});
    named_[r] = now;
  }
  busy_.assign(busy_.size(), 0);
  steps_ = 0;
  return slow;
}

Coordinator::Coordinator(int ranks, const CoordinatorOptions& options,
                         const CostTable& start, double now)
    : watch_(rank_names(ranks), options, now),
      model_(start),
      told_(start.version),
      hosts_(ranks),
      stragglers_(ranks) {}

void Coordinator::handle(int from, const Message& message, double now) {
  const auto peer = static_cast<size_t>(from);
  if (const auto* hello = std::get_if<Hello>(&message)) {
    watch_.hello(peer, *hello, now);
    std::lock_guard lock(mutex_);
    hosts_[peer] = hello->host;
  } else if (const auto* beat = std::get_if<Beat>(&message)) {
    watch_.heard(peer, *beat, now);
    for (const auto& cost : beat->costs) model_.observe(cost);
  } else if (std::holds_alternative<Bye>(message)) {
    watch_.bye(peer);
  }
}

std::vector<Message> Coordinator::tick() {
  fault_point("coordinator.tick");
  std::vector<Message> out{Pulse{}};
  const auto& table = model_.table();
  if (table.version != told_) {
    told_ = table.version;
    out.push_back(table);
  }
  return out;
}

std::optional<std::string> Coordinator::check(double now) {
  for (const auto& finding : watch_.check(now)) {
    if (finding.fatal) return finding.line;
    log_warning(finding.line);
  }
  return std::nullopt;
}

void Coordinator::step_done(std::span<const float> busy_s) {
  std::lock_guard lock(mutex_);
  for (const auto& slow : stragglers_.step(busy_s))
    log_warning(concat("rank ", slow.rank, " on ", hosts_[slow.rank],
                       " is slow: ", std::round(slow.ratio * 10) / 10,
                       " times the median's compute time over ", slow.steps,
                       " steps"));
}

}  // namespace protean
