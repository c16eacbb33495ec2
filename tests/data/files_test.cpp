// Checks against the Omniglot zip that the shipped pack was made from, and a
// zip of MNIST's test digits. Needs PROTEAN_TEST_DATA, the folder that holds
// omniglot/images_background.zip (skipped, 77, without) and perhaps
// mnist/mnist_test.zip.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "protean/core/atomic_file.h"
#include "protean/data/open_dataset.h"
#include "protean/data/pack.h"

#include "support/catch.h"

using namespace protean;

namespace {

// Before main(): Catch2 2 has no way to skip.
const std::filesystem::path kZip = [] {
  const char* folder = std::getenv("PROTEAN_TEST_DATA");
  const auto zip = std::filesystem::path(folder ? folder : "") /
                   "omniglot/images_background.zip";
  if (!folder || !std::filesystem::exists(zip)) {
    std::puts("skipped: PROTEAN_TEST_DATA has no Omniglot zip");
    std::fflush(stdout);
    std::_Exit(77);
  }
  return zip;
}();

}  // namespace

TEST_CASE("packing the zip again gives the shipped pack", "[data]") {
  const std::string packed = pack_in_memory(kZip);
  CHECK(packed.size() == 1953314);
  const bool equal =
      packed == read_file(find_config("omniglot/background.pack"));
  CHECK(equal);
}

TEST_CASE("the zip opens at its full size", "[data]") {
  DataOptions options;
  options.path = kZip.string();
  options.side = 105;
  const auto data = open_dataset(options);
  CHECK(data->classes() == 964);
  std::vector<float> image(105 * 105);
  data->read(0, 0, image.data());
  float ink = 0;
  for (float v : image) ink += v;
  // A drawing is mostly paper.
  CHECK(ink > 100);
  CHECK(ink < 105 * 105 / 4);
}

TEST_CASE("a zip of MNIST digits is ten classes, ink bright", "[data]") {
  DataOptions options;
  options.source = "auto";
  options.path =
      (kZip.parent_path().parent_path() / "mnist/mnist_test.zip").string();
  if (!std::filesystem::exists(options.path)) return;
  const auto data = open_dataset(options);
  REQUIRE(data->classes() == 10);
  CHECK(data->shape() == std::vector<int64_t>{1, 28, 28});
  CHECK_FALSE(data->ink());
  uint32_t images = 0;
  for (uint32_t c = 0; c < 10; ++c) {
    CHECK(data->class_name(c).ends_with(static_cast<char>('0' + c)));
    images += data->size(c);
  }
  CHECK(images == 10000);
  std::vector<float> digit(28 * 28);
  data->read(1, 0, digit.data());
  CHECK(digit[0] == 0);  // a corner is background
  CHECK(*std::max_element(digit.begin(), digit.end()) > 0.9f);
}
