#include "protean/data/table.h"

#include <functional>

#include "protean/core/error.h"
#include "protean/data/splits.h"
#include "protean/data/stored_data.h"

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
  // Targets 0.5 and -1: mean -0.25, deviation 0.75.
  table.read_target(0, 1, nullptr, &value);
  CHECK(value == -1);
  table.read_target(1, 0, nullptr, &value);
  CHECK(value == Approx(7.25 / 0.75));
  CHECK(table.form().target_value(0, value) == Approx(7));
  CHECK(table.form().target_value(0, 0) == -0.25);
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
  CHECK(File("a,1,2\nx,1,2\n").message() ==
        "t.csv:1: holds values, such as \"1\"; expected a line of column "
        "names above them");
  CHECK(File("\xFF\xFEt\0").message().find("t.csv: is UTF-16") == 0);
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

namespace {

// 40 rows of the task x with these targets in turn, and a feature.
std::string with_targets(const std::vector<std::string>& targets) {
  std::string text = "task,a,target\n";
  for (size_t i = 0; i < 40; ++i)
    text += concat("x,", i, ",", targets[i % targets.size()], "\n");
  return text;
}

std::vector<std::string> labels(const std::string& text,
                                const std::string& kind = "auto") {
  File f(text);
  f.options.target_kind = kind;
  return TableDataset(f.options).label_names();
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("a few whole numbers, each in many rows, are labels", "[data]") {
  CHECK(labels(with_targets({"0", "1", "2"})) == Texts{"0", "1", "2"});
  CHECK(labels(with_targets({"1.0", "2", "2.0", "1"})) == Texts{"1", "2"});
  CHECK(labels(with_targets({"0", "1"}), "number").empty());
  // Neither from 0 or 1 on, nor without gaps, nor many of each.
  CHECK(labels(with_targets({"2", "3"})).empty());
  CHECK(labels(with_targets({"0", "2"})).empty());
  CHECK(labels(with_targets({"0", "1", "2", "3", "4"})).empty());
  CHECK(labels(with_targets({"0.5", "1"})).empty());
  CHECK(labels(with_targets({"7"})).empty());
  // As labels they are told apart by value, and in its order.
  CHECK(labels(with_targets({"10", "9", "-3.5"}), "class") ==
        Texts{"-3.5", "9", "10"});
  CHECK(labels(with_targets({"10", "9", "b"}), "class") ==
        Texts{"10", "9", "b"});
}

TEST_CASE("one bad cell makes no labels", "[data]") {
  for (const char* bad : {"NaN", "inf", "\"1,234.5\"", "n/a"}) {
    std::string text = with_targets({"1.5", "2.5", "-3", "4"});
    text += concat("x,41,", bad, "\n");
    const std::string cell = bad[0] == '"' ? "1,234.5" : bad;
    CHECK(File(text).message() ==
          concat("t.csv:42: column target is \"", cell,
                 "\"; expected a number, as in 40 of 41 rows "
                 "(data.target_kind = class takes them for labels)"));
    File f(text);
    f.options.target_kind = "number";
    CHECK(f.message() == concat("t.csv:42: column target is \"", cell,
                                "\"; expected a number"));
  }
  CHECK(File(with_targets({"a", "b", "NaN"})).message() ==
        "t.csv:4: column target is \"NaN\"; expected a label");
  CHECK(File(with_targets({"a", ""})).message() ==
        "t.csv:3: column target is \"\"; expected a value");
  File f(with_targets({"a", "b"}));
  f.options.target_kind = "number";
  CHECK(f.message() == "t.csv:2: column target is \"a\"; expected a number");
  f.options.target_kind = "words";
  CHECK(f.message() ==
        "data.target_kind = \"words\"; expected one of: auto, number, class");
}

TEST_CASE("other separators and decimal commas are recognised", "[data]") {
  const std::vector<std::string> same = {
      "task,a,target\nx,0.5,1.25\nx,1.5,3\n",
      "task;a;target\nx;0,5;1,25\nx;1,5;3\n",
      "sep=;\ntask;a;target\nx;0.5;1.25\nx;1.5;3\n",
      "task\ta\ttarget\nx\t0.5\t1.25\nx\t1.5\t3\n",
      "task,a,target\nx,\"0,5\",\"1,25\"\nx,\"1,5\",3\n",
      "task,a,target\rx,0.5,1.25\rx,1.5,3\r",
      ",task,a,target,\n0,x,0.5,1.25,\n1,x,1.5,3,\n",
      "Unnamed: 0,task,a,target\n0,x,0.5,1.25\n1,x,1.5,3\n"};
  for (const auto& text : same) {
    INFO(text);
    TableDataset table(File(text).options);
    CHECK(table.feature_names() == Texts{"a"});
    float row = 0, value = 0;
    table.read(0, 0, &row);
    table.read_target(0, 0, nullptr, &value);
    CHECK(row == 0.5f);
    CHECK(value == 1.25f);
  }
  CHECK_THAT(TableDataset(File(same[1]).options).summary(),
             contains("semicolons between columns, decimal commas"));
  CHECK_THAT(TableDataset(File(same[6]).options).summary(),
             contains("column 1 has no name and is left out, column 5 has no "
                      "name and is left out"));
  // A comma that may stand between thousands decides nothing.
  CHECK(File("task;a;target\nx;1,234;2\n").message() ==
        "t.csv:2: column a is \"1,234\"; expected a number");
  CHECK(File("task;a;target\nx;0,5;2.5\n").message() ==
        "t.csv:2: column a is \"0,5\"; expected a number");
}

TEST_CASE("features far from zero keep their digits", "[data]") {
  const auto rows = [](double offset) {
    std::string text = "task,t,target\n";
    for (int i = 0; i < 50; ++i)
      text += concat("x,", std::to_string(offset + i), ",", i, ".5\n");
    TableDataset table(File(text).options);
    table.standardise(std::vector<uint32_t>{0});
    std::vector<float> out(50);
    for (uint32_t i = 0; i < 50; ++i) table.read(0, i, &out[i]);
    return out;
  };
  const auto near = rows(0), seconds = rows(1760000000), ms = rows(1.76e12);
  for (size_t i = 0; i < 50; ++i) {
    CHECK(seconds[i] == Approx(near[i]).margin(1e-6));
    CHECK(ms[i] == Approx(near[i]).margin(1e-6));
  }
}

TEST_CASE("a form comes back from its text, and reads alike", "[data]") {
  TableDataset table(
      File("task,a,b,target\nx,1,2,3.5\nx,2,2,4.5\ny,9,9,1\n").options);
  table.standardise(std::vector<uint32_t>{0});
  const auto form = table.form();
  CHECK(table_form_of(nlohmann::json::parse(to_json(form).dump())) == form);
  CHECK(form.mean == std::vector<double>{1.5, 2});
  CHECK(form.deviation == std::vector<double>{0.5, 0});
  CHECK(form.feature(0, 3) == 3);
  CHECK(form.feature(1, 3) == 0);
  CHECK(form.target(0, 5) == 2);
  // Of another table with the same columns, and of none.
  auto stored = std::make_shared<StoredData>();
  stored->fitted = table.fitted();
  stored->use = UseStored::values;
  const File more("z,task,b,a,target\n9,z,7,3,5\n");
  auto options = more.options;
  options.stored = stored;
  TableDataset other(options);
  CHECK(other.feature_names() == Texts{"a", "b"});
  other.standardise(std::vector<uint32_t>{0});
  float x[2], value = 0;
  other.read(0, 0, x);
  other.read_target(0, 0, nullptr, &value);
  CHECK(x[0] == 3);
  CHECK(value == 2);
  stored->use = UseStored::nothing;
  CHECK(TableDataset(options).form() == form);
  CHECK(TableDataset(options).shape() == std::vector<int64_t>{2});
}
