// The shipped Omniglot background pack: all 964 characters, with 12 to 20 of
// the 20 published drawings of each.
#include <cstdlib>
#include <filesystem>
#include <set>

#include "protean/core/error.h"
#include "protean/data/open_dataset.h"
#include "protean/data/pack.h"
#include "protean/data/regroup.h"
#include "protean/data/splits.h"

#include "data/fixtures.h"
#include "support/catch.h"

using namespace protean;
namespace fs = std::filesystem;

TEST_CASE("the shipped pack is the background set", "[data]") {
  const auto data = open_dataset({});
  REQUIRE(data->classes() == 964);
  CHECK(data->shape() == std::vector<int64_t>{1, 28, 28});
  std::set<std::string> alphabets;
  uint32_t drawings = 0, least = 100, most = 0;
  for (uint32_t c = 0; c < 964; ++c) {
    alphabets.insert(data->group(c));
    drawings += data->size(c);
    least = std::min(least, data->size(c));
    most = std::max(most, data->size(c));
  }
  CHECK(alphabets.size() == 30);
  CHECK(drawings == 16833);
  CHECK(least == 12);
  CHECK(most == 20);
  CHECK(verify_pack(find_config("omniglot/background.pack")).empty());
}

TEST_CASE("its splits are whole alphabets and do not meet", "[data]") {
  DataOptions options;
  const auto data = open_dataset(options);
  const Splits splits = make_splits(*data, options);
  CHECK(splits.train.size() == 781);
  CHECK(splits.validation.size() == 89);
  CHECK(splits.test.size() == 94);
  std::set<std::string> seen;
  size_t alphabets = 0;
  for (const auto* ids : {&splits.train, &splits.validation, &splits.test}) {
    std::set<std::string> groups;
    for (uint32_t c : *ids) groups.insert(data->group(c));
    alphabets += groups.size();
    seen.insert(groups.begin(), groups.end());
  }
  CHECK(alphabets == 30);
  CHECK(seen.size() == 30);

  options.rotations = "classes";
  const auto turned = open_dataset(options);
  const Splits four = make_splits(*turned, options);
  CHECK(four.train.size() == 4 * 781);
  CHECK(four.validation.size() == 89);
  for (uint32_t c : four.test) CHECK(turned->quarter_turns(c) == 0);
}

TEST_CASE("options that do not fit the pack are refused", "[data]") {
  DataOptions options;
  options.side = 84;
  CHECK_THROWS_AS(open_dataset(options), ConfigError);
  options = {};
  options.source = "omniglott";
  CHECK_THROWS_AS(open_dataset(options), ConfigError);
  options = {};
  options.rotations = "some";
  CHECK_THROWS_AS(open_dataset(options), ConfigError);
  options = {};
  options.source = "sinusoid";
  CHECK_THROWS_AS(open_dataset(options), ConfigError);
}

TEST_CASE("shipped files are found from any folder", "[data]") {
  TempDir dir;
  const fs::path before = fs::current_path();
  fs::current_path(dir.path());
  const bool found = fs::exists(find_config("omniglot/background.pack"));
  fs::current_path(before);
  CHECK(found);
  write_file(dir.path() / "configs/omniglot/mine.txt", "x");
  ::setenv("PROTEAN_HOME", dir.path().c_str(), 1);
  const fs::path mine = find_config("omniglot/mine.txt");
  ::unsetenv("PROTEAN_HOME");
  CHECK(mine == dir.path() / "configs/omniglot/mine.txt");
  CHECK_THROWS_WITH(find_config("omniglot/none"), contains("PROTEAN_HOME"));
}

TEST_CASE("drawings grouped by alphabet, and by drawer", "[data]") {
  DataOptions options;
  const auto characters = open_dataset(options);
  options.group_by = "alphabet";
  const auto alphabets = open_dataset(options);
  std::set<std::string> groups;
  uint64_t drawings = 0;
  for (uint32_t c = 0; c < characters->classes(); ++c) {
    groups.insert(characters->group(c));
    drawings += characters->size(c);
  }
  REQUIRE(alphabets->classes() == groups.size());
  uint64_t grouped = 0;
  for (uint32_t a = 0; a < alphabets->classes(); ++a) {
    CHECK(groups.count(alphabets->class_name(a)) == 1);
    grouped += alphabets->size(a);
  }
  CHECK(grouped == drawings);
  // Whole alphabets stay on one side of the split.
  const Splits splits = make_splits(*alphabets, options);
  CHECK(splits.train.size() + splits.validation.size() + splits.test.size() ==
        groups.size());
  CHECK(!splits.test.empty());

  options.group_by = "drawer";
  const auto drawers = open_dataset(options);
  CHECK(drawers->classes() > groups.size());
  for (uint32_t d = 0; d < drawers->classes(); ++d) {
    const std::string name = drawers->class_name(d);
    for (uint32_t e = 0; e < drawers->size(d); ++e)
      CHECK(name == drawers->group(d) + "/drawer" +
                        drawer_of(drawers->example_name(d, e)));
  }
  std::vector<float> a(28 * 28), b(28 * 28);
  drawers->read(0, 0, a.data());
  uint32_t character = 0;
  while (characters->example_name(character, 0) != drawers->example_name(0, 0))
    ++character;
  characters->read(character, 0, b.data());
  CHECK(a == b);
  CHECK(drawers->checksum() != alphabets->checksum());
}
