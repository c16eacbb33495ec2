#include "protean/data/splits.h"

#include <functional>
#include <set>

#include "protean/core/error.h"
#include "protean/data/wrappers.h"

#include "data/fixtures.h"
#include "support/catch.h"

using namespace protean;

namespace {

// Classes g/c; example e of class c is a 1x3x3 image of 100 c + e + pixel / 10.
class Numbers : public ClassDataset {
 public:
  Numbers(uint32_t groups, uint32_t per_group)
      : groups_(groups), per_group_(per_group) {}
  const std::vector<int64_t>& shape() const override { return shape_; }
  uint32_t classes() const override { return groups_ * per_group_; }
  uint32_t size(uint32_t) const override { return 4; }
  std::string class_name(uint32_t c) const override {
    return concat(group(c), "/c", c % per_group_);
  }
  std::string group(uint32_t c) const override {
    return concat("g", c / per_group_);
  }
  void read(uint32_t c, uint32_t e, float* out) const override {
    for (int i = 0; i < 9; ++i)
      out[i] = static_cast<float>(100 * c + e) + static_cast<float>(i) / 10;
  }
  std::string checksum() const override { return "numbers"; }

 private:
  uint32_t groups_, per_group_;
  std::vector<int64_t> shape_{1, 3, 3};
};

DataOptions split(const std::filesystem::path& path) {
  DataOptions options;
  options.split = path.string();
  return options;
}

std::string message_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& e) {
    return e.what();
  }
  return "no Error";
}

using Ids = std::vector<uint32_t>;

}  // namespace

TEST_CASE("a list file splits by group and by class", "[data]") {
  TempDir dir;
  const auto list = dir.path() / "my.split";
  const Numbers data(3, 3);
  write_file(list,
             "# comment\n\ng0 train  # a whole group\ng1/c0\tval\r\n"
             "g1/c1 test\ng2 train\ng2 train\n");
  const Splits splits = make_splits(data, split(list));
  CHECK(splits.train == Ids{0, 1, 2, 6, 7, 8});
  CHECK(splits.validation == Ids{3});
  CHECK(splits.test == Ids{4});  // 5 is in no split
  CHECK(splits.of(Stream::validation) == splits.validation);

  write_file(list, "g0 train\ng0/c1 test\n");
  const std::string overlap =
      message_of([&] { make_splits(data, split(list)); });
  CHECK_THAT(overlap,
             contains("my.split:2: class g0/c1 is in train and in test"));
  write_file(list, "g0 train\ng7 test\n");
  CHECK_THAT(message_of([&] { make_splits(data, split(list)); }),
             contains("my.split:2: no class or group \"g7\""));
  write_file(list, "g0 training\n");
  CHECK_THAT(message_of([&] { make_splits(data, split(list)); }),
             contains("my.split:1: \"training\""));
  CHECK_THAT(message_of([&] { make_splits(data, split("nowhere")); }),
             contains("data.split = \"nowhere\""));
  CHECK_THAT(message_of([&] { make_splits(data, split("background")); }),
             contains("expected the Omniglot background set"));
}

TEST_CASE("list folders name rotations as the Vinyals lists do", "[data]") {
  TempDir dir;
  std::string train, val;
  for (const char* turn : {"rot000", "rot090", "rot180", "rot270"}) {
    train += std::string("g0/c0/") + turn + "\ng0/c1/" + turn + "\n";
    val += std::string("g1/c0/") + turn + "\n";
  }
  write_file(dir.path() / "train.txt", train);
  write_file(dir.path() / "val.txt", val);
  write_file(dir.path() / "test.txt", "g1/c1/rot000\n");
  DataOptions options = split(dir.path());
  const auto base = std::make_shared<Numbers>(2, 2);

  Splits splits = make_splits(*base, options);  // upright classes only
  CHECK(splits.train == Ids{0, 1});
  CHECK(splits.validation == Ids{2});
  CHECK(splits.test == Ids{3});

  const RotatedDataset turned(base);
  splits = make_splits(turned, options);
  CHECK(splits.train == Ids{0, 1, 2, 3, 4, 5, 6, 7});
  CHECK(splits.validation == Ids{8});
  CHECK(splits.test == Ids{12});
  options.rotate_eval = true;
  splits = make_splits(turned, options);
  CHECK(splits.validation == Ids{8, 9, 10, 11});
  CHECK(splits.test == Ids{12});  // the list names no other

  // Two rotations of one class in two splits would leak.
  write_file(dir.path() / "test.txt", "g0/c1/rot180\n");
  CHECK_THAT(message_of([&] { make_splits(turned, options); }),
             contains("test.txt:1: class g0/c1 is in train and in test"));
  TempDir empty;
  CHECK_THAT(message_of([&] { make_splits(turned, split(empty.path())); }),
             contains("no train.txt"));
}

TEST_CASE("a random split follows its seed and fractions", "[data]") {
  const auto base = std::make_shared<Numbers>(10, 10);
  DataOptions options = split("random");
  options.split_validation = 0.15;
  options.split_test = 0.2;
  const Splits splits = make_splits(*base, options);
  CHECK(splits.train.size() == 65);
  CHECK(splits.validation.size() == 15);
  CHECK(splits.test.size() == 20);
  std::set<uint32_t> all;
  for (const auto* ids : {&splits.train, &splits.validation, &splits.test})
    all.insert(ids->begin(), ids->end());
  CHECK(all.size() == 100);
  CHECK(make_splits(*base, options).test == splits.test);
  options.split_seed = 1;
  CHECK(make_splits(*base, options).test != splits.test);

  const RotatedDataset turned(base);
  options.rotate_eval = true;
  const Splits four = make_splits(turned, options);
  const Splits one = make_splits(*base, options);
  REQUIRE(four.test.size() == 4 * one.test.size());
  for (size_t i = 0; i < four.test.size(); ++i)
    CHECK(four.test[i] == 4 * one.test[i / 4] + i % 4);

  options.split_test = 0.9;
  CHECK_THROWS_AS(make_splits(*base, options), ConfigError);
  options.split_test = -0.1;
  CHECK_THAT(message_of([&] { make_splits(*base, options); }),
             contains("data.split_test = -0.1"));
  CHECK_THROWS_AS(make_splits(*base, split("stored")), ConfigError);
}

TEST_CASE("quarter turns are numpy's rot90", "[data]") {
  std::vector<float> image{1, 2, 3, 4, 5, 6, 7, 8, 9};
  rotate_quarter_turns(image.data(), 1, 3, 1);
  CHECK(image == std::vector<float>{3, 6, 9, 2, 5, 8, 1, 4, 7});
  for (int side : {1, 2, 3, 4, 5, 28}) {
    std::vector<float> start(static_cast<size_t>(2 * side * side));
    for (size_t i = 0; i < start.size(); ++i) start[i] = static_cast<float>(i);
    std::vector<float> turned = start;
    for (uint32_t k = 0; k < 4; ++k) {
      std::vector<float> at_once = start;
      rotate_quarter_turns(at_once.data(), 2, side, k);
      CHECK(at_once == turned);  // k single turns
      rotate_quarter_turns(turned.data(), 2, side, 1);
    }
    CHECK(turned == start);  // four are none
    if (side > 1) {
      rotate_quarter_turns(turned.data(), 2, side, 1);
      bool rule = true;
      for (int c = 0; c < 2; ++c)
        for (int y = 0; y < side; ++y)
          for (int x = 0; x < side; ++x)
            rule &= turned[static_cast<size_t>((c * side + y) * side + x)] ==
                    start[static_cast<size_t>((c * side + x) * side + side - 1 -
                                              y)];
      CHECK(rule);
    }
  }
}

TEST_CASE("rotated and subset data sets show their base", "[data]") {
  const auto base = std::make_shared<Numbers>(2, 2);
  const auto turned = std::make_shared<RotatedDataset>(base);
  REQUIRE(turned->classes() == 16);
  CHECK(turned->class_name(7) == "g0/c1/rot270");
  CHECK(turned->group(7) == "g0");
  CHECK(turned->quarter_turns(7) == 3);
  std::vector<float> got(9), want(9);
  turned->read(7, 2, got.data());
  base->read(1, 2, want.data());
  rotate_quarter_turns(want.data(), 1, 3, 3);
  CHECK(got == want);

  const SubsetDataset subset(turned, {9, 4});
  REQUIRE(subset.classes() == 2);
  CHECK(subset.class_name(1) == "g0/c1/rot000");
  CHECK(subset.quarter_turns(0) == 1);
  subset.read(1, 3, got.data());
  base->read(1, 3, want.data());
  CHECK(got == want);
  CHECK(subset.checksum() != SubsetDataset(turned, {4, 9}).checksum());
  CHECK(turned->checksum() != base->checksum());
  CHECK_THROWS_AS(SubsetDataset(turned, {16}), ConfigError);
  CHECK_THROWS_AS(SubsetDataset(turned, {3, 3}), ConfigError);
}

TEST_CASE("joined data sets stand one after the other", "[data]") {
  const auto first = std::make_shared<Numbers>(2, 2);
  const auto second =
      std::make_shared<RotatedDataset>(std::make_shared<Numbers>(1, 2));
  const auto third = std::make_shared<Numbers>(1, 1);
  const JoinedDataset joined({first, second, third}, {"a", "b", "c"});
  REQUIRE(joined.classes() == 4 + 8 + 1);
  CHECK(joined.begin(1) == 4);
  CHECK(joined.begin(2) == 12);
  CHECK(joined.class_name(3) == "g1/c1");
  CHECK(joined.class_name(4) == "b/g0/c0/rot000");
  CHECK(joined.group(12) == "c/g0");
  CHECK(joined.quarter_turns(11) == 3);
  std::vector<float> got(9), want(9);
  for (const auto& [cls, data, own] :
       {std::tuple<uint32_t, DatasetPtr, uint32_t>(0, first, 0),
        {3, first, 3},
        {4, second, 0},
        {11, second, 7},
        {12, third, 0}}) {
    joined.read(cls, 2, got.data());
    data->read(own, 2, want.data());
    CHECK(got == want);
  }
  CHECK(joined.checksum() !=
        JoinedDataset({first, third, second}, {"a", "b", "c"}).checksum());
}

TEST_CASE("fewer training classes are some of the more", "[data]") {
  const Numbers data(6, 5);
  DataOptions options;
  options.split = "random";
  options.split_validation = 0.1;
  options.split_test = 0.2;
  const Splits whole = make_splits(data, options);
  std::set<uint32_t> before(whole.train.begin(), whole.train.end());
  for (uint32_t count : {20u, 7u, 1u}) {
    options.train_classes = count;
    const Splits some = make_splits(data, options);
    CHECK(some.train.size() == count);
    CHECK(some.test == whole.test);
    CHECK(some.validation == whole.validation);
    for (uint32_t c : some.train) CHECK(before.count(c) == 1);
    before = {some.train.begin(), some.train.end()};
  }
  options.train_classes = 99;
  CHECK(message_of([&] { make_splits(data, options); }) ==
        "data.train_classes = 99, but there are 21 to train on; expected at "
        "most 21");
}

TEST_CASE("training groups are taken whole, rotations together", "[data]") {
  const RotatedDataset data(std::make_shared<Numbers>(6, 5));
  DataOptions options;
  options.split = "random";
  options.split_validation = options.split_test = 0;
  options.train_groups = 2;
  Splits some = make_splits(data, options);
  CHECK(some.train.size() == 2 * 5 * 4);
  std::set<std::string> groups;
  for (uint32_t c : some.train) groups.insert(data.group(c));
  CHECK(groups.size() == 2);
  options.train_classes = 3;
  some = make_splits(data, options);
  REQUIRE(some.train.size() == 3 * 4);
  for (size_t i = 0; i < some.train.size(); ++i)
    CHECK(some.train[i] / 4 == some.train[i / 4 * 4] / 4);
}
