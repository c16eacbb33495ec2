#include "protean/tools/doctor.h"

#include <cstring>

#include "support/catch.h"

using namespace protean;

namespace {

RankHealth sound(const char* host, int local_rank) {
  RankHealth h;
  std::strcpy(h.host, host);
  std::strcpy(h.versions, "libtorch 2.11.0");
  h.matrix_gflops = 100;
  h.sync_ms = 2;
  h.disk_mib_s = 500;
  h.disk_free_gib = 100;
  h.shm_free_mib = 8000;
  h.memory_free_gib = 60;
  h.open_files = 65536;
  h.locked_kib = -1;
  h.stack_kib = 8192;
  h.cpus_allowed = h.cpus_of_host = 16;
  h.local_rank = local_rank;
  h.local_size = 2;
  h.threads = 8;
  h.shm_is_there = 1;
  return h;
}

std::vector<RankHealth> four() {
  return {sound("node1", 0), sound("node1", 1), sound("node2", 0),
          sound("node2", 1)};
}

// The one finding of four ranks after change(rank 2).
template <typename Change>
std::string finding(Change change) {
  auto ranks = four();
  change(ranks[2]);
  const auto lines = findings(ranks);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].find("rank 2 on node2: ") == 0);
  return lines[0];
}

bool has(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a sound allocation has no findings", "[tools]") {
  CHECK(findings(four()).empty());
}

TEST_CASE("each thing out of line is named with rank, value and advice",
          "[tools]") {
  CHECK(has(finding([](auto& h) { h.matrix_gflops = 89; }),
            "reach 89 GFLOP/s, the median rank 100"));
  auto ranks = four();
  ranks[2].matrix_gflops = 91;
  CHECK(findings(ranks).empty());
  CHECK(has(finding([](auto& h) { std::strcpy(h.gpu_error, "no driver"); }),
            "GPU cannot be used: no driver"));
  ranks = four();
  for (auto& h : ranks) h.gpu_gflops = 50000;
  CHECK(findings(ranks).empty());
  ranks[2].gpu_gflops = 40000;
  CHECK(findings(ranks).size() == 1);
  CHECK(has(findings(ranks)[0], "GPU reach 40000 GFLOP/s, the median rank 5"));
  CHECK(has(finding([](auto& h) { h.cpus_allowed = 1; }),
            "8 threads may use 1 of 16 CPUs"));
  CHECK(has(finding([](auto& h) { h.cpus_of_host = h.cpus_allowed = 8; }),
            "2 ranks x 8 threads on 8 CPUs"));
  CHECK(has(finding([](auto& h) { std::strcpy(h.disk_error, "read-only"); }),
            "cannot be used: read-only"));
  CHECK(has(finding([](auto& h) { h.disk_free_gib = 0.5; }), "512 MiB free"));
  CHECK(has(finding([](auto& h) { h.sync_ms = 900; }), "takes 900 ms"));
  CHECK(has(finding([](auto& h) { h.shm_free_mib = 64; }),
            "/dev/shm has 64 MiB free for 2 ranks"));
  CHECK(has(finding([](auto& h) { h.open_files = 256; }), "256 open files"));
  CHECK(has(finding([](auto& h) { h.memory_free_gib = 0.25; }),
            "256 MiB of memory"));
  CHECK(has(finding([](auto& h) { h.clock_s = -3; }), "clock is -3 s ahead"));
  CHECK(has(finding([](auto& h) { std::strcpy(h.versions, "libtorch 2.6"); }),
            "runs libtorch 2.6, rank 0 libtorch 2.11.0"));
}

TEST_CASE("the same on many ranks is one line", "[tools]") {
  auto ranks = four();
  for (auto& h : ranks) h.shm_is_there = 0;
  const auto lines = findings(ranks);
  REQUIRE(lines.size() == 1);
  CHECK(has(lines[0], "rank 0 on node1 and 3 others: /dev/shm"));
}
