#include "data/pack_writer.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"

namespace protean {

void MemorySink::write(uint64_t offset, const void* data, size_t size) {
  if (bytes_.size() < offset + size) bytes_.resize(offset + size);
  std::memcpy(bytes_.data() + offset, data, size);
}

FileSink::FileSink(const std::filesystem::path& path)
    : path_(path), aside_(path.string() + ".tmp") {
  fd_ = ::open(aside_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd_ < 0) fail("cannot create", errno);
}

FileSink::~FileSink() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(aside_.c_str());
}

void FileSink::fail(const char* what, int error) const {
  throw DataError(
      concat(path_.string(), ": ", what, ": ", std::strerror(error)));
}

void FileSink::write(uint64_t offset, const void* data, size_t size) {
  const char* p = static_cast<const char*>(data);
  while (size) {
    const ssize_t n = ::pwrite(fd_, p, size, static_cast<off_t>(offset));
    if (n < 0) {
      if (errno == EINTR) continue;
      fail("cannot write", errno);
    }
    p += n;
    size -= static_cast<size_t>(n);
    offset += static_cast<uint64_t>(n);
  }
}

void FileSink::commit() {
  if (::fsync(fd_) != 0) fail("cannot sync", errno);
  if (::rename(aside_.c_str(), path_.c_str()) != 0)
    fail("cannot rename into place", errno);
  ::close(std::exchange(fd_, -1));
  const auto dir = path_.parent_path();
  sync_directory(dir.empty() ? std::filesystem::path(".") : dir);
}

PackWriter::PackWriter(const PackContent& content, PackSink& sink)
    : sink_(sink) {
  auto groups = nlohmann::json::array();
  for (const auto& cls : content.classes) {
    if (groups.empty() || groups.back()["name"] != cls.group)
      groups.push_back({{"name", cls.group}, {"classes", {}}});
    nlohmann::json entry{{"name", cls.name}, {"count", cls.files.size()}};
    if (!cls.split.empty()) entry["split"] = cls.split;
    groups.back()["classes"].push_back(entry);
    for (const auto& file : cls.files) names_ += file.name + '\0';
    head_.records += cls.files.size();
  }
  const std::string unknown(64, '0');  // as long as what finish() puts there
  meta_ = {
      {"shape", content.shape},
      {"encoding", name_of(content.encoding)},
      {"groups", groups},
      {"preparation", content.preparation},
      {"provenance", {{"source", content.source}, {"source_sha256", unknown}}},
      {"content_sha256", unknown}};
  if (!content.skipped.empty())
    meta_["provenance"]["skipped"] = content.skipped;
  std::string key, json;
  try {
    key = content_key(meta_);
    json = meta_.dump();
  } catch (const nlohmann::json::exception& e) {
    throw DataError(
        concat(content.source, ": a name is not UTF-8: ", e.what()));
  }
  content_.add(key.data(), key.size());
  content_.add(names_.data(), names_.size());
  std::memcpy(head_.magic, kPackMagic, sizeof kPackMagic);
  head_.version = kPackVersion;
  head_.json_length = json.size();
  head_.names_length = names_.size();
  head_.stride = record_bytes(content.encoding, values_of(content.shape));
  const uint64_t end =
      sizeof head_ + json.size() + 4 * head_.records + names_.size();
  head_.payload = (end + kPackAlign - 1) / kPackAlign * kPackAlign;
  head_.file_length = head_.payload + head_.records * head_.stride;
}

void PackWriter::add(const void* record, size_t size) {
  if (size != head_.stride || crcs_.size() == head_.records)
    throw Error(concat("PackWriter: record ", crcs_.size(), " of ", size,
                       " bytes; expected ", head_.records, " of ",
                       head_.stride));
  sink_.write(head_.payload + crcs_.size() * head_.stride, record, size);
  crcs_.push_back(crc32c(record, size));
  content_.add(record, size);
}

void PackWriter::finish(const std::string& source_sha256) {
  if (crcs_.size() != head_.records)
    throw Error(concat("PackWriter: ", crcs_.size(), " records; expected ",
                       head_.records));
  meta_["provenance"]["source_sha256"] = source_sha256;
  meta_["content_sha256"] = content_.hex();
  std::string front(sizeof head_, '\0');
  front += meta_.dump();
  front.append(reinterpret_cast<const char*>(crcs_.data()), 4 * crcs_.size());
  front += names_;
  front.resize(head_.payload, '\0');
  std::memcpy(front.data(), &head_, sizeof head_);
  head_.head_crc = crc32c(front.data() + kCrcEnd, front.size() - kCrcEnd,
                          crc32c(front.data(), kCrcOffset));
  std::memcpy(front.data(), &head_, sizeof head_);
  sink_.write(0, front.data(), front.size());
}

}  // namespace protean
