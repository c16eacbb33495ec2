// Writes a pack record by record: the records never lie in memory together.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "protean/core/hash.h"

#include "data/image_source.h"
#include "data/pack_format.h"

namespace protean {

// Where the bytes go; offsets may come in any order.
class PackSink {
 public:
  virtual ~PackSink() = default;
  virtual void write(uint64_t offset, const void* data, size_t size) = 0;
};

class MemorySink : public PackSink {
 public:
  void write(uint64_t offset, const void* data, size_t size) override;
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Writes path + ".tmp"; commit() syncs and renames it. Without commit() the
// file is removed again.
class FileSink : public PackSink {
 public:
  explicit FileSink(const std::filesystem::path& path);
  ~FileSink() override;
  FileSink(const FileSink&) = delete;
  FileSink& operator=(const FileSink&) = delete;
  void write(uint64_t offset, const void* data, size_t size) override;
  void commit();

 private:
  [[noreturn]] void fail(const char* what, int error) const;
  std::filesystem::path path_, aside_;
  int fd_ = -1;
};

struct PackContent {
  std::vector<int64_t> shape;
  Encoding encoding = Encoding::u8;
  std::vector<SourceClass> classes;  // sorted by group, then name
  std::map<std::string, std::string> preparation;
  std::string source;   // name of the zip or folder, without its path
  std::string skipped;  // of it, as ImageSource says
};

class PackWriter {
 public:
  PackWriter(const PackContent& content, PackSink& sink);
  // Next record, class after class, in the order of content.classes; `size` is
  // the record length that shape and encoding give.
  void add(const void* record, size_t size);
  // source_sha256: 64 digits.
  void finish(const std::string& source_sha256);

 private:
  PackSink& sink_;
  nlohmann::json meta_;
  std::string names_;
  PackHead head_{};
  std::vector<uint32_t> crcs_;
  Sha256 content_;
};

}  // namespace protean
