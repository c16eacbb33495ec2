#include "data/zip_images.h"

#include <algorithm>

#include <zip.h>

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"
#include "protean/core/hash.h"

namespace protean {
namespace {
constexpr uint64_t kMaxImageBytes = 256ull << 20;
}

ZipImages::ZipImages(const std::filesystem::path& path) : path_(path) {
  int code = 0;
  zip_ = zip_open(path.c_str(), ZIP_RDONLY, &code);
  if (!zip_) {
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    const std::string cause = zip_error_strerror(&error);
    zip_error_fini(&error);
    throw DataError(concat(path.string(), ": not a readable zip: ", cause));
  }
  const auto count = static_cast<uint64_t>(
      std::max<zip_int64_t>(zip_get_num_entries(zip_, 0), 0));
  for (uint64_t i = 0; i < count; ++i) {
    const char* raw = zip_get_name(zip_, i, ZIP_FL_ENC_RAW);
    names_.emplace_back(raw ? raw : "");
  }
}

void ZipImages::set_classes(std::vector<SourceClass> classes) {
  classes_ = std::move(classes);
  const std::string bytes = read_file(path_);
  file_sha256_ = sha256_hex(bytes.data(), bytes.size());
}

ZipImages::~ZipImages() { zip_discard(zip_); }

std::string ZipImages::path(uint64_t index) const {
  return concat(path_.string(), ":", name(index));
}

std::string ZipImages::read(uint64_t index) {
  auto fail = [&](const std::string& cause) {
    throw DataError(concat(path(index), ": ", cause));
  };
  zip_stat_t stat;
  zip_stat_init(&stat);
  if (zip_stat_index(zip_, index, 0, &stat) != 0 ||
      !(stat.valid & ZIP_STAT_SIZE))
    fail("cannot find its size");
  if (stat.size > kMaxImageBytes)
    fail(concat(stat.size, " bytes; expected at most ", kMaxImageBytes));
  zip_file_t* file = zip_fopen_index(zip_, index, 0);
  if (!file) fail(zip_strerror(zip_));
  std::string bytes(stat.size, '\0');
  zip_int64_t got = 0;
  uint64_t total = 0;
  // The read that meets the end checks the entry's CRC, hence one byte more.
  char beyond;
  while (total < bytes.size() && (got = zip_fread(file, bytes.data() + total,
                                                  bytes.size() - total)) > 0)
    total += static_cast<uint64_t>(got);
  if (got >= 0 && total == bytes.size()) got = zip_fread(file, &beyond, 1);
  const std::string cause = got < 0 ? zip_file_strerror(file) : "";
  zip_fclose(file);
  if (got < 0) fail(cause);
  if (total != bytes.size())
    fail(concat("ends after ", total, " of ", bytes.size(), " bytes"));
  return bytes;
}

}  // namespace protean
