#include "protean/data/records/records_dataset.h"

#include <fstream>
#include <set>
#include <thread>

#include <nlohmann/json.hpp>

#include "protean/core/atomic_file.h"
#include "protean/data/open_dataset.h"
#include "protean/data/records/meta_dataset.h"
#include "protean/data/records/photo.h"
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

// Two training classes of 2 and 3 images, one test class of 2; every image is
// one grey.
constexpr uint8_t kGrey[3][3] = {{10, 20, 0}, {30, 40, 50}, {60, 70, 0}};

std::string one_record(uint8_t grey, int64_t label) {
  return tf_record(image_example(make_jpeg(6, 5, 3, grey), label));
}

void write_set(const fs::path& dir, const std::string& name = "toys") {
  fs::create_directories(dir);
  write_file(dir / "0.tfrecords", one_record(10, 0) + one_record(20, 0));
  write_file(dir / "1.tfrecords",
             one_record(30, 1) + one_record(40, 1) + one_record(50, 1));
  write_file(dir / "2.tfrecords", one_record(60, 2) + one_record(70, 2));
  write_file(dir / "dataset_spec.json",
             R"({"__class__": "DatasetSpecification", "name": ")" + name +
                 R"(", "file_pattern": "{}.tfrecords",
      "classes_per_split": {"TRAIN": 2, "VALID": 0, "TEST": 1},
      "images_per_class": {"0": 2, "1": 3, "2": 2},
      "class_names": {"0": "a", "1": "b", "2": "c"}})");
}

std::string flipped(std::string bytes, size_t at) {
  bytes[at] = static_cast<char>(bytes[at] ^ 1);
  return bytes;
}

}  // namespace

TEST_CASE("records are read as the spec numbers them", "[records]") {
  TempDir dir;
  write_set(dir.path() / "toys");
  const RecordsDataset data(dir.path() / "toys", 4);
  REQUIRE(data.classes() == 3);
  CHECK(data.shape() == std::vector<int64_t>{3, 4, 4});
  CHECK(data.size(1) == 3);
  CHECK(data.class_name(1) == "1:b");
  CHECK(data.split(1) == "train");
  CHECK(data.split(2) == "test");
  for (uint32_t c = 0; c < 3; ++c)
    for (uint32_t e = 0; e < data.size(c); ++e) {
      std::vector<uint8_t> bytes(48);
      std::vector<float> values(48);
      data.read_bytes(c, e, bytes.data());
      data.read(c, e, values.data());
      for (size_t i = 0; i < 48; ++i) {
        CHECK(std::abs(bytes[i] - kGrey[c][e]) <= 1);
        CHECK(values[i] == static_cast<float>(2 * (bytes[i] / 255.0 - 0.5)));
      }
    }
}

TEST_CASE("damage is named by file, record and byte", "[records]") {
  TempDir dir;
  write_set(dir.path());
  const auto file = dir.path() / "1.tfrecords";
  const std::string sound = read_file(file);
  const size_t length = one_record(30, 1).size();
  std::vector<uint8_t> out(48);
  const auto error = [&](uint32_t example) {
    return data_error([&] {
      RecordsDataset(dir.path(), 4).read_bytes(1, example, out.data());
    });
  };
  const auto begins = [&](const std::string& message, const std::string& what) {
    INFO(message);
    CHECK(message.starts_with(file.string() + ": " + what));
  };
  CHECK(error(2) == "no DataError");
  // A changed payload spoils its own record alone.
  write_file(file, flipped(sound, length + 40));
  begins(error(1), concat("record 1 at byte ", length, ": damaged payload"));
  CHECK(error(2) == "no DataError");
  // A changed length spoils the file.
  write_file(file, flipped(sound, 2 * length));
  begins(error(0), concat("record 2 at byte ", 2 * length, ": damaged length"));
  write_file(file, sound.substr(0, sound.size() - 3));
  begins(error(0), concat("record 2 at byte ", 2 * length, ": truncated"));
  write_file(file, sound.substr(0, 2 * length));
  begins(error(0), "2 records; dataset_spec.json says 3");
  write_file(file, sound.substr(0, 2 * length) + one_record(50, 0));
  begins(error(2), concat("record 2 at byte ", 2 * length,
                          ": label 0; expected 1, the number of the file"));
  write_file(file, sound.substr(0, 2 * length) +
                       tf_record(image_example("GIF89a", 1)));
  begins(error(2), concat("record 2 at byte ", 2 * length,
                          ": an image of 6 bytes that is neither"));
  fs::remove(file);
  begins(error(0),
         "No such file or directory; dataset_spec.json says that it "
         "holds 3 records");
}

TEST_CASE("many threads read at once", "[records]") {
  TempDir dir;
  write_set(dir.path());
  const RecordsDataset data(dir.path(), 4);
  std::vector<std::vector<uint8_t>> out(8, std::vector<uint8_t>(48));
  std::vector<std::thread> threads;
  for (auto& bytes : out)
    threads.emplace_back([&] { data.read_bytes(1, 2, bytes.data()); });
  for (auto& thread : threads) thread.join();
  for (const auto& bytes : out) CHECK(bytes == out[0]);
}

TEST_CASE("verify reads everything and names what is unsound", "[records]") {
  TempDir dir;
  write_set(dir.path());
  CHECK(verify(RecordsDataset(dir.path(), 4), 2, {}).empty());
  const auto file = dir.path() / "2.tfrecords";
  write_file(file, flipped(read_file(file), one_record(60, 2).size() + 40));
  const auto damage = verify(RecordsDataset(dir.path(), 4), 2, {});
  REQUIRE(damage.size() == 1);
  CHECK(has(damage[0], "2.tfrecords: record 1 at byte "));
}

TEST_CASE("a folder of data sets is opened by name", "[records]") {
  TempDir dir;
  write_set(dir.path() / "x", "toys");
  write_set(dir.path() / "y", "arts");
  fs::create_directories(dir.path() / "notes");
  const auto open = [&](const char* below, const char* sets) {
    return open_meta_dataset((dir.path() / below).string(), sets, 4);
  };
  const auto both = open("", "");
  REQUIRE(both->sources().size() == 2);
  CHECK(both->sources()[0].name() == "arts");
  CHECK(both->sources()[1].begin == 3);
  CHECK(both->classes() == 6);
  CHECK(both->class_name(4) == "toys/1:b");
  CHECK(both->group(4) == "toys");
  CHECK(both->splits().train == std::vector<uint32_t>{0, 1, 3, 4});
  CHECK(both->splits().test == std::vector<uint32_t>{2, 5});
  CHECK(open("", "toys")->classes() == 3);
  CHECK_THROWS_WITH(open("x", "toys,birds"),
                    "data.sets = \"toys,birds\": no data set birds in " +
                        (dir.path() / "x").string() +
                        "; expected some of: toys");
  CHECK_THROWS_AS(open("notes", ""), DataError);
  write_set(dir.path() / "z", "arts");
  CHECK(data_error([&] { open("", ""); }) ==
        "two data sets are called arts; expected one");
}

TEST_CASE("what was converted has an identity", "[records]") {
  TempDir dir;
  write_set(dir.path() / "x");
  write_set(dir.path() / "y");
  const auto identity = [&](const char* name) {
    return RecordsDataset(dir.path() / name, 4).identity();
  };
  CHECK(identity("x") == identity("y"));
  CHECK(RecordsDataset(dir.path() / "x", 5).identity() == identity("x"));
  CHECK(RecordsDataset(dir.path() / "x", 5).checksum() !=
        RecordsDataset(dir.path() / "x", 4).checksum());
  write_file(
      dir.path() / "y/0.tfrecords",
      one_record(10, 0) + tf_record(image_example(make_jpeg(9, 9, 1, 10), 0)));
  CHECK(identity("x") != identity("y"));
}

TEST_CASE("a made-up data set has the scaled counts of its spec", "[records]") {
  TempDir dir;
  const auto specs =
      find_config("meta-dataset/specs/dtd_dataset_spec.json").parent_path();
  SynthesiseOptions options;
  options.side = 16;
  options.threads = 2;
  options.scale = 0.25;  // 120 images a class: 30
  uint64_t last = 0;
  const auto made =
      synthesise(specs / "dtd_dataset_spec.json", dir.path(), options,
                 [&](uint64_t images) { last = images; });
  CHECK(made.classes == 47);
  CHECK(made.images == 47 * 30);
  CHECK(last == made.images);
  const RecordsDataset data(dir.path() / "dtd", 16);
  CHECK(data.spec().classes_per_split == std::array<uint32_t, 3>{33, 7, 7});
  CHECK(data.size(46) == 30);
  CHECK(verify(data, 2, {}).empty());
  CHECK_THROWS_AS(
      synthesise(specs / "dtd_dataset_spec.json", dir.path(), options, {}),
      ConfigError);
  // The same bytes again, on one thread; others by another seed.
  TempDir again, other;
  options.threads = 1;
  synthesise(specs / "dtd_dataset_spec.json", again.path(), options, {});
  options.seed = 1;
  synthesise(specs / "dtd_dataset_spec.json", other.path(), options, {});
  for (const char* file : {"dtd/0.tfrecords", "dtd/46.tfrecords"}) {
    CHECK(read_file(dir.path() / file) == read_file(again.path() / file));
    CHECK(read_file(dir.path() / file) != read_file(other.path() / file));
  }
  // At least 20, or all of them.
  options.scale = 0.01;
  CHECK(
      synthesise(specs / "aircraft_dataset_spec.json", dir.path(), options, {})
          .images == 100 * 20);
}

TEST_CASE("inner nodes of a scaled graph hold the sums of their leaves",
          "[records]") {
  TempDir dir;
  nlohmann::json node = {{"words", ""}};
  const auto make = [&](const char* id, std::vector<std::string> children,
                        std::vector<std::string> parents) {
    node["wn_id"] = id;
    node["children_ids"] = children;
    node["parents_ids"] = parents;
    return node;
  };
  const nlohmann::json spec = {
      {"__class__", "HierarchicalDatasetSpecification"},
      {"name", "tree"},
      {"file_pattern", "{}.tfrecords"},
      {"class_names", {{"0", "a"}, {"1", "b"}}},
      {"split_subgraphs",
       {{"TRAIN",
         {make("a", {}, {"r"}), make("b", {}, {"r"}),
          make("r", {"a", "b"}, {})}},
        {"VALID", nlohmann::json::array()},
        {"TEST", nlohmann::json::array()}}},
      {"images_per_class",
       {{"TRAIN", {{"a", 100}, {"b", 6}, {"r", 106}}},
        {"VALID", nlohmann::json::object()},
        {"TEST", nlohmann::json::object()}}}};
  write_file(dir.path() / "s.json", spec.dump());
  SynthesiseOptions options;
  options.side = 8;
  options.scale = 0.3;
  CHECK(synthesise(dir.path() / "s.json", dir.path(), options, {}).images ==
        36);
  const auto written =
      nlohmann::json::parse(read_file(dir.path() / "tree/dataset_spec.json"));
  CHECK(written["images_per_class"]["TRAIN"] ==
        nlohmann::json{{"a", 30}, {"b", 6}, {"r", 36}});
  CHECK(verify(RecordsDataset(dir.path() / "tree", 8), 1, {}).empty());
}

// By nearest class means of plain pixels: in colour and, which must be harder,
// by mean colour alone. Classes differ in form, so colour says nothing.
TEST_CASE("made-up classes can be told apart, but not by colour", "[records]") {
  const uint32_t kSide = 16, kClasses = 5, kImages = 60;
  const auto features = [&](uint32_t cls, uint32_t image, bool colour) {
    const auto drawn = synthetic_image("toys", cls, image, kSide, 0);
    std::vector<double> out(colour ? 3 : kSide * kSide);
    for (size_t i = 0; i < drawn.pixels.size(); ++i)
      out[colour ? i % 3 : i / 3] += drawn.pixels[i];
    if (colour) return out;
    // Ground and figure may be either: distance from the middle brightness.
    double mean = 0;
    for (double v : out) mean += v / static_cast<double>(out.size());
    double size = 0;
    for (double& v : out) v = std::abs(v - mean), size += v * v;
    for (double& v : out) v /= std::sqrt(size);
    return out;
  };
  const auto accuracy = [&](bool colour) {
    std::vector<std::vector<double>> means;
    for (uint32_t c = 0; c < kClasses; ++c) {
      auto mean = features(c, 0, colour);
      for (uint32_t i = 1; i < kImages; ++i) {
        const auto one = features(c, i, colour);
        for (size_t k = 0; k < mean.size(); ++k) mean[k] += one[k];
      }
      for (double& v : mean) v /= kImages;
      means.push_back(mean);
    }
    uint32_t right = 0;
    for (uint32_t c = 0; c < kClasses; ++c)
      for (uint32_t i = kImages; i < 2 * kImages; ++i) {
        const auto one = features(c, i, colour);
        std::vector<double> distance(kClasses);
        for (uint32_t m = 0; m < kClasses; ++m)
          for (size_t k = 0; k < one.size(); ++k)
            distance[m] += (one[k] - means[m][k]) * (one[k] - means[m][k]);
        right += std::min_element(distance.begin(), distance.end()) -
                     distance.begin() ==
                 static_cast<long>(c);
      }
    return right / static_cast<double>(kClasses * kImages);
  };
  const double by_form = accuracy(false), by_colour = accuracy(true);
  INFO(by_form << " by form, " << by_colour << " by colour");
  CHECK(by_form > 0.4);
  CHECK(by_colour < 0.3);  // chance is 0.2, its deviation 0.023
}
