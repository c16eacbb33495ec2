#include "protean/data/table.h"

#include <functional>

#include "protean/core/error.h"
#include "protean/data/splits.h"

#include "data/fixtures.h"
#include "support/catch.h"

using namespace protean;

namespace {

struct File {
  TempDir dir;
  DataOptions options;
  explicit File(const std::string& text) {
    write_file(dir.path() / "t.csv", text);
    options.source = "table";
    options.path = (dir.path() / "t.csv").string();
  }
  // What goes wrong, from the file's name on.
  std::string message() const {
    try {
      TableDataset{options};
    } catch (const Error& e) {
      const std::string what = e.what();
      const size_t at = what.find("t.csv");
      return at == std::string::npos ? what : what.substr(at);
    }
    return "no Error";
  }
};

}  // namespace

TEST_CASE("rows are grouped by task, and features standardised", "[data]") {
  const File f(
      "task,split,a,target,b\n"
      "y,test,10,7,1\n"
      "x,train,1,0.5,3\n"
      "x,train,3,-1,3\n");
  TableDataset table(f.options);
  REQUIRE(table.classes() == 2);
  CHECK(table.class_name(0) == "x");
  CHECK(table.size(0) == 2);
  CHECK(table.size(1) == 1);
  CHECK(table.feature_names() == std::vector<std::string>{"a", "b"});
  CHECK(table.target() == TargetKind::values);
  DataOptions stored = f.options;
  stored.split = "stored";
  const Splits splits = make_splits(table, stored);
  CHECK(splits.train == std::vector<uint32_t>{0});
  CHECK(splits.test == std::vector<uint32_t>{1});
  table.standardise(splits.train);
  float row[2], value = 0;
  table.read(0, 1, row);  // a: mean 2, deviation 1; b is constant
  CHECK(row[0] == 1);
  CHECK(row[1] == 0);
  table.read(1, 0, row);
  CHECK(row[0] == 8);
  table.read_target(0, 1, nullptr, &value);
  CHECK(value == -1);
}

TEST_CASE("a target of words makes classes", "[data]") {
  File f("who,kind,u,v\np,cat,1,2\np,dog,3,4\nq,ant,5,6\n");
  f.options.group_by = "who";
  f.options.target = "kind";
  f.options.features = "v";
  const TableDataset table(f.options);
  CHECK(table.target() == TargetKind::classes);
  CHECK(table.label_names() == std::vector<std::string>{"ant", "cat", "dog"});
  int64_t label = 0;
  table.read_target(0, 1, &label, nullptr);
  CHECK(label == 2);
  CHECK(table.shape() == std::vector<int64_t>{1});
  File g("who,kind,u,v\np,1,1,2\np,2,3,4\n");
  g.options.group_by = "who";
  g.options.target = "kind,u";
  const TableDataset both(g.options);
  CHECK(both.target_size() == 2);
  float values[2];
  both.read_target(0, 1, nullptr, values);
  CHECK(values[0] == 2);
  CHECK(values[1] == 3);
}

TEST_CASE("what is wrong with a table is named by line, column and value",
          "[data]") {
  CHECK(File("task,a,target\nx,1,2\nx,two,3\n").message() ==
        "t.csv:3: column a is \"two\"; expected a number");
  CHECK(File("task,a,target\nx,1\n").message() ==
        "t.csv:2: 2 columns; expected 3 as in line 1");
  CHECK(File("task,a,target\n,1,2\n").message() ==
        "t.csv:2: column task is \"\"; expected a value");
  CHECK(File("task,a,a,target\nx,1,1,2\n").message() ==
        "t.csv:1: column \"a\" twice");
  CHECK(File("task,a,target\n").message().find("t.csv: no rows") == 0);
  CHECK(File("task,split,a,target\nx,train,1,2\nx,test,1,2\n").message() ==
        "t.csv:3: column split is \"test\"; expected train, as in the task's "
        "first row");
  CHECK(File("job,a,target\nx,1,2\n")
            .message()
            .find("t.csv has the columns job, a, target") == 0);
  File missing("task,a,y\nx,1,2\n");
  try {
    TableDataset{missing.options};
    FAIL("no Error");
  } catch (const ConfigError& e) {
    CHECK(std::string(e.what()).find("data.target = \"target\", but ") == 0);
  }
  missing.options.target = "y";
  missing.options.features = "a,y";
  CHECK(missing.message() ==
        "data.features names y, which is the task, a target or the split");
  CHECK(File("task,target\nx,1\n").message() ==
        "data.features: no column is left; expected at least one");
}
