// Checks against the Omniglot zip that the shipped pack was made from. Needs
// PROTEAN_TEST_DATA, the folder that holds omniglot/images_background.zip;
// skipped (77) without.
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
