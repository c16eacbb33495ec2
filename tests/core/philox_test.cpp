#include "protean/core/philox.h"

#include <cmath>
#include <numbers>
#include <set>

#include "support/catch.h"

using namespace protean;

TEST_CASE("Philox4x32-10 gives the Random123 known answers", "[core]") {
  CHECK(philox4x32({0, 0, 0, 0}, {0, 0}) ==
        PhiloxCounter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  const uint32_t ones = 0xffffffff;
  CHECK(philox4x32({ones, ones, ones, ones}, {ones, ones}) ==
        PhiloxCounter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
                   {0xa4093822, 0x299f31d0}) ==
        PhiloxCounter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("Draws depend on every part of their name", "[core]") {
  const TaskId task{Stream::train, 7, 3};
  std::set<uint32_t> first;
  auto add = [&](Draws d) { first.insert(d.next()); };
  add(Draws(1, task, Purpose::classes));
  add(Draws(1, task, Purpose::classes));  // the same again
  add(Draws(2, task, Purpose::classes));
  add(Draws(uint64_t{1} << 32 | 1, task, Purpose::classes));
  add(Draws(1, {Stream::validation, 7, 3}, Purpose::classes));
  add(Draws(1, {Stream::train, 8, 3}, Purpose::classes));
  add(Draws(1, {Stream::train, 7, 4}, Purpose::classes));
  add(Draws(1, task, Purpose::labels));
  add(Draws(1, task, Purpose::classes, 1));
  CHECK(first.size() == 8);
}

TEST_CASE("below() is uniform and sample() draws distinct values", "[core]") {
  Draws draws(5, {}, Purpose::test);
  std::vector<int> count(7);
  for (int i = 0; i < 70000; ++i) ++count[draws.below(7)];
  double chi2 = 0;  // 6 degrees of freedom: P(chi2 > 22.5) = 0.001
  for (int c : count) chi2 += (c - 10000.0) * (c - 10000.0) / 10000.0;
  CHECK(chi2 < 22.5);

  for (uint64_t n : {1u, 5u, 340000u}) {
    auto v = draws.sample(n, std::min<uint64_t>(n, 100));
    std::set<uint32_t> distinct(v.begin(), v.end());
    CHECK(distinct.size() == v.size());
    CHECK(*distinct.rbegin() < n);
  }
  CHECK_THROWS(draws.sample(3, 4));
}

TEST_CASE("uniform() and normal() have their moments", "[core]") {
  Draws draws(9, {}, Purpose::test);
  const int n = 200000;
  double u1 = 0, u2 = 0, z1 = 0, z2 = 0, z4 = 0;
  for (int i = 0; i < n; ++i) {
    const double u = draws.uniform(), z = draws.normal();
    REQUIRE((u >= 0 && u < 1));
    u1 += u, u2 += u * u, z1 += z, z2 += z * z, z4 += z * z * z * z;
  }
  CHECK(u1 / n == Approx(0.5).margin(0.003));
  CHECK(u2 / n == Approx(1 / 3.0).margin(0.003));
  CHECK(z1 / n == Approx(0).margin(0.01));
  CHECK(z2 / n == Approx(1).margin(0.015));
  CHECK(z4 / n == Approx(3).margin(0.12));
}

TEST_CASE("normal numbers are both ends of one radius", "[core]") {
  Draws draws(9, {}, Purpose::test), uniform(9, {}, Purpose::test);
  for (int i = 0; i < 10; ++i) {
    const double radius = std::sqrt(-2 * std::log(1 - uniform.uniform()));
    const double angle = 2 * std::numbers::pi * uniform.uniform();
    CHECK(draws.normal() == Approx(radius * std::cos(angle)));
    CHECK(draws.normal() == Approx(radius * std::sin(angle)));
  }
}

TEST_CASE("a whole sample is a permutation", "[core]") {
  Draws draws(3, {}, Purpose::test);
  for (int i = 0; i < 50; ++i) {
    const auto v = draws.sample(6, 6);
    CHECK(std::set<uint32_t>(v.begin(), v.end()).size() == 6);
  }
}
