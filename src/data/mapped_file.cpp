#include "data/mapped_file.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protean/core/error.h"

namespace protean {

Bytes Bytes::map(const std::filesystem::path& path) {
  auto fail = [&](const char* what, int error) {
    throw DataError(
        concat(path.string(), ": ", what, ": ", std::strerror(error)));
  };
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail("cannot open", errno);
  struct stat status {};
  const int rc = ::fstat(fd, &status);
  if (rc != 0 || !S_ISREG(status.st_mode)) {
    const int error = rc != 0 ? errno : EISDIR;
    ::close(fd);
    fail("cannot read as a file", error);
  }
  Bytes bytes;
  bytes.size_ = static_cast<uint64_t>(status.st_size);
  if (bytes.size_ != 0) {  // an empty range cannot be mapped
    void* at = ::mmap(nullptr, bytes.size_, PROT_READ, MAP_SHARED, fd, 0);
    const int error = errno;
    if (at == MAP_FAILED) {
      ::close(fd);
      fail("cannot map", error);
    }
    bytes.mapped_ = at;
  }
  ::close(fd);
  return bytes;
}

Bytes::Bytes(Bytes&& other) noexcept
    : mapped_(std::exchange(other.mapped_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      owned_(std::move(other.owned_)) {}

Bytes::~Bytes() {
  if (mapped_) ::munmap(mapped_, size_);
}

}  // namespace protean
