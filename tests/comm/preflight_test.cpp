#include "protean/comm/preflight.h"

#include "support/catch.h"
#include "support/run_world.h"

namespace protean {
namespace {

// The text that every rank throws, "" if none does.
std::string differences(int ranks, const std::function<Facts(int)>& facts) {
  auto out = run_ranks(ranks, [&](World& world) {
    preflight(*world.control, facts(world.control->rank()));
  });
  for (const std::string& error : out.error) REQUIRE(error == out.error[0]);
  REQUIRE(out.exit_code == (out.error[0].empty() ? 0 : kExitUsage));
  return out.error[0];
}

TEST_CASE("equal facts pass", "[comm][preflight]") {
  CHECK(differences(3, [](int) {
          return Facts{{"config", "abc"}, {"build", ""}};
        }) == "");
  CHECK(differences(2, [](int) { return Facts{}; }) == "");
  CHECK(differences(1, [](int) { return Facts{{"a", "b"}}; }) == "");
}

// A communicator that carries sums alone.
class SumsAlone final : public Communicator {
 public:
  explicit SumsAlone(Communicator& inner) : inner_(inner) {}
  int rank() const override { return inner_.rank(); }
  int size() const override { return inner_.size(); }
  const char* backend() const override { return inner_.backend(); }
  void all_reduce(void* data, size_t count, DType type, ReduceOp op,
                  SumOrder order) override {
    values += count;
    inner_.all_reduce(data, count, type, op, order);
  }
  std::unique_ptr<CommRequest> start_all_reduce(void*, size_t, DType, ReduceOp,
                                                SumOrder) override {
    throw Error("start_all_reduce");
  }
  void broadcast(void*, size_t, int) override { throw Error("broadcast"); }
  void all_gather(const void*, void*, size_t) override {
    throw Error("all_gather");
  }
  void barrier() override { throw Error("barrier"); }
  std::unique_ptr<Communicator> split(int, int) override {
    throw Error("split");
  }
  void check() override { inner_.check(); }
  void fail(const std::string& why, int exit_code) override {
    inner_.fail(why, exit_code);
  }
  void set_activity(const std::string& activity) override {
    inner_.set_activity(activity);
  }
  size_t values = 0;  // summed

 private:
  Communicator& inner_;
};

TEST_CASE("ranks that agree exchange three numbers, however much they compare",
          "[comm][preflight]") {
  const Facts many(1000, {"key", std::string(100, 'x')});
  const auto out = run_ranks(3, [&](World& world) {
    SumsAlone comm(*world.control);
    preflight(comm, many);
    agree(comm, [] {});
    return comm.values;
  });
  REQUIRE(out.ok());
  for (const auto& values : out.value) CHECK(values == 3);
}

TEST_CASE("a difference names key, ranks and values, the same on every rank",
          "[comm][preflight]") {
  CHECK(differences(3, [](int rank) {
          return Facts{{"seed", "1"}, {"task.ways", rank == 2 ? "20" : "5"}};
        }) == "ranks differ: task.ways is 5 on rank 0 and 20 on rank 2");
  CHECK(
      differences(4, [](int rank) {
        return Facts{{"cpu", rank == 0 ? "avx2" : "avx512"}};
      }) == "ranks differ: cpu is avx2 on rank 0 and avx512 on ranks 1, 2, 3");
  CHECK(
      differences(3, [](int rank) {
        return Facts{{"build", std::to_string(rank)}};
      }) == "ranks differ: build is 0 on rank 0 and 1 on rank 1, 2 on rank 2");
}

TEST_CASE("a missing fact is a difference, and all keys are named",
          "[comm][preflight]") {
  CHECK(differences(2,
                    [](int rank) {
                      return rank == 0 ? Facts{{"a", "1"}, {"b", "2"}}
                                       : Facts{{"b", "3"}, {"c", ""}};
                    }) ==
        "ranks differ: a is 1 on rank 0 and missing on rank 1; also "
        "different: b, c");
}

}  // namespace
}  // namespace protean
