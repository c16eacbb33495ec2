#include "protean/run/provenance.h"

#include "support/catch.h"

using namespace protean;

TEST_CASE("provenance names source, build, libraries and machine", "[run]") {
  const auto facts = provenance("Open MPI v4.1.4\n\n", "");
  for (const char* key : {"version", "commit", "compiler", "build_type",
                          "flags", "libtorch", "blas", "onednn", "cpu",
                          "instruction_set", "built_for", "host", "system"}) {
    INFO(key << " in " << facts.dump());
    REQUIRE(facts.contains(key));
    CHECK_FALSE(facts[key].get<std::string>().empty());
  }
  CHECK(facts["mpi"] == "Open MPI v4.1.4");
  CHECK(facts["nccl"] == "none");
  CHECK(facts["cores"].get<int>() >= 1);
  const auto commit = build_commit();
  CHECK((commit == "unknown" || commit.size() >= 7));
  CHECK_THAT(facts["libtorch"].get<std::string>(), contains("."));
}

TEST_CASE("differences of provenance are put in words", "[run]") {
  const auto numeric = numeric_provenance();
  CHECK(provenance_difference(numeric, numeric_provenance()) == "");
  CHECK_FALSE(numeric.contains("host"));
  auto other = numeric;
  other["instruction_set"] = "Z80";
  other.erase("blas");
  const auto text = provenance_difference(numeric, other);
  CHECK_THAT(text, contains("instruction_set: ") && contains("and \"Z80\""));
  CHECK_THAT(text, contains("blas: ") && contains(" and null"));
}
