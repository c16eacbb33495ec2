#include "run/checkpoint_folders.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <system_error>

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"
#include "protean/core/fault_points.h"
#include "protean/run/checkpoint.h"

#include "run/checkpoint_format.h"

namespace protean {
namespace {

namespace fs = std::filesystem;

constexpr const char* kReplaced = ".replaced";

void rename_or_throw(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error)
    throw DataError(concat(from.string(), ": cannot rename to ",
                           to.filename().string(), ": ", error.message()));
}

}  // namespace

std::string checkpoint_folder_name(int64_t step) {
  return "step-" + std::to_string(step);
}

int64_t checkpoint_step_of(std::string name) {
  if (name.ends_with(kReplaced))
    name.resize(name.size() - std::strlen(kReplaced));
  if (!name.starts_with("step-")) return -1;
  int64_t step = -1;
  const char* end = name.data() + name.size();
  const auto [at, error] = std::from_chars(name.data() + 5, end, step);
  return error == std::errc() && at == end &&
                 name == checkpoint_folder_name(step)
             ? step
             : -1;
}

bool StepFolder::replaced() const { return path.extension() == kReplaced; }

void sort_step_folders(std::vector<StepFolder>& folders) {
  std::stable_sort(
      folders.begin(), folders.end(), [](const auto& a, const auto& b) {
        return a.step != b.step ? a.step > b.step : a.replaced() < b.replaced();
      });
}

std::vector<StepFolder> step_folders(const fs::path& checkpoints) {
  std::vector<StepFolder> folders;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(checkpoints, error)) {
    const auto step = checkpoint_step_of(entry.path().filename().string());
    if (step >= 0) folders.push_back({step, entry.path()});
  }
  sort_step_folders(folders);
  return folders;
}

std::string latest_checkpoint_name(const fs::path& checkpoints) {
  std::error_code error;
  if (!fs::exists(checkpoints / "latest", error)) return "";
  try {
    auto name = read_file(checkpoints / "latest");
    while (!name.empty() && (name.back() == '\n' || name.back() == '\r'))
      name.pop_back();
    return name;
  } catch (const std::exception&) {
    return "";  // a folder of that name, a bad sector
  }
}

// Under another name first: a half-removed step-N would be met, and warned
// about, by a resume.
void remove_checkpoint(const fs::path& folder) {
  const fs::path aside = folder.string() + ".tmp";
  rename_or_throw(folder, aside);
  fault_point("checkpoint.between_prune");
  std::error_code error;
  fs::remove_all(aside, error);
  if (error)
    throw DataError(aside.string() + ": cannot remove: " + error.message());
}

void remove_checkpoint_leftovers(const fs::path& checkpoints) {
  std::error_code error;
  std::vector<fs::path> leftovers;
  for (const auto& entry : fs::directory_iterator(checkpoints, error)) {
    const auto name = entry.path().filename().string();
    const bool ours = name == "latest.tmp" ||
                      (name.starts_with("step-") && name.ends_with(".tmp"));
    const bool replaced =
        name.ends_with(kReplaced) && checkpoint_step_of(name) >= 0 &&
        fs::exists(checkpoints /
                   checkpoint_folder_name(checkpoint_step_of(name)));
    if (ours || replaced) leftovers.push_back(entry.path());
  }
  for (const auto& path : leftovers) fs::remove_all(path, error);
}

void move_checkpoint_into_place(const fs::path& aside, const fs::path& folder) {
  std::error_code error;
  if (!fs::exists(folder, error)) {
    rename_or_throw(aside, folder);
    return;
  }
  // Two renames; between them the older one is found under its other name.
  const fs::path replaced = folder.string() + kReplaced;
  fs::remove_all(replaced, error);
  rename_or_throw(folder, replaced);
  try {
    fault_point("checkpoint.between_renames");
    rename_or_throw(aside, folder);
  } catch (...) {
    fs::rename(replaced, folder, error);
    throw;
  }
}

std::vector<int64_t> checkpoint_steps(const fs::path& checkpoints) {
  std::vector<int64_t> steps;
  for (const auto& folder : step_folders(checkpoints))
    steps.push_back(folder.step);
  return steps;
}

void prune_checkpoints(const fs::path& checkpoints,
                       const CheckpointOptions& options,
                       const std::vector<int64_t>& best_steps) {
  const auto stays = [&](int64_t step) {
    return (options.keep_every > 0 && step % options.keep_every == 0) ||
           std::find(best_steps.begin(), best_steps.end(), step) !=
               best_steps.end();
  };
  const auto latest = checkpoint_step_of(latest_checkpoint_name(checkpoints));
  int kept = 0;
  for (const auto& folder : step_folders(checkpoints)) {
    if (folder.step > latest) continue;
    ++kept;
    if (kept <= options.keep || folder.step == latest || stays(folder.step))
      continue;
    remove_checkpoint(folder.path);
  }
  fault_point("checkpoint.after_prune");
}

void drop_checkpoints_from(const fs::path& checkpoints, int64_t step) {
  std::string newest;
  for (const auto& folder : step_folders(checkpoints)) {
    if (folder.step >= step)
      remove_checkpoint(folder.path);
    else if (newest.empty())
      newest = checkpoint_folder_name(folder.step);
  }
  std::error_code error;
  if (!newest.empty())
    write_file_atomically(checkpoints / "latest", newest + "\n");
  else
    fs::remove(checkpoints / "latest", error);
}

fs::path fallback_checkpoints(const CheckpointOptions& options,
                              const fs::path& run_dir) {
  if (options.fallback_dir.empty()) return {};
  auto run = fs::weakly_canonical(run_dir);
  if (!run.has_filename()) run = run.parent_path();
  const auto text = run.string();
  return fs::path(options.fallback_dir) /
         (run.filename().string() + "-" + checkpoint_format::checksum(text));
}

}  // namespace protean
