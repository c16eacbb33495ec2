#include "protean/core/atomic_file.h"

#include "protean/core/error.h"

#include "support/catch.h"
#include "support/temp_dir.h"

using namespace protean;

TEST_CASE("an atomic write replaces the whole file or nothing", "[core]") {
  TempDir dir;
  const auto path = dir.path() / "file";
  write_file_atomically(path, "one");
  CHECK(read_file(path) == "one");
  write_file_atomically(path, std::string(100000, 'x'));
  CHECK(read_file(path).size() == 100000);
  CHECK_FALSE(std::filesystem::exists(path.string() + ".tmp"));
}

TEST_CASE("file errors name the path and the cause", "[core]") {
  CHECK_THROWS_WITH(read_file("/nowhere/at/all"),
                    contains("/nowhere/at/all") && contains("No such file"));
  // /dev/full fails every write with ENOSPC, as a full disk does.
  CHECK_THROWS_WITH(write_file_synced("/dev/full", "x"),
                    contains("No space left"));
  CHECK_THROWS_AS(write_file_atomically("/proc/protean", "x"), DataError);
}
