#include "protean/coordinator/protocol.h"

#include "protean/core/error.h"

#include "support/catch.h"

using namespace protean;

namespace {

template <typename T>
T there_and_back(const T& message) {
  return std::get<T>(decode(encode(message)));
}

}  // namespace

TEST_CASE("messages arrive as they were sent", "[coordinator]") {
  const auto hello = there_and_back(Hello{"node7", 4711});
  CHECK(hello.host == "node7");
  CHECK(hello.pid == 4711);

  const auto beat = there_and_back(
      Beat{RankPhase::waiting, 12, 99, {{5, 80, 0.25}, {1ull << 63, 1, 2}}});
  CHECK(beat.phase == RankPhase::waiting);
  CHECK(beat.step == 12);
  CHECK(beat.progress == 99);
  REQUIRE(beat.costs.size() == 2);
  CHECK(beat.costs[1].shape_key == 1ull << 63);
  CHECK(beat.costs[0].seconds == 0.25);

  const CostTable table{3, {{1, 0.5}, {9, 0.125}}};
  CHECK(there_and_back(table) == table);
  there_and_back(Pulse{});
  there_and_back(Bye{});
}

TEST_CASE("bytes that are no message are refused", "[coordinator]") {
  auto beat = encode(Beat{RankPhase::computing, 1, 2, {{5, 80, 0.25}}});
  CHECK_THROWS_AS(decode(""), CommError);
  CHECK_THROWS_AS(decode("\x09"), CommError);
  for (size_t n = 1; n < beat.size(); ++n)
    CHECK_THROWS_AS(decode(std::string_view(beat).substr(0, n)), CommError);
  CHECK_THROWS_AS(decode(beat + "x"), CommError);
  beat[1] = 77;  // no such phase
  CHECK_THROWS_AS(decode(beat), CommError);
  // A count that no message could hold is not allocated.
  CHECK_THROWS_AS(decode(std::string("\x03") + std::string(8, '\0') +
                         std::string("\xff\xff\xff\xff")),
                  CommError);
}
