#include "protean/core/settings.h"

#include <cmath>

#include "protean/core/error.h"

#include "support/catch.h"

using namespace protean;

namespace {

struct Options {
  std::string name = "maml";
  int steps = 5;
  double lr = 0.4;
  std::string optimizer = "sgd";
  double beta = 0;
  uint32_t ways = 5;
  bool exact = true;
  std::string mix = "real";
  double spread = 0.3;
};

// Two learners, of which one makes inner steps.
void fields(Settings& s, Options& o) {
  s.add("learner.name", &o.name)
      .one_of({"maml", "fomaml", "protonet"})
      .says("the algorithm");
  s.add("learner.inner_steps", &o.steps).says("steps").at_least(1);
  s.add("learner.inner_lr", &o.lr).says("rate").above(0);
  s.add("learner.inner_optimizer", &o.optimizer).one_of({"sgd", "adam"});
  s.add("learner.inner_beta1", &o.beta)
      .within(0, 1)
      .below(1)
      .only_with("learner.inner_optimizer", {"adam"});
  s.add("task.ways", &o.ways).says("classes").also_called({"n_way"});
  s.add("learner.second_order", &o.exact);
  s.add("task.mix", &o.mix);
  s.add("task.spread", &o.spread)
      .only_if("task.mix", "generated in task.mix", [](const Settings& all) {
        return all.value("task.mix").find("generated") != std::string::npos;
      });
  s.read_by(
      "learner.name",
      {{"maml",
        "",
        "",
        "",
        {"learner.inner_steps", "learner.inner_lr", "learner.inner_optimizer",
         "learner.second_order"}},
       {"fomaml",
        "",
        "",
        "",
        {"learner.inner_steps", "learner.inner_lr", "learner.inner_optimizer"}},
       {"protonet", "", "", "", {}}});
}

struct Table {
  Options o;
  Settings s;
  Table() { fields(s, o); }
  const Setting& operator[](const char* key) { return s.at(key, "test"); }
  std::string error() {
    try {
      s.check();
    } catch (const ConfigError& e) {
      return e.what();
    }
    return "";
  }
};

}  // namespace

TEST_CASE("a setting reads and writes its field as text", "[core]") {
  Table t;
  t["learner.inner_steps"].set("12");
  t["learner.inner_lr"].set("1e-3");
  t["learner.second_order"].set("off");
  t["task.mix"].set("real=1, generated = 2");
  CHECK(t.o.steps == 12);
  CHECK(t.o.lr == 0.001);
  CHECK_FALSE(t.o.exact);
  CHECK(t.o.mix == "real=1, generated = 2");
  CHECK(t["learner.inner_lr"].value() == "0.001");
  CHECK(t["learner.inner_lr"].standard() == "0.4");
  t["learner.inner_lr"].reset();
  CHECK(t.o.lr == 0.4);
  // The shortest text that gives the same double.
  t.o.lr = 0.1 + 0.2;
  CHECK(t["learner.inner_lr"].value() == "0.30000000000000004");
  for (const auto& [key, text, expected] :
       {std::tuple{"learner.inner_steps", "3.5", "a whole number"},
        std::tuple{"task.ways", "-3", "a whole number, 0 or above"},
        std::tuple{"task.ways", "4294967296", "a whole number, 0 or above"},
        std::tuple{"learner.inner_lr", "fast", "a number"},
        std::tuple{"learner.inner_lr", "1x", "a number"},
        std::tuple{"learner.second_order", "maybe", "true or false"}})
    CHECK_THROWS_WITH(t[key].set(text), expected);
  CHECK(t.o.ways == 5);
}

TEST_CASE("a value out of range is refused with its range", "[core]") {
  const auto refused = [](auto set, const std::string& message) {
    Table t;
    set(t.o);
    CHECK(t.error() == message);
  };
  refused([](Options& o) { o.steps = 0; },
          "learner.inner_steps = 0; expected at least 1");
  refused([](Options& o) { o.lr = 0; },
          "learner.inner_lr = 0; expected a value above 0");
  refused([](Options& o) { o.lr = std::nan(""); },
          "learner.inner_lr = nan; expected a value above 0");
  refused([](Options& o) { o.optimizer = "mml"; },
          "learner.inner_optimizer = \"mml\"; expected one of: sgd, adam");
  refused([](Options& o) { o.optimizer = "adam", o.beta = 1; },
          "learner.inner_beta1 = 1; expected a value in [0, 1)");
  Table t;
  t.o.optimizer = "adam";
  t.o.beta = 0.999;
  CHECK(t.error() == "");
}

TEST_CASE("what nothing reads is refused, and who would read it named",
          "[core]") {
  Table t;
  t.o.name = "protonet";
  CHECK(t.error() == "");
  t.o.steps = 3;
  CHECK(t.error() ==
        "learner.inner_steps = 3 does nothing with learner.name = protonet; it "
        "is read by: maml, fomaml");
  t.o.name = "fomaml";
  CHECK(t.error() == "");
  t.o.exact = false;
  CHECK(t.error() ==
        "learner.second_order = false does nothing with learner.name = fomaml; "
        "it is read by: maml");
  t.o.exact = true;
  t.o.beta = 0.5;
  CHECK(t.error() ==
        "learner.inner_beta1 = 0.5 does nothing with learner.inner_optimizer = "
        "sgd; expected its default, 0, or learner.inner_optimizer = adam");
  t.o.beta = 0;
  t.o.spread = 1;
  CHECK(t.error() ==
        "task.spread = 1 does nothing with task.mix = real; expected its "
        "default, 0.3, or generated in task.mix");
  t.o.mix = "real=1,generated=2";
  CHECK(t.error() == "");
}

TEST_CASE("what depends on a key that nothing reads is not read either",
          "[core]") {
  Table t;
  t.o.name = "protonet";
  t.o.beta = 0.5;
  CHECK(t.error() ==
        "learner.inner_beta1 = 0.5 does nothing with learner.name = protonet; "
        "it is read by: maml, fomaml");
  t.s.read_anyway("learner.inner_optimizer");
  t.o.optimizer = "adam";
  CHECK(t.error() == "");
}

TEST_CASE("a key that nothing reads has the effect of its default", "[core]") {
  Table t;
  double momentum = 0.1;
  t.s.add("task.momentum", &momentum)
      .only_with("learner.inner_optimizer", {"sgd"});
  t.o.name = "protonet";
  momentum = 0.5;
  CHECK(t.error() == "");
}

TEST_CASE("a condition on a key of another table holds", "[core]") {
  double spread = 0.3;
  Settings s;
  s.add("task.spread", &spread).only_with("task.mix", {"generated"});
  spread = 1;
  CHECK(s.unread(s.at("task.spread", "")) == "");
  CHECK(s.is("task.mix", {"generated"}));
}

TEST_CASE("a key has other names, with and without its section", "[core]") {
  Table t;
  CHECK(t.s.find("n_way") == &t["task.ways"]);
  CHECK(t.s.find("task.n_way") == &t["task.ways"]);
  CHECK(t.s.find("learner.n_way") == nullptr);
  CHECK(t.s.find("ways") == nullptr);
}

TEST_CASE("an unknown name is answered with the key that was meant", "[core]") {
  Table t;
  const auto meant = [&](const char* name, const std::string& key) {
    CHECK_THROWS_WITH(t.s.at(name, "command line"),
                      concat("command line: unknown key ", name,
                             "; expected a known key, the nearest is ", key));
  };
  meant("task.wayz", "task.ways");
  meant("lerner.name", "learner.name");
  meant("learner", "learner.name");
  meant("inner_steps", "learner.inner_steps");
  meant("inner_step", "learner.inner_steps");
  meant("inner-steps", "learner.inner_steps");
  meant("inner_stps", "learner.inner_steps");
  meant("way", "task.ways");
  CHECK_THROWS_WITH(t.s.at("qqqqqqqqqqqqqqqqq", "x.ini"),
                    "x.ini: unknown key qqqqqqqqqqqqqqqqq; expected one of "
                    "those that --help all lists");
}

TEST_CASE("a table that names a key which is none is a mistake", "[core]") {
  Table t;
  CHECK_THROWS_WITH(
      t.s.read_by("learner.name", {{"new", "", "", "", {"learner.speed"}}}),
      "new reads learner.speed, which is no key");
  CHECK_THROWS_WITH(t.s.add("task.ways", &t.o.ways),
                    "the key task.ways is declared twice");
}
