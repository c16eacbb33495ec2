#include "protean/data/pack.h"

#include <algorithm>
#include <cstring>

#include <nlohmann/json.hpp>

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"
#include "protean/core/hash.h"
#include "protean/data/open_dataset.h"

#include "data/fixtures.h"
#include "support/catch.h"

using namespace protean;
namespace fs = std::filesystem;

namespace {

void write_folder(const fs::path& dir) {
  for (const auto& [name, bytes] : tiny_omniglot())
    write_file(dir / name, bytes);
}

void write_zip(const fs::path& path) {
  auto files = tiny_omniglot();
  for (auto& [name, bytes] : files) name = "images_background/" + name;
  make_zip(path, files);
}

std::string message_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const DataError& e) {
    return e.what();
  }
  return "no DataError";
}

}  // namespace

TEST_CASE("an Omniglot pack holds every drawing in sorted order", "[data]") {
  TempDir dir;
  write_zip(dir.path() / "o.zip");
  pack_dataset(dir.path() / "o.zip", dir.path() / "o.pack");
  const auto pack = PackDataset::open(dir.path() / "o.pack");
  REQUIRE(pack->classes() == 5);
  CHECK(pack->shape() == std::vector<int64_t>{1, 28, 28});
  CHECK(pack->records() == 20);
  CHECK(pack->encoding() == Encoding::bit1);
  const std::vector<std::string> names = {"A/character01", "A/character02",
                                          "A/character03", "B/character01",
                                          "B/character02"};
  for (uint32_t c = 0; c < 5; ++c) {
    CHECK(pack->class_name(c) == names[c]);
    CHECK(pack->group(c) == names[c].substr(0, 1));
    REQUIRE(pack->size(c) == 4);
    for (uint32_t e = 0; e < 4; ++e) {
      const std::string file = pack->record_name(c, e);
      CHECK(file.substr(4) == "_0" + std::to_string(e + 1) + ".png");
      std::vector<float> image(784, -1);
      pack->read(c, e, image.data());
      bool equal = true;
      for (uint32_t y = 0; y < 28; ++y)
        for (uint32_t x = 0; x < 28; ++x) {
          // floor((i + 0.5) * 105 / 28)
          const auto sy = static_cast<uint32_t>((y + 0.5) * 3.75);
          const auto sx = static_cast<uint32_t>((x + 0.5) * 3.75);
          equal &= image[y * 28 + x] ==
                   (is_ink(names[c] + "/" + file, sy, sx) ? 1.f : 0.f);
        }
      CHECK(equal);
    }
  }
  CHECK(pack->verify().empty());
}

TEST_CASE("zip, folder and pack of one set are the same data", "[data]") {
  TempDir dir;
  write_zip(dir.path() / "o.zip");
  write_folder(dir.path() / "o");                     // the set itself
  write_folder(dir.path() / "up/images_background");  // below its parent
  const auto zip =
      PackDataset::from_bytes(pack_in_memory(dir.path() / "o.zip"), "zip");
  for (const char* other : {"o", "up", "up/"})
    CHECK(PackDataset::from_bytes(pack_in_memory(dir.path() / other), other)
              ->checksum() == zip->checksum());
  pack_dataset(dir.path() / "o.zip", dir.path() / "o.pack");
  CHECK(read_file(dir.path() / "o.pack") ==
        pack_in_memory(dir.path() / "o.zip"));
  DataOptions options;
  for (const char* path : {"o.zip", "o", "o.pack"}) {
    options.path = (dir.path() / path).string();
    CHECK(open_dataset(options)->checksum() == zip->checksum());
  }
  PackOptions larger;
  larger.side = 32;
  CHECK(PackDataset::from_bytes(pack_in_memory(dir.path() / "o", larger), "32")
            ->checksum() != zip->checksum());
}

TEST_CASE("sides whose pixels do not fill bytes round trip", "[data]") {
  TempDir dir;
  write_folder(dir.path() / "o");
  for (uint32_t side : {1u, 3u, 5u, 28u, 105u}) {
    PackOptions options;
    options.side = side;
    const auto pack = PackDataset::from_bytes(
        pack_in_memory(dir.path() / "o", options), "pack");
    std::vector<float> image(size_t{side} * side + 1, -7);
    pack->read(3, 2, image.data());
    CHECK(image.back() == -7);  // not a value more than the shape says
    const std::string path = "B/character01/" + pack->record_name(3, 2);
    bool equal = true;
    for (uint32_t y = 0; y < side; ++y)
      for (uint32_t x = 0; x < side; ++x) {
        const uint32_t sy = (2 * y + 1) * 105 / (2 * side);
        const uint32_t sx = (2 * x + 1) * 105 / (2 * side);
        equal &= image[y * side + x] == (is_ink(path, sy, sx) ? 1.f : 0.f);
      }
    CHECK(equal);
  }
}

TEST_CASE("a pack is described in the words of inspect", "[data]") {
  TempDir dir;
  write_zip(dir.path() / "o.zip");
  pack_dataset(dir.path() / "o.zip", dir.path() / "o.pack");
  const auto json = to_json(describe_pack(dir.path() / "o.pack"));
  CHECK(json["classes"] == 5);
  CHECK(json["images"] == 20);
  CHECK(json["groups"] == 2);
  CHECK(json["splits"].empty());  // not the background set
  CHECK(json["provenance"]["source"] == "o.zip");
  const std::string zip = read_file(dir.path() / "o.zip");
  CHECK(json["provenance"]["source_sha256"] ==
        sha256_hex(zip.data(), zip.size()));
  // Nothing in the file tells where it was made.
  CHECK(read_file(dir.path() / "o.pack").find(dir.path().string()) ==
        std::string::npos);
}

TEST_CASE("a pack cut short is refused by name", "[data]") {
  TempDir dir;
  write_zip(dir.path() / "o.zip");
  const std::string whole = pack_in_memory(dir.path() / "o.zip");
  for (size_t size : {size_t{0}, size_t{1}, size_t{63}, size_t{64},
                      whole.size() / 2, whole.size() - 1}) {
    const fs::path path = dir.path() / "cut.pack";
    write_file(path, whole.substr(0, size));
    const std::string message = message_of([&] { PackDataset::open(path); });
    CHECK_THAT(message, contains(path.string()));
    CHECK_THAT(message, contains("truncated"));
    CHECK_THAT(message, contains(std::to_string(size) + " bytes"));
  }
  CHECK_THROWS_AS(PackDataset::from_bytes(whole + "x", "long"), DataError);
  CHECK_NOTHROW(PackDataset::from_bytes(whole, "whole"));
}

TEST_CASE("every changed byte of a pack is found", "[data]") {
  TempDir dir;
  write_zip(dir.path() / "o.zip");
  const std::string whole = pack_in_memory(dir.path() / "o.zip");
  const auto pack = PackDataset::from_bytes(whole, "whole");
  uint64_t payload;
  std::memcpy(&payload, whole.data() + 48, sizeof payload);
  CHECK(payload % 64 == 0);
  size_t found = 0, at_open = 0;
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ (1 << i % 8));
    try {
      const auto opened =
          PackDataset::from_bytes(std::move(damaged), "damaged");
      found += !opened->verify().empty();
    } catch (const DataError&) {
      ++found;
      ++at_open;
    }
  }
  CHECK(found == whole.size());
  CHECK(at_open == payload);  // all but the records already when opened
}

TEST_CASE("a damaged record is refused with all that names it", "[data]") {
  TempDir dir;
  write_zip(dir.path() / "o.zip");
  std::string bytes = pack_in_memory(dir.path() / "o.zip");
  const size_t record = 3 * 4 + 1;  // class 3, example 1
  const size_t at = bytes.size() - (20 - record) * 98;
  bytes[at + 50] ^= 4;
  const fs::path path = dir.path() / "damaged.pack";
  write_file(path, bytes);
  const auto pack = PackDataset::open(path);
  std::vector<float> image(784);
  pack->read(3, 0, image.data());  // its neighbours are sound
  pack->read(3, 2, image.data());
  const std::string message =
      message_of([&] { pack->read(3, 1, image.data()); });
  for (const std::string& part :
       {path.string(), std::string("record 13"), std::string("B/character01"),
        std::string("_02.png"), "byte " + std::to_string(at),
        std::string("CRC32C 0x"), std::string("expected 0x")})
    CHECK_THAT(message, contains(part));
  const auto lines = verify_pack(path);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0] == message);
  CHECK_THAT(lines[1], contains("SHA-256"));
}

TEST_CASE("what is no pack, or of another version, is refused", "[data]") {
  TempDir dir;
  CHECK_THAT(message_of([&] { PackDataset::open(dir.path() / "none"); }),
             contains("none: cannot open"));
  CHECK_THAT(message_of([&] { PackDataset::open(dir.path()); }),
             contains("cannot read as a file"));
  CHECK_THAT(message_of([] {
               PackDataset::from_bytes(std::string(100, 'x'), "text");
             }),
             contains("text: not a pack"));
  write_zip(dir.path() / "o.zip");
  std::string bytes = pack_in_memory(dir.path() / "o.zip");
  bytes[8] = 2;
  CHECK_THAT(message_of([&] { PackDataset::from_bytes(bytes, "new"); }),
             contains("new: pack version 2; expected 1"));
}

TEST_CASE("class and example numbers are checked", "[data]") {
  TempDir dir;
  write_zip(dir.path() / "o.zip");
  const auto pack =
      PackDataset::from_bytes(pack_in_memory(dir.path() / "o.zip"), "p");
  float image[784];
  CHECK_THAT(message_of([&] { pack->read(5, 0, image); }),
             contains("class 5; expected below 5"));
  CHECK_THAT(message_of([&] { pack->read(0, 4, image); }),
             contains("example 4 of class A/character01; expected below 4"));
  CHECK_THROWS_AS(pack->size(5), DataError);
}

TEST_CASE("what is wrong with an Omniglot source is named", "[data]") {
  TempDir dir;
  const fs::path& d = dir.path();
  const fs::path zip = d / "o.zip";
  const auto message = [&] { return message_of([&] { pack_in_memory(zip); }); };

  CHECK_THAT(message(), contains("o.zip: no such file"));
  write_file(zip, "");
  CHECK_THAT(message(), contains("o.zip: not a readable zip"));
  write_file(zip, "plain text");
  CHECK_THAT(message(), contains("o.zip: not a readable zip"));
  make_zip(zip, {{"readme.txt", "hello"}});
  CHECK_THAT(message(), contains("o.zip: no class: holds no PNG or JPEG"));
  CHECK_THAT(message(), contains("1 file skipped: .txt"));
  PackOptions by_name;
  by_name.source = "omniglot";
  CHECK_THAT(message_of([&] { pack_in_memory(zip, by_name); }),
             contains("o.zip: not Omniglot"));

  auto files = tiny_omniglot();
  for (auto& [name, bytes] : files) name = "images_background/" + name;
  auto broken = files;
  broken[7].second.resize(60);
  make_zip(zip, broken);
  CHECK_THAT(message(), contains(broken[7].first + ": unreadable PNG"));
  broken = files;
  broken[7].second = make_png(20, 20, 1, 8, [](auto...) { return 0; });
  make_zip(zip, broken);
  CHECK_THAT(message(), contains(broken[7].first + ": 20x20"));
  broken = files;
  broken.emplace_back("images_background/A/character09/", "");
  make_zip(zip, broken);
  CHECK_THAT(message(), contains("class A/character09 holds no image"));
  broken = files;
  broken.emplace_back("images_background/A/character01/notes.txt", "x");
  make_zip(zip, broken);
  CHECK_THAT(message(), contains("notes.txt: unexpected"));

  broken = files;
  broken.emplace_back("images_background/A/0001_01.png", "x");
  make_zip(zip, broken);
  CHECK_THAT(message(), contains("A/0001_01.png: unexpected"));

  write_folder(d / "o");
  fs::create_directories(d / "o/A/character07");
  CHECK_THAT(message_of([&] { pack_in_memory(d / "o"); }),
             contains("class A/character07 holds no image"));
  fs::create_directories(d / "empty");
  CHECK_THAT(message_of([&] { pack_in_memory(d / "empty", by_name); }),
             contains("empty: not Omniglot"));
}

TEST_CASE("a damaged zip never gives other drawings", "[data]") {
  TempDir dir;
  const fs::path zip = dir.path() / "o.zip";
  write_zip(zip);
  const std::string whole = read_file(zip);
  const auto checksum = [&] {
    return PackDataset::from_bytes(pack_in_memory(zip), "zip")->checksum();
  };
  const std::string want = checksum();
  int refused = 0, same = 0, other = 0;
  // The entries; the directory behind them has no checksum of its own.
  const size_t entries = whole.find("PK\1\2");
  REQUIRE(entries < whole.size());
  for (size_t i = 0; i < entries; i += 499) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ (1 << i % 8));
    write_file(zip, damaged);
    try {
      ++(checksum() == want ? same : other);
    } catch (const DataError&) {
      ++refused;
    }
  }
  CHECK(other == 0);
  CHECK(refused > 10 * same);  // same: a time stamp, a name's second copy
  for (size_t size :
       {size_t{0}, size_t{1}, whole.size() / 2, whole.size() - 1}) {
    write_file(zip, whole.substr(0, size));
    CHECK_THAT(message_of([&] { checksum(); }),
               contains(zip.string() + ": not a readable zip"));
  }
}

TEST_CASE("a pack is whole or absent", "[data]") {
  TempDir dir;
  auto files = tiny_omniglot();
  files.back().second.resize(60);
  for (const auto& [name, bytes] : files)
    write_file(dir.path() / "o" / name, bytes);
  write_file(dir.path() / "old.pack", "old");
  CHECK_THROWS_AS(pack_dataset(dir.path() / "o", dir.path() / "old.pack"),
                  DataError);
  CHECK(read_file(dir.path() / "old.pack") == "old");
  CHECK_FALSE(fs::exists(dir.path() / "old.pack.tmp"));
  CHECK_THAT(message_of([&] {
               pack_dataset(dir.path() / "o", dir.path() / "no/such.pack");
             }),
             contains("such.pack: cannot create"));
}
