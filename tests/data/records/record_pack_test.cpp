#include "protean/data/records/record_pack.h"

#include <cstring>

#include "protean/core/atomic_file.h"
#include "protean/core/hash.h"
#include "protean/data/open_dataset.h"
#include "protean/data/records/records_dataset.h"
#include "protean/data/records/synthesise.h"
#include "protean/data/records/tf_example.h"
#include "protean/data/records/tf_record.h"
#include "protean/data/records/verify.h"

#include "data/fixtures.h"
#include "data/records/bytes.h"
#include "support/catch.h"

using namespace protean;
namespace fs = std::filesystem;

namespace {

// 47 classes of 20 drawn images.
class Textures {
 public:
  Textures() {
    SynthesiseOptions options;
    options.side = 20;
    options.scale = 0.01;
    options.threads = 2;
    synthesise(find_config("meta-dataset/specs/dtd_dataset_spec.json"),
               dir_.path(), options, {});
  }
  fs::path records() const { return dir_.path() / "dtd"; }
  fs::path file(const char* name) const { return dir_.path() / name; }
  fs::path pack(const char* name, bool encoded) const {
    pack_records(records(), file(name), options(encoded), {});
    return file(name);
  }
  static RecordPackOptions options(bool encoded) {
    RecordPackOptions options;
    options.side = 12;
    options.encoded = encoded;
    options.threads = 2;
    return options;
  }

 private:
  TempDir dir_;
};

std::vector<uint8_t> read(const SpecDataset& data, uint32_t c, uint32_t e) {
  std::vector<uint8_t> out(3 * 12 * 12);
  data.read_bytes(c, e, out.data());
  return out;
}

void put(const fs::path& file, size_t at, char value) {
  auto bytes = read_file(file);
  bytes.at(at) = value;
  write_file(file, bytes);
}

}  // namespace

TEST_CASE("a pack holds the images of its records, however it is read",
          "[records]") {
  const Textures textures;
  const RecordsDataset records(textures.records(), 12);
  for (const bool encoded : {false, true})
    for (const PackIo io : {PackIo::mmap, PackIo::pread, PackIo::ram}) {
      const auto file = textures.pack("t.pack", encoded);
      const auto pack = RecordPack::open(file, 12, io);
      INFO(encoded << " " << static_cast<int>(io));
      CHECK(pack->kind() == (encoded ? "pack, encoded" : "pack, raw"));
      CHECK(pack->identity() == records.identity());
      CHECK(pack->checksum() == records.checksum());
      CHECK(pack->spec().identity() == records.spec().identity());
      CHECK(pack->records() == 940);
      for (uint32_t c = 0; c < records.classes(); c += 5)
        for (uint32_t e = 0; e < records.size(c); e += 7)
          CHECK(read(*pack, c, e) == read(records, c, e));
      CHECK(verify(*pack, 2, {}).empty());
      CHECK(has(data_error([&] { read(*pack, 3, 20); }),
                "no image 20 of class 3"));
    }
}

TEST_CASE("packing again gives the same bytes on any threads", "[records]") {
  const Textures textures;
  const auto file = textures.pack("a.pack", false);
  auto options = Textures::options(false);
  options.threads = 1;
  pack_records(textures.records(), textures.file("b.pack"), options, {});
  CHECK(read_file(file) == read_file(textures.file("b.pack")));
  CHECK(!fs::exists(textures.file("a.pack.part")));
  CHECK(!fs::exists(textures.file("a.pack.done")));
}

TEST_CASE("an interrupted pack is taken up where it was", "[records]") {
  const Textures textures;
  const auto whole = read_file(textures.pack("whole.pack", false));
  const auto file = textures.file("t.pack");
  struct Stop {};
  const auto stop_after = [&](uint64_t images) {
    try {
      pack_records(textures.records(), file, Textures::options(false),
                   [&](uint64_t done) {
                     if (done >= images) throw Stop();
                   });
    } catch (const Stop&) {
      return true;
    }
    return false;
  };
  REQUIRE(stop_after(300));
  CHECK(!fs::exists(file));
  REQUIRE(fs::exists(file.string() + ".part"));
  // What a kill leaves: some classes noted, and a torn line.
  const auto done_file = file.string() + ".done";
  REQUIRE(fs::exists(done_file));
  const auto noted = read_file(done_file);
  write_file(done_file, noted + "4");
  const auto result =
      pack_records(textures.records(), file, Textures::options(false), {});
  CHECK(result.resumed >= 256);  // classes are noted by the 256 images
  CHECK(result.resumed < 940);
  CHECK(read_file(file) == whole);
  // Other options begin anew, and so does a part file that is not there.
  REQUIRE(stop_after(300));
  auto other = Textures::options(false);
  other.side = 10;
  CHECK(pack_records(textures.records(), file, other, {}).resumed == 0);
  REQUIRE(stop_after(300));
  fs::remove(file.string() + ".part");
  CHECK(pack_records(textures.records(), file, Textures::options(false), {})
            .resumed == 0);
  CHECK(read_file(file) == whole);
}

TEST_CASE("broken records are not packed", "[records]") {
  const Textures textures;
  const auto victim = textures.records() / "5.tfrecords";
  auto bytes = read_file(victim);
  bytes[bytes.size() - 10] ^= 1;
  write_file(victim, bytes);
  const auto file = textures.file("t.pack");
  const auto message = data_error([&] {
    pack_records(textures.records(), file, Textures::options(false), {});
  });
  CHECK(has(message, "5.tfrecords: record 19 at byte "));
  CHECK(!fs::exists(file));
}

TEST_CASE("a changed byte of a pack is found", "[records]") {
  const Textures textures;
  const auto file = textures.pack("t.pack", false);
  const auto sound = read_file(file);
  const auto error = [&] {
    return data_error([&] {
      const auto pack = RecordPack::open(file, 12);
      read(*pack, 46, 19);
    });
  };
  CHECK(error() == "no DataError");
  uint64_t payload = 0;
  std::memcpy(&payload, sound.data() + 48, sizeof payload);
  REQUIRE(payload < sound.size());
  // Anywhere before the images.
  for (size_t at = 0; at < payload; at += at < 64 ? 1 : 97) {
    put(file, at, static_cast<char>(sound[at] ^ 4));
    INFO(at);
    CHECK(error() != "no DataError");
    write_file(file, sound);
  }
  put(file, sound.size() - 1, static_cast<char>(sound.back() ^ 4));
  CHECK(has(error(), "t.pack: damaged image 939 (image 19 of class 46)"));
  const auto damage = verify(*RecordPack::open(file, 12), 2, {});
  CHECK(damage.size() == 1);
  write_file(file, sound.substr(0, sound.size() - 1));
  CHECK(has(error(), "truncated or damaged pack"));
  write_file(file, sound.substr(0, 30));
  CHECK(has(error(), "truncated pack: 30 bytes"));
  write_file(file, sound);
  CHECK_THROWS_WITH(RecordPack::open(file, 84),
                    "data.side = 84, but " + file.string() +
                        " holds images of 12x12; expected data.side = 12 or "
                        "another pack");
}

// 30 GB and ten million images, all zeros, of which the file system stores the
// tables alone.
TEST_CASE("a pack may hold ten million images and exceed 4 GiB", "[records]") {
  const Textures textures;
  const auto small = read_file(textures.pack("t.pack", false));
  uint64_t json_length = 0;
  std::memcpy(&json_length, small.data() + 24, sizeof json_length);
  auto meta = small.substr(64, json_length);
  // Ten million images in 47 classes: 212,765 each, 212,810 in the last one.
  const uint64_t kEach = 212765, kImages = 10000000, kSide = 32;
  for (uint32_t c = 0; c < 47; ++c) {
    const std::string from = concat("\"", c, "\":20");
    const uint64_t n = c == 46 ? kImages - 46 * kEach : kEach;
    const size_t at = meta.find(from, meta.find("images_per_class"));
    REQUIRE(at != std::string::npos);
    meta.replace(at, from.size(), concat("\"", c, "\":", n));
  }
  const size_t side = meta.find("\"side\":12");
  REQUIRE(side != std::string::npos);
  meta.replace(side, 9, "\"side\":32");
  const auto up = [](uint64_t at) { return (at + 63) / 64 * 64; };
  const uint64_t stride = 3 * kSide * kSide;
  const uint64_t tables = up(64 + meta.size());
  const uint64_t payload = up(tables + 4 * kImages);
  const uint64_t length = payload + kImages * stride;
  const uint64_t numbers[] = {length, meta.size(), kImages,
                              tables, payload,     stride};
  std::string front = small.substr(0, 16);
  front.append(reinterpret_cast<const char*>(numbers), sizeof numbers);
  front += meta;
  front.resize(tables, '\0');
  // Every image is of zeros.
  const std::string zeros(stride, '\0');
  const uint32_t crc = crc32c(zeros.data(), zeros.size());
  std::string table;
  table.reserve(payload - tables);
  for (uint64_t i = 0; i < kImages; ++i)
    table.append(reinterpret_cast<const char*>(&crc), 4);
  table.resize(payload - tables, '\0');
  uint32_t head = crc32c(front.data(), 12);
  head = crc32c(front.data() + 16, front.size() - 16, head);
  head = crc32c(table.data(), table.size(), head);
  front.replace(12, 4, reinterpret_cast<const char*>(&head), 4);
  const auto file = textures.file("large.pack");
  write_file(file, front + table);
  fs::resize_file(file, length);
  CHECK(length > uint64_t{7} << 32);
  for (const PackIo io : {PackIo::mmap, PackIo::pread}) {
    const auto pack = RecordPack::open(file, 32, io);
    CHECK(pack->records() == kImages);
    std::vector<uint8_t> out(stride, 1);
    const uint32_t last = pack->size(46) - 1;
    pack->read_bytes(46, last, out.data());
    CHECK(out == std::vector<uint8_t>(stride, 0));
  }
}
