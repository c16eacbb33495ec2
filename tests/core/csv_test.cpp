#include "protean/core/csv.h"

#include <cmath>
#include <fstream>

#include "protean/core/error.h"

#include "support/catch.h"
#include "support/temp_dir.h"

using namespace protean;

namespace {

std::vector<CsvRow> parse(const std::string& text) {
  TempDir dir;
  std::ofstream(dir.path() / "t.csv", std::ios::binary) << text;
  return read_csv(dir.path() / "t.csv");
}

std::string message_of(const std::string& text) {
  try {
    parse(text);
  } catch (const DataError& e) {
    const std::string what = e.what();
    return what.substr(what.find("t.csv"));
  }
  return "no DataError";
}

}  // namespace

TEST_CASE("rows, quotes and line ends are told apart", "[core]") {
  const auto rows = parse(
      "\xEF\xBB\xBF"
      "a, b ,\"c,\"\"d\"\"\"\r\n\n\"two\nlines\" ,,3");
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].fields == std::vector<std::string>{"a", "b", "c,\"d\""});
  CHECK(rows[0].line == 1);
  CHECK(rows[1].fields == std::vector<std::string>{"two\nlines", "", "3"});
  CHECK(rows[1].line == 3);
  CHECK(parse("").empty());
  CHECK(parse("1,2\n").size() == 1);
  CHECK(parse(",\n").at(0).fields.size() == 2);
}

TEST_CASE("a quote that does not fit is named with its line", "[core]") {
  CHECK(message_of("a\n\"b\n") == "t.csv:2: a quote is not closed");
  CHECK(message_of("a\nb,\"c\"d\n").find("t.csv:2: \"d\" after") == 0);
}

TEST_CASE("what is written reads back the same", "[core]") {
  CsvTable table;
  table.add(std::string_view("x,\"y\"\nz"));
  table.add(0.1);
  table.add(std::nan(""));
  table.add(int64_t{100000});
  table.end_row();
  const auto rows = parse(table.text());
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].fields ==
        std::vector<std::string>{"x,\"y\"\nz", "0.1", "", "100000"});
}

TEST_CASE("numbers are whole fields, and finite", "[core]") {
  double v = 0;
  CHECK(parse_csv_number("+1.5e2", v));
  CHECK(v == 150);
  for (const char* bad : {"", "1x", "nan", "inf", "1,5", "0x10", " 1"})
    CHECK_FALSE(parse_csv_number(bad, v));
}

TEST_CASE("what stands between fields is found out", "[core]") {
  CHECK(csv_separator("a,b\n1;2;3\n") == ',');
  CHECK(csv_separator("a;b\n1,5;2,5\n") == ';');
  CHECK(csv_separator("\xEF\xBB\xBF"
                      "a\tb\n") == '\t');
  CHECK(csv_separator("sep=;\na,b\n") == ';');
  CHECK(csv_separator("\"a;b;c\",d\n") == ',');
  CHECK(csv_separator("alone\n1\n") == ',');
  const auto rows = parse_csv("sep=;\na; \"b;c\" ;\n", ';', "t.csv");
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].line == 2);
  CHECK(rows[0].fields == std::vector<std::string>{"a", "b;c", ""});
  // Tabs are no blanks there.
  CHECK(parse_csv("a\t\t\"b\"\t c\n", '\t', "t.tsv").at(0).fields ==
        std::vector<std::string>{"a", "", "b", "c"});
}
