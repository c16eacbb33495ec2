// Files that are whole or absent: written aside, synced, renamed.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace protean {

// Writes `bytes` to path + ".tmp", syncs it, renames it to path and syncs the
// folder. Throws DataError naming path, operation and cause (disk full, read
// only, ...); then path is what it was before and no ".tmp" is left.
void write_file_atomically(const std::filesystem::path& path,
                           std::string_view bytes);

// Whether that can begin, to be asked before hours of work: throws DataError as
// it would where the file cannot be created. path stays as it is.
void check_writable(const std::filesystem::path& path);

// Writes and syncs a file in place: for files inside a folder that is itself
// renamed when complete.
void write_file_synced(const std::filesystem::path& path,
                       std::string_view bytes);

// Of many files that are synced together when all are there, by
// sync_file_system() on their folder.
void write_file_unsynced(const std::filesystem::path& path,
                         std::string_view bytes);
void sync_file_system(const std::filesystem::path& dir);

void sync_directory(const std::filesystem::path& dir);

// Whole content; throws DataError naming the path and the cause.
std::string read_file(const std::filesystem::path& path);

}  // namespace protean
