#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <mutex>
#include <set>
#include <sstream>

#include <fcntl.h>
#include <unistd.h>

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"
#include "protean/core/hash.h"
#include "protean/core/workers.h"
#include "protean/data/records/record_pack.h"
#include "protean/data/records/records_dataset.h"

#include "data/mapped_file.h"
#include "data/records/record_pack_format.h"

namespace protean {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// FILE.part: opened, kept when what it holds belongs to this pack, written in
// any order from many threads.
class PartFile {
 public:
  PartFile(fs::path path, bool keep) : path_(std::move(path)) {
    fd_ = ::open(path_.c_str(),
                 O_RDWR | O_CREAT | O_CLOEXEC | (keep ? 0 : O_TRUNC), 0644);
    if (fd_ < 0) fail("cannot create");
  }
  ~PartFile() { ::close(fd_); }
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  void write(uint64_t at, const void* data, uint64_t size) const {
    const char* from = static_cast<const char*>(data);
    while (size > 0) {
      const ssize_t n = ::pwrite(fd_, from, size, static_cast<off_t>(at));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) fail("cannot write");
      from += n;
      at += static_cast<uint64_t>(n);
      size -= static_cast<uint64_t>(n);
    }
  }
  void resize(uint64_t size) const {
    if (::ftruncate(fd_, static_cast<off_t>(size)) != 0) fail("cannot resize");
  }
  void sync() const {
    if (::fsync(fd_) != 0) fail("cannot sync");
  }

 private:
  [[noreturn]] void fail(const char* what) const {
    throw DataError(
        concat(path_.string(), ": ", what, ": ", std::strerror(errno)));
  }
  fs::path path_;
  int fd_ = -1;
};

// FILE.done: what the part file belongs to, then a class a line. A class is
// listed once its images are on disk.
class DoneFile {
 public:
  // usable: whether the part file may hold what is listed.
  DoneFile(fs::path path, const std::string& belongs_to, bool usable)
      : path_(std::move(path)), belongs_to_(belongs_to) {
    std::ifstream in(path_);
    std::string line;
    if (!usable || !std::getline(in, line) || line != belongs_to_) return;
    resumed_ = true;
    // A torn last line has no end and does not count.
    for (uint32_t cls; in >> cls && in.get() == '\n';) done_.insert(cls);
  }
  bool resumed() const { return resumed_; }
  bool has(uint32_t cls) const { return done_.contains(cls); }

  void add(const std::vector<uint32_t>& classes) {
    done_.insert(classes.begin(), classes.end());
    std::string text = belongs_to_ + "\n";
    for (uint32_t cls : done_) text += concat(cls, "\n");
    write_file_atomically(path_, text);
  }

 private:
  fs::path path_;
  std::string belongs_to_;
  bool resumed_ = false;
  std::set<uint32_t> done_;
};

class Builder {
 public:
  Builder(const fs::path& records, const fs::path& file,
          const RecordPackOptions& options)
      : data_(records, options.side),
        file_(file),
        options_(options),
        meta_(describe(records)),
        layout_(meta_.dump().size(), sum_of(data_.spec().images),
                options.encoded),
        length_(layout_.payload + images_bytes(records)),
        done_(file.string() + ".done", belongs_to(),
              size_of(file.string() + ".part") == length_),
        part_(file.string() + ".part", done_.resumed()) {
    if (!done_.resumed()) part_.resize(length_);
  }

  RecordPackResult run(const std::function<void(uint64_t)>& progress) {
    RecordPackResult result{layout_.records, 0, length_};
    std::vector<uint32_t> left;
    for (uint32_t c = 0; c < data_.classes(); ++c)
      if (done_.has(c))
        result.resumed += data_.size(c);
      else
        left.push_back(c);
    uint64_t images = result.resumed;
    run_workers(left.size(), options_.threads, [&](size_t i) {
      pack_class(left[i]);
      std::lock_guard lock(mutex_);
      images += data_.size(left[i]);
      note(left[i], data_.size(left[i]));
      if (progress) progress(images);
    });
    finish();
    return result;
  }

 private:
  static uint64_t sum_of(const std::vector<uint32_t>& counts) {
    uint64_t sum = 0;
    for (uint32_t n : counts) sum += n;
    return sum;
  }
  static uint64_t size_of(const fs::path& file) {
    std::error_code error;
    const uint64_t size = fs::file_size(file, error);
    return error ? 0 : size;
  }
  uint64_t stride() const {
    return uint64_t{3} * options_.side * options_.side;
  }
  // Of all images, once it is settled where those of each class go. Encoded
  // ones have as much room as their records take, a little more than they need.
  uint64_t images_bytes(const fs::path& records) {
    uint64_t image = 0, at = 0;
    for (uint32_t c = 0; c < data_.classes(); ++c) {
      first_.push_back(image);
      room_.push_back(at);
      image += data_.size(c);
      at += options_.encoded ? fs::file_size(records / concat(c, ".tfrecords"))
                             : data_.size(c) * stride();
    }
    return at;
  }

  json describe(const fs::path& records) const {
    auto spec = json::parse(read_file(records / "dataset_spec.json"));
    spec.erase("path");  // where somebody else had them
    return {{"spec", spec},
            {"identity", data_.identity()},
            {"kind", options_.encoded ? "encoded" : "raw"},
            {"side", options_.encoded ? 0 : options_.side},
            {"content_sha256", std::string(64, '0')}};
  }
  std::string belongs_to() const {
    const std::string text =
        concat(kRecordPackVersion, " ", options_.encoded, " ", meta_.dump());
    return sha256_hex(text.data(), text.size());
  }

  void pack_class(uint32_t cls) const {
    std::vector<uint32_t> crcs;
    std::vector<RecordPlace> places;
    std::vector<uint8_t> pixels(options_.encoded ? 0 : stride());
    uint64_t at = room_[cls];
    for (uint32_t i = 0; i < data_.size(cls); ++i) {
      std::string_view image;
      if (options_.encoded) {
        image = data_.encoded(cls, i);
      } else {
        data_.read_bytes(cls, i, pixels.data());
        image = {reinterpret_cast<const char*>(pixels.data()), pixels.size()};
      }
      part_.write(layout_.payload + at, image.data(), image.size());
      crcs.push_back(crc32c(image.data(), image.size()));
      places.push_back({at, image.size()});
      at += image.size();
    }
    part_.write(layout_.crcs + first_[cls] * sizeof(uint32_t), crcs.data(),
                crcs.size() * sizeof(uint32_t));
    if (options_.encoded)
      part_.write(layout_.places + first_[cls] * sizeof(RecordPlace),
                  places.data(), places.size() * sizeof(RecordPlace));
  }

  // A class is done. Syncing is slow: once for many small ones.
  void note(uint32_t cls, uint64_t images) {
    fresh_.push_back(cls);
    fresh_images_ += images;
    constexpr uint64_t kOften = 256;
    if (fresh_images_ < kOften) return;
    part_.sync();
    done_.add(fresh_);
    fresh_.clear();
    fresh_images_ = 0;
  }

  void finish() {
    const auto bytes = Bytes::map(file_.string() + ".part");
    const uint64_t tables = layout_.payload - layout_.crcs;
    Sha256 sha;
    const std::string key =
        concat(data_.identity(), " ", meta_.at("kind"), " ", meta_.at("side"));
    sha.add(key.data(), key.size());
    sha.add(bytes.data() + layout_.crcs, tables);
    meta_["content_sha256"] = sha.hex();
    const std::string text = meta_.dump();
    RecordPackHead head{};
    std::memcpy(head.magic, kRecordPackMagic, sizeof head.magic);
    head.version = kRecordPackVersion;
    head.file_length = length_;
    head.json_length = text.size();
    head.records = layout_.records;
    head.tables = layout_.crcs;
    head.payload = layout_.payload;
    head.stride = options_.encoded ? 0 : stride();
    std::string front(layout_.crcs, '\0');
    std::memcpy(front.data(), &head, sizeof head);
    std::copy(text.begin(), text.end(),
              front.begin() + static_cast<std::ptrdiff_t>(sizeof head));
    constexpr size_t kCrc = offsetof(RecordPackHead, head_crc);
    head.head_crc = crc32c(front.data(), kCrc);
    head.head_crc =
        crc32c(front.data() + kCrc + 4, front.size() - kCrc - 4, head.head_crc);
    head.head_crc = crc32c(bytes.data() + layout_.crcs, tables, head.head_crc);
    std::memcpy(front.data(), &head, sizeof head);
    part_.write(0, front.data(), front.size());
    part_.sync();
    fs::rename(file_.string() + ".part", file_);
    const auto folder = file_.parent_path();
    sync_directory(folder.empty() ? fs::path(".") : folder);
    std::error_code ignored;
    fs::remove(file_.string() + ".done", ignored);
  }

  RecordsDataset data_;
  fs::path file_;
  RecordPackOptions options_;
  json meta_;
  RecordPackLayout layout_;
  std::vector<uint64_t> first_, room_;  // by class: image, byte of the payload
  uint64_t length_;
  DoneFile done_;
  PartFile part_;
  std::mutex mutex_;
  std::vector<uint32_t> fresh_;  // done, not yet noted
  uint64_t fresh_images_ = 0;
};

}  // namespace

RecordPackResult pack_records(const fs::path& records, const fs::path& file,
                              const RecordPackOptions& options,
                              const std::function<void(uint64_t)>& progress) {
  if (options.side < 1 || options.side > 1024)
    throw ConfigError(
        concat("--side ", options.side, "; expected 1 to 1024 pixels"));
  return Builder(records, file, options).run(progress);
}

}  // namespace protean
