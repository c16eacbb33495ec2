#include "protean/core/ini.h"

#include "protean/core/error.h"

#include "support/catch.h"

using namespace protean;

namespace {

std::string value_of(const std::string& text) {
  const auto values = parse_ini("[a]\nkey = " + text + "\n", "x.ini");
  REQUIRE(values.size() == 1);
  CHECK(values[0].key == "a.key");
  return values[0].value;
}

}  // namespace

TEST_CASE("an INI file gives its keys, values and lines", "[core]") {
  const auto values = parse_ini(
      "\xEF\xBB\xBF# first\r\noptim.lr = 0.1\r\n[task]\r\nways=20\r\n\r\n"
      "  ; second\r\n  shots  =  1 # one\r\n[data] # third\r\npath =\r\n"
      "[task]\r\nqueries = 15",
      "x.ini");
  REQUIRE(values.size() == 5);
  const auto is = [&](size_t i, const char* key, const char* value, int line) {
    CHECK(values[i].key == key);
    CHECK(values[i].value == value);
    CHECK(values[i].line == line);
  };
  is(0, "optim.lr", "0.1", 2);
  is(1, "task.ways", "20", 4);
  is(2, "task.shots", "1", 7);
  is(3, "data.path", "", 9);
  is(4, "task.queries", "15", 11);
}

TEST_CASE("a comment begins at a line or behind a blank, not in a value",
          "[core]") {
  CHECK(value_of("a#b") == "a#b");
  CHECK(value_of("a#b #c") == "a#b");
  CHECK(value_of("#all") == "");
  CHECK(value_of("a;b\t; c") == "a;b");
  CHECK(value_of("real=1,generated=3") == "real=1,generated=3");
  CHECK(value_of("\"a # b\" # c") == "a # b");
  CHECK(value_of("say \"hi\"") == "say \"hi\"");
  CHECK(value_of(R"("tab\t quote\" back\\ line\n")") ==
        "tab\t quote\" back\\ line\n");
}

TEST_CASE("every string that is written reads back", "[core]") {
  for (const std::string value :
       {"",           "plain",      "a b",
        " ends ",     "\tends\t",   "a#b",
        "a #b",       "#a",         "# a",
        ";a",         "a ; b",      "a=b",
        "=",          "\"",         "\"quoted\"",
        "half\"",     "C:\\n\\t",   "\\",
        "two\nlines", "cr\rlf\r\n", "\xC3\xA9\xE5\xAD\x97 \xF0\x9F\x98\x80",
        "[section]",  "a\t#b",      "[",
        " ",          "true"}) {
    INFO(value);
    const auto text = write_ini({{"data.path", value}, {"run.dir", "after"}});
    const auto back = parse_ini(text, "x.ini");
    REQUIRE(back.size() == 2);
    CHECK(back[0].key == "data.path");
    CHECK(back[0].value == value);
    CHECK(back[1].value == "after");
  }
}

TEST_CASE("what needs no quotes is written without", "[core]") {
  CHECK(
      write_ini({{"run.dir", "a/b#c"}, {"run.seed", "1"}, {"data.path", ""}}) ==
      "[run]\ndir = a/b#c\nseed = 1\n\n[data]\npath = \n");
}

TEST_CASE("what is wrong in an INI file is named with its line", "[core]") {
  const auto refused = [](const std::string& text, const std::string& message) {
    INFO(text);
    CHECK_THROWS_WITH(parse_ini(text, "x.ini"), message);
    CHECK_THROWS_AS(parse_ini(text, "x.ini"), ConfigError);
  };
  refused("[task]\nways, please\n",
          "x.ini:2: 'ways, please'; expected key = value or [section]");
  refused("= 3", "x.ini:1: '= 3'; expected key = value or [section]");
  refused("[task\nways = 3", "x.ini:1: '[task'; expected [section]");
  refused("[]", "x.ini:1: []; expected [section]");
  refused("[task]\nways = 5\n\n[task]\nways = 20\n",
          "x.ini:5: task.ways = 20, but line 2 gives it as 5; expected one of "
          "the two");
  refused("task.ways = 5\n[task]\nways = 5\n",
          "x.ini:3: task.ways = 5, but line 1 gives it as 5; expected one of "
          "the two");
  refused("a.b = \"open", "x.ini:1: '\"open'; expected a closing quote");
  refused("a.b = \"shut\" too",
          "x.ini:1: 'too' after the closing quote; expected the end of the "
          "line");
  refused(R"(a.b = "\x")",
          R"(x.ini:1: '\x' in quotes; expected one of: \" \\ \n \r \t)");
  CHECK_THROWS_WITH(read_ini("/nosuch.ini"),
                    "/nosuch.ini: cannot be read; expected an INI file");
  CHECK_THROWS_WITH(read_ini("/tmp"),
                    "/tmp: cannot be read; expected an INI file");
}
