#include "protean/data/stored_data.h"

#include <map>

#include "protean/core/error.h"
#include "protean/data/table.h"
#include "protean/data/text.h"
#include "protean/data/wrappers.h"

#include "data/fixtures.h"
#include "support/catch.h"

using namespace protean;

namespace {

// Classes by name, with one value in [0, 1] for each image of 1x2x2.
class Named : public ClassDataset {
 public:
  explicit Named(std::map<std::string, std::vector<float>> classes) {
    for (auto& [name, values] : classes) {
      names_.push_back(name);
      values_.push_back(values);
      checksum_ += concat(name, values.size(), values.front());
    }
  }
  const std::vector<int64_t>& shape() const override { return shape_; }
  uint32_t classes() const override {
    return static_cast<uint32_t>(names_.size());
  }
  uint32_t size(uint32_t c) const override {
    return static_cast<uint32_t>(values_.at(c).size());
  }
  std::string class_name(uint32_t c) const override { return names_.at(c); }
  std::string group(uint32_t) const override { return ""; }
  void read(uint32_t c, uint32_t e, float* out) const override {
    out[0] = values_.at(c).at(e);
    out[1] = out[2] = 0;
    out[3] = 1;
  }
  std::string checksum() const override { return checksum_; }

 private:
  std::vector<std::string> names_;
  std::vector<std::vector<float>> values_;
  std::string checksum_;
  std::vector<int64_t> shape_{1, 2, 2};
};

const std::map<std::string, std::vector<float>> kFour = {
    {"a", {0, 0.2f}}, {"b", {0.4f}}, {"c", {0.6f}}, {"d", {0.8f}}};

// Trained on a and d; b is for validation, c for the test.
StoredData of_run() { return describe(Named(kFour), {}, {{0, 3}, {1}, {2}}); }

DataOptions with(StoredData stored, UseStored use = UseStored::split) {
  stored.use = use;
  DataOptions how;
  how.path = "P";
  how.stored = std::make_shared<const StoredData>(std::move(stored));
  return how;
}

std::string message_of(const ClassDataset& data, const DataOptions& how) {
  try {
    make_splits(data, how);
  } catch (const ConfigError& e) {
    return e.what();
  }
  return "no ConfigError";
}

std::map<std::string, std::vector<float>> without(const std::string& name) {
  auto classes = kFour;
  classes.erase(name);
  return classes;
}

}  // namespace

TEST_CASE("what a run keeps of its data comes back", "[data]") {
  auto kept = of_run();
  CHECK(kept.classes() == 4);
  REQUIRE(kept.train.size() == 2);
  CHECK(kept.train[1].name == "d");
  CHECK(kept.train[0].size == 2);
  CHECK(kept.train[0].hash != kept.train[1].hash);
  CHECK(kept.shape == std::vector<int64_t>{1, 2, 2});
  kept.path = "/x/y";
  kept.also = {"/z"};
  kept.train_shape.ways = 7;
  kept.train_shape.input = {1, 2, 2};
  kept.train_shape.target = TargetKind::none;
  const auto back =
      stored_data_from(nlohmann::json::parse(to_json(kept).dump()));
  CHECK(back.train == kept.train);
  CHECK(back.validation == kept.validation);
  CHECK(back.test == kept.test);
  CHECK(back.unused == kept.unused);
  CHECK(back.train_shape == kept.train_shape);
  CHECK(std::tie(back.path, back.also, back.checksum, back.hashed, back.shape,
                 back.ink) == std::tie(kept.path, kept.also, kept.checksum,
                                       kept.hashed, kept.shape, kept.ink));
}

TEST_CASE("the kept split is taken by name, and classes that came are in none",
          "[data]") {
  auto more = kFour;
  more["aa"] = {0.5f};
  more["z"] = {0.5f};
  const auto splits = make_splits(Named(more), with(of_run()));
  CHECK(splits.train == std::vector<uint32_t>{0, 4});  // a, aa, b, c, d, z
  CHECK(splits.validation == std::vector<uint32_t>{2});
  CHECK(splits.test == std::vector<uint32_t>{3});
  CHECK(
      message_of(Named(more), with(of_run(), UseStored::exactly)) ==
      "data.path = P: not the data that the run was split from: 2 classes are "
      "new (aa, z); expected that data (a new run.dir starts afresh)");
  const auto listed =
      make_splits(Named(more), with(of_run(), UseStored::listed));
  CHECK(listed.test.size() == 6);
  CHECK(listed.train.empty());
}

TEST_CASE("turned and inverted, classes are the same", "[data]") {
  auto how = with(of_run());
  const RotatedDataset turned(std::make_shared<Named>(kFour));
  CHECK(make_splits(turned, how).train ==
        std::vector<uint32_t>{0, 1, 2, 3, 12, 13, 14, 15});
  CHECK(make_splits(turned, how).test == std::vector<uint32_t>{8});
  how.rotate_eval = true;
  CHECK(make_splits(turned, how).test == std::vector<uint32_t>{8, 9, 10, 11});
  how.invert = true;
  const InvertedDataset inverted(std::make_shared<Named>(kFour));
  CHECK(make_splits(inverted, how).train == std::vector<uint32_t>{0, 3});
  CHECK(describe(turned, {}, {{0, 1, 2, 3, 12, 13, 14, 15}, {4}, {8}}).train ==
        of_run().train);
}

TEST_CASE("data that the run was not split from are refused, and why",
          "[data]") {
  const std::string head =
      "data.path = P: not the data that the run was split from: ";
  CHECK(message_of(Named(without("c")), with(of_run()))
            .starts_with(head +
                         "1 class is missing (c); expected that data, or "
                         "for other data --data.split test"));
  auto changed = kFour;
  changed["d"] = {0.7f};
  changed["a"].push_back(0.3f);
  changed.erase("b");
  changed["e"] = {0.9f};
  CHECK(message_of(Named(changed), with(of_run()))
            .starts_with(head +
                         "1 class is missing (b), 2 classes have other "
                         "examples (a, d), 1 class is new (e); expected"));
}

TEST_CASE("examples that are not there have a shape, and cannot be read",
          "[data]") {
  auto kept = of_run();
  kept.path = "/x/y";
  const auto absent = absent_dataset(kept);
  CHECK(absent->shape() == std::vector<int64_t>{1, 2, 2});
  CHECK(absent->checksum() == kept.checksum);
  CHECK_FALSE(absent->ink());
  float x[4];
  CHECK_THROWS_WITH(absent->read(0, 0, x), contains("they were /x/y"));
}

TEST_CASE("a table keeps names, means, scales and numbers of labels",
          "[data]") {
  TempDir dir;
  const auto file = dir.path() / "t.csv";
  DataOptions how;
  how.source = "table";
  how.path = file.string();
  how.target = "kind";
  write_file(file, "task,a,kind,b\nx,1,cow,3\nx,3,dog,3\ny,9,dog,0\n");
  TableDataset first(how);
  first.standardise({0});  // a: mean 2, deviation 1
  auto kept = describe(first, how, {{0}, {}, {1}});
  CHECK(kept.fitted.at("mean") == std::vector<double>{2, 3});
  CHECK(kept.fitted.at("deviation") == std::vector<double>{1, 0});
  // A column, a label and rows of other tasks come; columns change places.
  write_file(file,
             "b,kind,new,a,task\n3,cow,0,1,x\n3,dog,0,3,x\n0,dog,0,9,y\n"
             "0,ant,0,-5,z\n");
  auto again = with(kept);
  again.source = how.source;
  again.path = how.path;
  again.target = how.target;
  TableDataset second(again);
  CHECK(second.feature_names() == std::vector<std::string>{"a", "b"});
  CHECK(second.label_names() == std::vector<std::string>{"cow", "dog", "ant"});
  const auto splits = make_splits(second, again);
  second.standardise(splits.train);
  CHECK(splits.train == std::vector<uint32_t>{0});
  CHECK(splits.test == std::vector<uint32_t>{1});
  float row[2];
  second.read(1, 0, row);
  CHECK(row[0] == 7);
  CHECK(row[1] == 0);
  int64_t label = -1;
  second.read_target(2, 0, &label, nullptr);
  CHECK(label == 2);
  // Without the file.
  std::filesystem::remove(file);
  kept.use = UseStored::nothing;
  again.stored = std::make_shared<const StoredData>(kept);
  const TableDataset absent(again);
  CHECK(absent.form().feature(0, 5) == 3);
  CHECK(absent.form().feature(1, 1) == 0);
  CHECK(absent.labels() == 2);
  CHECK(absent.shape() == std::vector<int64_t>{2});
}

TEST_CASE("a text keeps the characters of its training texts alone", "[data]") {
  TempDir dir;
  write_file(dir.path() / "a.txt", "abababcb");
  write_file(dir.path() / "b.txt", "zzzzzzzzzzz\xC3\xA9");
  DataOptions how;
  how.source = "text";
  how.path = dir.path().string();
  how.length = 2;
  how.vocabulary = 4;
  TextDataset first(how);
  first.count({0});
  CHECK(first.encode("bacz", "x") == std::vector<uint32_t>{1, 2, 3, 0});
  float x[2];
  first.read(1, 0, x);
  CHECK(x[0] == 0);
  auto kept = describe(first, how, {{0}, {}, {1}});
  // The text changes, and goes.
  write_file(dir.path() / "b.txt", "cccccccccccc");
  auto again = with(kept, UseStored::values);
  again.source = how.source;
  again.path = how.path;
  again.length = 2;
  TextDataset second(again);
  second.count({0, 1});
  CHECK(second.encode("bacz", "x") == std::vector<uint32_t>{1, 2, 3, 0});
  kept.use = UseStored::nothing;
  again.stored = std::make_shared<const StoredData>(kept);
  again.path = "/nosuch";
  const TextDataset absent(again);
  CHECK(absent.encode("bacz", "x") == std::vector<uint32_t>{1, 2, 3, 0});
  CHECK(absent.decode({1, 3}) == "bc");
  CHECK(absent.labels() == 4);
}
