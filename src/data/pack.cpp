#include "protean/data/pack.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <iomanip>
#include <set>

#include "protean/core/error.h"
#include "protean/core/hash.h"
#include "protean/data/open_dataset.h"
#include "protean/data/splits.h"

#include "data/mapped_file.h"
#include "data/pack_format.h"

namespace protean {

struct PackIndex {
  struct Class {
    std::string group, name, split;
    uint32_t count = 0;
    uint64_t first = 0;  // record
  };

  PackIndex(Bytes b, std::string f) : bytes(std::move(b)), file(std::move(f)) {}

  Bytes bytes;
  std::string file;
  PackHead head{};
  nlohmann::json meta;
  std::vector<int64_t> shape;
  uint64_t values = 0;
  Encoding encoding = Encoding::u8;
  std::vector<Class> classes;
  std::vector<uint32_t> crcs;
  std::vector<uint64_t> names;  // byte of each record's name

  const uint8_t* record(uint64_t number) const {
    return bytes.data() + head.payload + number * head.stride;
  }
};

namespace {

std::string hex(uint32_t value) {
  std::ostringstream out;
  out << "0x" << std::hex << std::setw(8) << std::setfill('0') << value;
  return out.str();
}

[[noreturn]] void fail(const PackIndex& index, const std::string& cause) {
  throw DataError(concat(index.file, ": ", cause));
}

// Lengths and the checksum of everything before the records.
void check_head(PackIndex& index) {
  const uint64_t size = index.bytes.size();
  const uint8_t* data = index.bytes.data();
  PackHead& head = index.head;
  const size_t start = std::min<size_t>(size, sizeof kPackMagic);
  if (!std::equal(data, data + start, kPackMagic))
    fail(index, "not a pack: wrong first bytes");
  if (size < sizeof head)
    fail(index, concat("truncated pack: ", size, " bytes; expected at least ",
                       sizeof head));
  std::memcpy(&head, data, sizeof head);
  if (head.version != kPackVersion)
    fail(index, concat("pack version ", head.version, "; expected ",
                       kPackVersion, " (pack the data again)"));
  if (head.file_length != size)
    fail(index, concat("truncated or damaged pack: ", size,
                       " bytes; its head says ", head.file_length));
  if (head.payload < sizeof head || head.payload > size)
    fail(index,
         concat("damaged head: records at byte ", head.payload, " of ", size));
  const uint32_t crc =
      crc32c(data + kCrcEnd, head.payload - kCrcEnd, crc32c(data, kCrcOffset));
  if (crc != head.head_crc)
    fail(index, concat("damaged head: CRC32C ", hex(crc), "; expected ",
                       hex(head.head_crc)));
  const uint64_t room = head.payload - sizeof head;
  const bool fits =
      head.json_length <= room && head.records <= room / 4 &&
      head.names_length <= room &&
      head.json_length + 4 * head.records + head.names_length <= room &&
      head.payload % kPackAlign == 0 && head.stride != 0 &&
      head.records <= (size - head.payload) / head.stride &&
      head.records * head.stride == size - head.payload;
  if (!fits) fail(index, "inconsistent head: lengths do not add up");
}

void parse_meta(PackIndex& index) {
  const auto* json =
      reinterpret_cast<const char*>(index.bytes.data()) + sizeof index.head;
  index.meta = nlohmann::json::parse(json, json + index.head.json_length);
  const auto& meta = index.meta;
  index.shape = meta.at("shape").get<std::vector<int64_t>>();
  for (int64_t d : index.shape)
    if (d < 1 || d > 1 << 20) fail(index, concat("dimension ", d));
  index.values = values_of(index.shape);
  const auto encoding = meta.at("encoding").get<std::string>();
  if (encoding != "bit1" && encoding != "u8")
    fail(index, concat("encoding \"", encoding, "\"; expected bit1 or u8"));
  index.encoding = encoding == "bit1" ? Encoding::bit1 : Encoding::u8;
  uint64_t first = 0;
  for (const auto& group : meta.at("groups"))
    for (const auto& entry : group.at("classes")) {
      PackIndex::Class cls;
      cls.group = group.at("name");
      cls.name = entry.at("name");
      if (!cls.group.empty()) cls.name = cls.group + "/" + cls.name;
      cls.split = entry.value("split", "");
      cls.count = entry.at("count");
      cls.first = first;
      first += cls.count;
      index.classes.push_back(std::move(cls));
    }
  meta.at("content_sha256").get_ref<const std::string&>();
  meta.at("provenance").get<std::map<std::string, std::string>>();
  meta.at("preparation").get<std::map<std::string, std::string>>();
  if (first != index.head.records)
    fail(index, concat("its classes hold ", first, " records, the head says ",
                       index.head.records));
  if (index.head.stride != record_bytes(index.encoding, index.values))
    fail(index, concat("records of ", index.head.stride,
                       " bytes do not fit their shape"));
}

void read_tables(PackIndex& index) {
  uint64_t at = sizeof index.head + index.head.json_length;
  index.crcs.resize(index.head.records);
  std::memcpy(index.crcs.data(), index.bytes.data() + at,
              4 * index.head.records);
  at += 4 * index.head.records;
  const uint64_t end = at + index.head.names_length;
  const uint8_t* data = index.bytes.data();
  for (uint64_t i = 0; i < index.head.records; ++i) {
    const void* zero = at < end ? std::memchr(data + at, 0, end - at) : nullptr;
    if (!zero) fail(index, concat("record ", i, " has no name"));
    index.names.push_back(at);
    at = static_cast<uint64_t>(static_cast<const uint8_t*>(zero) - data) + 1;
  }
}

// Eight values for every byte of bit1.
constexpr std::array<std::array<float, 8>, 256> bit_table() {
  std::array<std::array<float, 8>, 256> table{};
  for (size_t byte = 0; byte < 256; ++byte)
    for (size_t bit = 0; bit < 8; ++bit)
      table[byte][bit] = static_cast<float>(byte >> (7 - bit) & 1);
  return table;
}
constexpr auto kBits = bit_table();

std::vector<std::pair<std::string, std::string>> pairs(
    const nlohmann::json& object) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& [key, value] : object.items())
    out.emplace_back(key, value.get<std::string>());
  return out;
}

std::unique_ptr<PackIndex> index_of(Bytes bytes, std::string file) {
  auto index = std::make_unique<PackIndex>(std::move(bytes), std::move(file));
  check_head(*index);
  try {
    parse_meta(*index);
  } catch (const nlohmann::json::exception& e) {
    fail(*index, concat("inconsistent head: ", e.what()));
  }
  read_tables(*index);
  return index;
}

}  // namespace

PackDataset::PackDataset(std::unique_ptr<PackIndex> index)
    : index_(std::move(index)) {}
PackDataset::~PackDataset() = default;

std::shared_ptr<const PackDataset> PackDataset::open(
    const std::filesystem::path& path) {
  return std::shared_ptr<const PackDataset>(
      new PackDataset(index_of(Bytes::map(path), path.string())));
}

std::shared_ptr<const PackDataset> PackDataset::from_bytes(std::string bytes,
                                                           std::string name) {
  return std::shared_ptr<const PackDataset>(
      new PackDataset(index_of(Bytes(std::move(bytes)), std::move(name))));
}

namespace {

const PackIndex::Class& class_at(const PackIndex& index, uint32_t cls) {
  if (cls >= index.classes.size())
    fail(index,
         concat("class ", cls, "; expected below ", index.classes.size()));
  return index.classes[cls];
}

uint64_t record_at(const PackIndex& index, uint32_t cls, uint32_t example) {
  const auto& entry = class_at(index, cls);
  if (example >= entry.count)
    fail(index, concat("example ", example, " of class ", entry.name,
                       "; expected below ", entry.count));
  return entry.first + example;
}

const char* name_at(const PackIndex& index, uint64_t record) {
  return reinterpret_cast<const char*>(index.bytes.data()) +
         index.names[record];
}

// "" when the record is sound.
std::string damage(const PackIndex& index, const PackIndex::Class& cls,
                   uint64_t number) {
  const uint32_t crc = crc32c(index.record(number), index.head.stride);
  if (crc == index.crcs[number]) return "";
  return concat(index.file, ": damaged record ", number, " (class ", cls.name,
                ", ", name_at(index, number), ") at byte ",
                index.head.payload + number * index.head.stride, ": CRC32C ",
                hex(crc), "; expected ", hex(index.crcs[number]));
}

}  // namespace

const std::vector<int64_t>& PackDataset::shape() const { return index_->shape; }

uint32_t PackDataset::classes() const {
  return static_cast<uint32_t>(index_->classes.size());
}

uint32_t PackDataset::size(uint32_t cls) const {
  return class_at(*index_, cls).count;
}

std::string PackDataset::class_name(uint32_t cls) const {
  return class_at(*index_, cls).name;
}

std::string PackDataset::group(uint32_t cls) const {
  return class_at(*index_, cls).group;
}

std::string PackDataset::split(uint32_t cls) const {
  return class_at(*index_, cls).split;
}

bool PackDataset::ink() const {
  return index_->meta.at("preparation").contains("ink");
}

void PackDataset::read(uint32_t cls, uint32_t example, float* out) const {
  const PackIndex& index = *index_;
  const uint64_t number = record_at(index, cls, example);
  const uint8_t* in = index.record(number);
  if (crc32c(in, index.head.stride) != index.crcs[number])
    throw DataError(damage(index, index.classes[cls], number));
  const uint64_t n = index.values;
  if (index.encoding == Encoding::u8) {
    for (uint64_t i = 0; i < n; ++i) out[i] = static_cast<float>(in[i]) / 255.f;
    return;
  }
  for (uint64_t i = 0; i < n / 8; ++i)
    std::memcpy(out + 8 * i, kBits[in[i]].data(), sizeof kBits[0]);
  for (uint64_t i = n / 8 * 8; i < n; ++i) out[i] = kBits[in[i / 8]][i % 8];
}

std::string PackDataset::checksum() const {
  return index_->meta.at("content_sha256").get<std::string>();
}

const std::string& PackDataset::name() const { return index_->file; }

uint64_t PackDataset::bytes() const { return index_->bytes.size(); }

Encoding PackDataset::encoding() const { return index_->encoding; }

uint64_t PackDataset::records() const { return index_->head.records; }

std::string PackDataset::record_name(uint32_t cls, uint32_t example) const {
  return name_at(*index_, record_at(*index_, cls, example));
}

std::vector<std::pair<std::string, std::string>> PackDataset::provenance()
    const {
  auto all = pairs(index_->meta.at("provenance"));
  for (auto& entry : pairs(index_->meta.at("preparation")))
    all.push_back(std::move(entry));
  return all;
}

std::vector<std::string> PackDataset::verify() const {
  const PackIndex& index = *index_;
  std::vector<std::string> damaged;
  Sha256 content;
  const std::string key = content_key(index.meta);
  content.add(key.data(), key.size());
  const uint64_t names =
      sizeof index.head + index.head.json_length + 4 * index.head.records;
  content.add(index.bytes.data() + names, index.head.names_length);
  for (const auto& cls : index.classes)
    for (uint64_t i = cls.first; i < cls.first + cls.count; ++i) {
      content.add(index.record(i), index.head.stride);
      std::string line = damage(index, cls, i);
      if (!line.empty()) damaged.push_back(std::move(line));
    }
  const std::string sha = content.hex();
  if (sha != checksum())
    damaged.push_back(concat(index.file, ": SHA-256 of the content ", sha,
                             "; expected ", checksum()));
  return damaged;
}

std::vector<std::string> verify_pack(const std::filesystem::path& path) {
  return PackDataset::open(path)->verify();
}

PackDescription describe_pack(const std::filesystem::path& path) {
  return describe_pack(*PackDataset::open(path));
}

PackDescription describe_pack(const PackDataset& data) {
  const auto* pack = &data;
  PackDescription d;
  d.path = pack->name();
  d.classes = pack->classes();
  d.images = pack->records();
  d.shape = pack->shape();
  d.encoding = name_of(pack->encoding());
  d.checksum = pack->checksum();
  d.bytes = pack->bytes();
  d.provenance = pack->provenance();
  std::set<std::string> groups;
  bool stored = false;
  for (uint32_t c = 0; c < pack->classes(); ++c) {
    const uint32_t n = pack->size(c);
    d.smallest_class = c == 0 ? n : std::min(d.smallest_class, n);
    d.largest_class = std::max(d.largest_class, n);
    groups.insert(pack->group(c));
    stored |= !pack->split(c).empty();
  }
  d.groups = groups.size();
  DataOptions options;
  options.split = stored ? "stored" : "background";
  Splits splits;
  try {
    splits = make_splits(*pack, options);
  } catch (const Error&) {
    return d;  // another data set: no split belongs to it
  }
  auto add = [&](const char* name, const std::vector<uint32_t>& ids) {
    PackDescription::Split split;
    split.classes = ids.size();
    for (uint32_t id : ids) split.images += pack->size(id);
    d.splits.emplace_back(name, split);
  };
  add("train", splits.train);
  add("validation", splits.validation);
  add("test", splits.test);
  return d;
}

nlohmann::json to_json(const PackDescription& d) {
  auto splits = nlohmann::json::object();
  for (const auto& [name, split] : d.splits)
    splits[name] = {{"classes", split.classes}, {"images", split.images}};
  auto provenance = nlohmann::json::object();
  for (const auto& [key, value] : d.provenance) provenance[key] = value;
  return {{"path", d.path},
          {"bytes", d.bytes},
          {"classes", d.classes},
          {"images", d.images},
          {"groups", d.groups},
          {"smallest_class", d.smallest_class},
          {"largest_class", d.largest_class},
          {"shape", d.shape},
          {"encoding", d.encoding},
          {"checksum", d.checksum},
          {"splits", splits},
          {"provenance", provenance}};
}

}  // namespace protean
