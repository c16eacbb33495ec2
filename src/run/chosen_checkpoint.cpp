#include "protean/run/chosen_checkpoint.h"

#include <algorithm>
#include <charconv>

#include "protean/core/error.h"

namespace protean {
namespace {

namespace fs = std::filesystem;

// "500, 1000, 1500": oldest first.
std::string steps_text(const fs::path& checkpoints, const fs::path& fallback) {
  auto steps = checkpoint_steps(checkpoints);
  if (!fallback.empty())
    for (int64_t step : checkpoint_steps(fallback)) steps.push_back(step);
  std::sort(steps.begin(), steps.end());
  steps.erase(std::unique(steps.begin(), steps.end()), steps.end());
  std::string text;
  for (int64_t step : steps) text += concat(text.empty() ? "" : ", ", step);
  return text;
}

int64_t parse_step(const std::string& which) {
  int64_t step = -1;
  const char* const end = which.data() + which.size();
  const auto read = std::from_chars(which.data(), end, step);
  return read.ec == std::errc() && read.ptr == end ? step : -1;
}

}  // namespace

std::optional<FoundCheckpoint> find_checkpoint(const fs::path& checkpoints,
                                               const fs::path& fallback,
                                               const std::string& which) {
  if (which == "latest") return find_newest_valid(checkpoints, fallback);
  const auto refuse = [&](const std::string& why) {
    throw ConfigError(concat("--checkpoint ", which, ": ", why,
                             "; expected latest, best or a step of ",
                             steps_text(checkpoints, fallback)));
  };
  int64_t step = parse_step(which);
  if (which == "best") {
    const auto newest = find_newest_valid(checkpoints, fallback);
    if (!newest) return {};
    if (newest->state.best_steps.empty())
      refuse("no validation has chosen one (eval.every)");
    step = newest->state.best_steps.front();
  } else if (step < 0) {
    refuse("no such name");
  }
  for (const auto& place : {checkpoints, fallback}) {
    const auto folder = place / concat("step-", step);
    if (!place.empty() && fs::is_directory(folder))
      return FoundCheckpoint{folder, load_checkpoint(folder)};
  }
  if (steps_text(checkpoints, fallback).empty()) return {};
  refuse(concat("there is none of step ", step));
  return {};
}

}  // namespace protean
