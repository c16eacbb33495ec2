#include "protean/core/memory_use.h"

#include <fstream>

#include <unistd.h>

#include "support/catch.h"

using namespace protean;

namespace {

namespace fs = std::filesystem;

// A folder of small files, gone at the end.
class Tree {
 public:
  Tree() {
    std::string name = (fs::temp_directory_path() / "cgroup-XXXXXX").string();
    root_ = ::mkdtemp(name.data());
  }
  ~Tree() { fs::remove_all(root_); }
  void put(const fs::path& file, const std::string& text) const {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }
  std::optional<MemoryUse> use() const {
    return memory_use(root_ / "self", root_ / "groups");
  }

 private:
  fs::path root_;
};

}  // namespace

TEST_CASE("the nearest limit of a version 2 group counts", "[core]") {
  Tree tree;
  tree.put("self", "0::/job/step\n");
  tree.put("groups/job/step/memory.max", "max\n");
  tree.put("groups/job/step/memory.current", "100\n");
  CHECK_FALSE(tree.use());
  tree.put("groups/job/memory.max", "1000\n");
  tree.put("groups/job/memory.current", "800\n");
  tree.put("groups/job/memory.peak", "900\n");
  tree.put("groups/job/memory.stat", "anon 500\ninactive_file 250\n");
  tree.put("groups/job/memory.events", "high 9\noom 3\noom_kill 2\n");
  const auto use = tree.use();
  REQUIRE(use);
  CHECK(use->killed == 2);
  CHECK(use->limit == 1000);
  CHECK(use->used == 550);
  CHECK(use->peak == 900);
  CHECK(fs::path(use->group).filename() == "job");
}

TEST_CASE("the memory controller of version 1 counts", "[core]") {
  Tree tree;
  tree.put("self", "9:name=systemd:/\n4:memory:/job\n0::/\n");
  tree.put("groups/memory/job/memory.limit_in_bytes", "9223372036854771712\n");
  tree.put("groups/memory/job/memory.usage_in_bytes", "70\n");
  CHECK_FALSE(tree.use());
  tree.put("groups/memory/job/memory.limit_in_bytes", "100\n");
  tree.put("groups/memory/job/memory.max_usage_in_bytes", "90\n");
  tree.put("groups/memory/job/memory.oom_control",
           "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n");
  const auto use = tree.use();
  REQUIRE(use);
  CHECK(use->killed == 1);
  CHECK(use->limit == 100);
  CHECK(use->used == 70);
  CHECK(use->peak == 90);
}

TEST_CASE("a group seen from inside its container is the root", "[core]") {
  Tree tree;
  tree.put("self", "0::/docker/abc\n");
  tree.put("groups/memory.max", "10\n");
  tree.put("groups/memory.current", "5\n");
  const auto use = tree.use();
  REQUIRE(use);
  CHECK(use->limit == 10);
  CHECK(use->peak == 0);
}

TEST_CASE("without control groups nothing is known", "[core]") {
  Tree tree;
  CHECK_FALSE(tree.use());
  tree.put("self", "no colons here\n1:memory\n");
  CHECK_FALSE(tree.use());
}
