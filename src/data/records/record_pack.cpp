#include "protean/data/records/record_pack.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <numeric>

#include <fcntl.h>
#include <unistd.h>

#include "protean/core/atomic_file.h"
#include "protean/core/choice.h"
#include "protean/core/error.h"
#include "protean/core/hash.h"
#include "protean/data/records/photo.h"

#include "data/mapped_file.h"
#include "data/records/record_pack_format.h"

namespace protean {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& file, const std::string& cause) {
  throw DataError(concat(file, ": ", cause));
}

// An open file, for io = pread.
class Descriptor {
 public:
  explicit Descriptor(const std::string& path)
      : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (fd_ < 0) fail(path, concat("cannot open: ", std::strerror(errno)));
  }
  ~Descriptor() { ::close(fd_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  void read(uint64_t at, uint64_t size, char* out,
            const std::string& path) const {
    while (size > 0) {
      const ssize_t n = ::pread(fd_, out, size, static_cast<off_t>(at));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0)
        fail(path, concat("cannot read at byte ", at, ": ",
                          n < 0 ? std::strerror(errno) : "the file ends"));
      out += n;
      at += static_cast<uint64_t>(n);
      size -= static_cast<uint64_t>(n);
    }
  }

 private:
  int fd_;
};

}  // namespace

struct RecordPack::Index {
  Index(Bytes b, std::string f) : bytes(std::move(b)), file(std::move(f)) {}

  Bytes bytes;
  std::unique_ptr<Descriptor> descriptor;  // of pread alone
  std::string file;
  RecordPackHead head{};
  DatasetSpec spec;
  std::string identity, content;
  uint32_t side = 0;            // of raw images
  std::vector<uint64_t> first;  // image of each class, and the end
  const uint32_t* crcs = nullptr;
  const RecordPlace* places = nullptr;  // of encoded images

  void check_head();
  void parse();
  std::string_view image(uint64_t record, std::string& buffer) const;
};

void RecordPack::Index::check_head() {
  const uint64_t size = bytes.size();
  if (size < sizeof head)
    fail(file, concat("truncated pack: ", size, " bytes; expected at least ",
                      sizeof head));
  std::memcpy(&head, bytes.data(), sizeof head);
  if (!std::equal(kRecordPackMagic, kRecordPackMagic + 8, head.magic))
    fail(file, "not a pack of records: wrong first bytes");
  if (head.version != kRecordPackVersion)
    fail(file, concat("version ", head.version, "; expected ",
                      kRecordPackVersion, " (pack the records again)"));
  if (head.file_length != size)
    fail(file, concat("truncated or damaged pack: ", size,
                      " bytes; its head says ", head.file_length));
  // Every length below the file's, so that sums stay far from 2^64.
  const bool fits = head.json_length <= size && head.records <= size / 4 &&
                    head.tables <= size && head.payload <= size;
  const RecordPackLayout layout(fits ? head.json_length : 0,
                                fits ? head.records : 0, head.stride == 0);
  if (!fits || layout.crcs != head.tables || layout.payload != head.payload ||
      layout.payload > size ||
      (head.stride != 0 &&
       (head.records > (size - head.payload) / head.stride ||
        head.records * head.stride != size - head.payload)))
    fail(file, "inconsistent head: lengths do not add up");
  constexpr size_t kCrc = offsetof(RecordPackHead, head_crc);
  const uint32_t crc = crc32c(bytes.data() + kCrc + 4, head.payload - kCrc - 4,
                              crc32c(bytes.data(), kCrc));
  if (crc != head.head_crc)
    fail(file, "damaged head: its checksum does not hold");
  crcs = reinterpret_cast<const uint32_t*>(bytes.data() + layout.crcs);
  if (head.stride == 0)
    places = reinterpret_cast<const RecordPlace*>(bytes.data() + layout.places);
}

void RecordPack::Index::parse() {
  const auto* json = reinterpret_cast<const char*>(bytes.data()) + sizeof head;
  try {
    const auto meta = nlohmann::json::parse(json, json + head.json_length);
    spec = parse_dataset_spec(meta.at("spec").dump(), file);
    identity = meta.at("identity");
    content = meta.at("content_sha256");
    side = meta.at("side");
  } catch (const nlohmann::json::exception& e) {
    fail(file, concat("inconsistent head: ", e.what()));
  }
  first = {0};
  for (uint32_t n : spec.images) first.push_back(first.back() + n);
  if (first.back() != head.records)
    fail(file, concat("its classes hold ", first.back(),
                      " images, the head says ", head.records));
  if (head.stride != 0 &&
      (side < 1 || side > 1024 || head.stride != uint64_t{3} * side * side))
    fail(file,
         concat("images of ", head.stride, " bytes do not fit side ", side));
}

std::string_view RecordPack::Index::image(uint64_t record,
                                          std::string& buffer) const {
  const uint64_t room = head.file_length - head.payload;
  uint64_t begin = record * head.stride, length = head.stride;
  if (places) {
    begin = places[record].begin;
    length = places[record].length;
    if (begin > room || length > room - begin)
      fail(file, concat("image ", record, " lies outside of it"));
  }
  if (!descriptor)
    return {reinterpret_cast<const char*>(bytes.data()) + head.payload + begin,
            length};
  buffer.resize(length);
  descriptor->read(head.payload + begin, length, buffer.data(), file);
  return buffer;
}

RecordPack::RecordPack(std::unique_ptr<Index> index, uint32_t side)
    : SpecDataset(side), index_(std::move(index)) {}
RecordPack::~RecordPack() = default;

std::shared_ptr<const RecordPack> RecordPack::open(const fs::path& file,
                                                   uint32_t side, PackIo io) {
  auto index = std::make_unique<Index>(
      io == PackIo::ram ? Bytes(read_file(file)) : Bytes::map(file),
      file.string());
  index->check_head();
  index->parse();
  const uint32_t own = index->head.stride ? index->side : 0;
  if (own && side && own != side)
    throw ConfigError(concat(
        "data.side = ", side, ", but ", file.string(), " holds images of ", own,
        "x", own, "; expected data.side = ", own, " or another pack"));
  if (io == PackIo::pread)
    index->descriptor = std::make_unique<Descriptor>(file.string());
  const uint32_t as = own ? own : side ? side : 84;
  return std::shared_ptr<const RecordPack>(
      new RecordPack(std::move(index), as));
}

const DatasetSpec& RecordPack::spec() const { return index_->spec; }
std::string RecordPack::identity() const { return index_->identity; }
std::string RecordPack::kind() const {
  return index_->places ? "pack, encoded" : "pack, raw";
}
const std::string& RecordPack::content_sha256() const {
  return index_->content;
}
uint64_t RecordPack::records() const { return index_->head.records; }

void RecordPack::read_bytes(uint32_t cls, uint32_t example,
                            uint8_t* out) const {
  const Index& index = *index_;
  if (cls >= index.spec.classes() || example >= index.spec.images[cls])
    fail(index.file, concat("no image ", example, " of class ", cls));
  const uint64_t record = index.first[cls] + example;
  thread_local std::string buffer;
  const auto image = index.image(record, buffer);
  if (crc32c(image.data(), image.size()) != index.crcs[record])
    fail(index.file, concat("damaged image ", record, " (image ", example,
                            " of class ", cls, ")"));
  if (index.places)
    decode_photo(image, side(),
                 concat(index.file, ": image ", example, " of class ", cls),
                 out);
  else
    std::memcpy(out, image.data(), image.size());
}

bool is_record_pack(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  char magic[sizeof kRecordPackMagic] = {};
  return in.read(magic, sizeof magic) &&
         std::equal(magic, magic + sizeof magic, kRecordPackMagic);
}

PackIo parse_pack_io(const std::string& name) {
  check_choice("data.io", name, {"mmap", "pread", "ram"});
  return name == "mmap"    ? PackIo::mmap
         : name == "pread" ? PackIo::pread
                           : PackIo::ram;
}

}  // namespace protean
