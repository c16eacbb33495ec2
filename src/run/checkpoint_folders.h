// The folders of a checkpoints/ folder: their names, their order, and how one
// comes and goes so that a whole one is always found.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace protean {

// "step-N".
std::string checkpoint_folder_name(int64_t step);
// N of "step-N" or "step-N.replaced"; -1 for any other name.
int64_t checkpoint_step_of(std::string name);

struct StepFolder {
  int64_t step;
  std::filesystem::path path;
  bool replaced() const;  // an older step-N that gives way to a new one
};

// In the order in which they are tried: newest first, a replaced one after its
// successor.
void sort_step_folders(std::vector<StepFolder>& folders);
std::vector<StepFolder> step_folders(const std::filesystem::path& checkpoints);

// What `latest` names, "" when there is no such file.
std::string latest_checkpoint_name(const std::filesystem::path& checkpoints);

// What killed processes left behind: half-written folders, and checkpoints that
// were already replaced.
void remove_checkpoint_leftovers(const std::filesystem::path& checkpoints);

// Both throw DataError naming the folder.
void remove_checkpoint(const std::filesystem::path& folder);
void move_checkpoint_into_place(const std::filesystem::path& aside,
                                const std::filesystem::path& folder);

}  // namespace protean
