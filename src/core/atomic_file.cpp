#include "protean/core/atomic_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include <fcntl.h>
#include <unistd.h>

#include "protean/core/error.h"

namespace protean {
namespace {

enum class Sync { no, yes };

[[noreturn]] void fail(const std::filesystem::path& path, const char* what,
                       int error) {
  throw DataError(
      concat(path.string(), ": ", what, ": ", std::strerror(error)));
}

void write_file(const std::filesystem::path& path, std::string_view bytes,
                Sync sync) {
  const int fd =
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) fail(path, "cannot create", errno);
  while (!bytes.empty()) {
    // Only write() reports a full disk; fsync and close may still return 0.
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      const int error = errno;
      ::close(fd);
      fail(path, "cannot write", error);
    }
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  if (sync == Sync::yes && ::fsync(fd) != 0) {
    const int error = errno;
    ::close(fd);
    fail(path, "cannot sync", error);
  }
  if (::close(fd) != 0) fail(path, "cannot close", errno);
}

// What sync says of the folder: 0 or its errno.
int of_folder(const std::filesystem::path& dir, int (*sync)(int)) {
  const int fd = ::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) fail(dir, "cannot open folder", errno);
  const int error = sync(fd) == 0 ? 0 : errno;
  ::close(fd);
  return error;
}

}  // namespace

void write_file_unsynced(const std::filesystem::path& path,
                         std::string_view bytes) {
  write_file(path, bytes, Sync::no);
}

void write_file_synced(const std::filesystem::path& path,
                       std::string_view bytes) {
  write_file(path, bytes, Sync::yes);
}

void sync_file_system(const std::filesystem::path& dir) {
  if (const int error = of_folder(dir, ::syncfs))
    fail(dir, "cannot sync its file system", error);
}

void sync_directory(const std::filesystem::path& dir) {
  const int error = of_folder(dir, ::fsync);
  // Some file systems do not sync folders; their rename is durable by itself.
  if (error != 0 && error != EINVAL && error != ENOTSUP)
    fail(dir, "cannot sync folder", error);
}

void write_file_atomically(const std::filesystem::path& path,
                           std::string_view bytes) {
  const std::filesystem::path aside = path.string() + ".tmp";
  try {
    write_file_synced(aside, bytes);
  } catch (...) {
    ::unlink(aside.c_str());
    throw;
  }
  if (::rename(aside.c_str(), path.c_str()) != 0) {
    const int error = errno;
    ::unlink(aside.c_str());
    fail(path, "cannot rename into place", error);
  }
  auto dir = path.parent_path();
  sync_directory(dir.empty() ? std::filesystem::path(".") : dir);
}

void check_writable(const std::filesystem::path& path) {
  if (std::filesystem::is_directory(path)) fail(path, "cannot write", EISDIR);
  const std::filesystem::path aside = path.string() + ".tmp";
  write_file_unsynced(aside, "");
  ::unlink(aside.c_str());
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) fail(path, "cannot open", errno);
  std::string bytes((std::istreambuf_iterator<char>(in)),
                    std::istreambuf_iterator<char>());
  if (in.bad()) fail(path, "cannot read", EIO);
  return bytes;
}

}  // namespace protean
