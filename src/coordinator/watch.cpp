#include "protean/coordinator/watch.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "protean/core/error.h"

namespace protean {
namespace {

// Phases in which others wait for this rank; in all others the deadlines of
// collectives and checkpoints hold.
bool own_turn(RankPhase phase) {
  return phase == RankPhase::tasks || phase == RankPhase::computing ||
         phase == RankPhase::updating;
}

double tenths(double seconds) { return std::round(seconds * 10) / 10; }

}  // namespace

Watch::Watch(std::vector<std::string> who, const CoordinatorOptions& options,
             double now)
    : options_(options), last_check_(now) {
  for (auto& name : who) {
    Peer peer;
    peer.who = std::move(name);
    peer.last_sign = peer.last_progress = now;
    peers_.push_back(std::move(peer));
  }
}

void Watch::hello(size_t peer, const Hello& hello, double now) {
  heard(peer, now);
  peers_[peer].who += concat(" on ", hello.host, " (process ", hello.pid, ")");
}

void Watch::heard(size_t peer, double now) { peers_[peer].last_sign = now; }

void Watch::heard(size_t peer, const Beat& beat, double now) {
  auto& p = peers_[peer];
  heard(peer, now);
  if (!p.has_beat || beat.progress != p.beat.progress || !own_turn(beat.phase))
    p.last_progress = now;
  p.beat = beat;
  p.beat.costs.clear();
  p.has_beat = true;
}

void Watch::bye(size_t peer) { peers_[peer].gone = true; }

std::string Watch::place(const Peer& peer) const {
  if (!peer.has_beat) return "";
  return concat("; last seen at step ", peer.beat.step, ", ",
                name_of(peer.beat.phase));
}

std::vector<Watch::Finding> Watch::check(double now) {
  // Our own clock stood still, or we did: nobody else is to blame.
  const double gap = now - last_check_ - options_.heartbeat_s;
  if (gap > std::max(options_.warn_s / 2, 2 * options_.heartbeat_s))
    for (auto& p : peers_) {
      p.last_sign = std::min(now, p.last_sign + gap);
      p.last_progress = std::min(now, p.last_progress + gap);
    }
  last_check_ = now;

  std::vector<Finding> findings;
  for (auto& p : peers_) {
    if (p.gone) continue;
    const double silent = now - p.last_sign, still = now - p.last_progress;
    if (silent >= options_.silence_s) {
      findings.push_back(
          {true, concat(p.who, " is silent for ", tenths(silent),
                        " s (coordinator.silence_s = ", options_.silence_s,
                        "): stopped, dead or cut off", place(p))});
    } else if (silent >= options_.warn_s && !p.named) {
      p.named = true;
      findings.push_back(
          {false, concat(p.who, " is silent for ", tenths(silent),
                         " s; the job ends at coordinator.silence_s = ",
                         options_.silence_s, " s", place(p))});
    } else if (silent < options_.warn_s && p.named) {
      p.named = false;
      findings.push_back({false, concat(p.who, " is heard again")});
    } else if (p.has_beat && still >= options_.progress_s) {
      findings.push_back(
          {true, concat(p.who, " makes no progress for ", tenths(still),
                        " s (coordinator.progress_s = ", options_.progress_s,
                        ")", place(p))});
    }
  }
  return findings;
}

}  // namespace protean
