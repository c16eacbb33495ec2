// Tables, pictures and JSON of results that were made by hand.
#include <cmath>

#include "protean/core/atomic_file.h"
#include "protean/evaluation/augmentation.h"
#include "protean/evaluation/per_task.h"
#include "protean/evaluation/study.h"

#include "evaluation/results.h"
#include "support/catch.h"
#include "support/temp_dir.h"

using namespace protean;

namespace {

EvalTasks unnamed(size_t count) {
  EvalTasks tasks;
  tasks.specs.resize(count);
  return tasks;
}

Study study() {
  StudyRow small, large;
  small.x = 4;
  small.name = "few";
  small.test = four_tasks();
  small.train = four_tasks();
  small.train.per_step.back().accuracy = 1;
  small.train.ci95 = 0.25;
  large.x = 16;
  large.name = "all";
  large.test = four_tasks();
  large.test.per_step.back().accuracy = 0.5;
  large.test.transductive = true;
  large.known = {40, 3, {{"this run", 3}}, "x"};
  return {"classes", {small, large}};
}

}  // namespace

TEST_CASE("a row per task: its last accuracy and loss, then each step's",
          "[evaluation]") {
  TempDir dir;
  const auto csv = dir.path() / "tasks.csv", json = dir.path() / "tasks.json";
  write_per_task(csv, four_tasks(), unnamed(4), nullptr);
  CHECK(read_file(csv) ==
        "task,accuracy,loss,accuracy_0,accuracy_1,loss_0,loss_1\n"
        "0,0.5,1,0.25,0.5,2,1\n"
        "1,1,0.25,0.5,1,1,0.25\n"
        "2,0.75,0.5,0.25,0.75,3,0.5\n"
        "3,0.75,0.75,0,0.75,2,0.75\n");
  write_per_task(json, four_tasks(), unnamed(4), nullptr);
  const auto all = nlohmann::json::parse(read_file(json));
  REQUIRE(all.size() == 4);
  CHECK(all[2] == nlohmann::json{{"task", 2},
                                 {"accuracy", 0.75},
                                 {"accuracy_per_step", {0.25, 0.75}},
                                 {"loss", 0.5},
                                 {"loss_per_step", {3, 0.5}}});
}

TEST_CASE("tasks of values have no accuracy", "[evaluation]") {
  TempDir dir;
  auto values = four_tasks();
  for (auto& step : values.per_step) step.task_accuracy.clear();
  write_per_task(dir.path() / "t.csv", values, unnamed(4), nullptr);
  const auto text = read_file(dir.path() / "t.csv");
  CHECK(text.starts_with("task,loss,loss_0,loss_1\n0,1,2,1\n"));
}

TEST_CASE("a row per domain", "[evaluation]") {
  auto turned = four_tasks();
  turned.transductive = true;
  turned.generated_shots = 3;
  CHECK(
      domains_csv({{"test", four_tasks(), false, {20, 0, {}, ""}},
                   {"a,b", turned, true, {10, 2, {{"this run", 2}}, "x"}}}) ==
      "domain,accuracy,ci95,loss,ece,ways,shots,generated_shots,queries,tasks,"
      "mode,turns,test_classes,trained_on\n"
      "test,0.75,0.125,0.625,0.0625,5,1,0,15,4,inductive,none,20,0\n"
      "\"a,b\",0.75,0.125,0.625,0.0625,5,1,3,15,4,transductive,random,10,2\n");
}

TEST_CASE("a row per run of a study, with its gap", "[evaluation]") {
  const auto text = study().to_csv();
  CHECK(
      text ==
      "classes,name,test_accuracy,test_ci95,train_accuracy,train_ci95,gap,ways,"
      "shots,queries,tasks,mode,test_classes,trained_on\n"
      "4,few,0.75,0.125,1,0.25,0.25,5,1,15,4,inductive,0,0\n"
      "16,all,0.5,0.125,,,,5,1,15,4,transductive,40,3\n");
  const auto json = study().to_json();
  CHECK(json["rows"][0]["gap"] == 0.25);
  CHECK(json["rows"][0]["train"]["accuracy"] == 1);
  CHECK(json["rows"][1]["test"]["accuracy"] == 0.5);
  CHECK_FALSE(json["rows"][1].contains("gap"));
}

TEST_CASE("a study is drawn in percent", "[evaluation]") {
  auto all = study();
  all.rows[1].train = all.rows[0].train;
  const auto plot = all.to_plot();
  CHECK(plot.x == std::vector<double>{4, 16});
  CHECK(plot.log_x);
  REQUIRE(plot.series.size() == 2);
  CHECK(plot.series[0].y == std::vector<double>{75, 50});
  CHECK(plot.series[0].error == std::vector<double>{12.5, 12.5});
  CHECK(plot.series[1].y == std::vector<double>{100, 100});
  CHECK(plot.series[1].error == std::vector<double>{25, 25});
  auto domains = study();
  domains.kind = "domains";
  CHECK_FALSE(domains.to_plot().log_x);
  CHECK(domains.to_plot().names == std::vector<std::string>{"few", "all"});
}

// 0.5, 0.75 and 1 lie 0.25, 0 and 0.25 from their mean: 0.125 over 3 - 1.
TEST_CASE("repeats of a classifier have the deviation of a sample",
          "[evaluation]") {
  AugmentationRow row{"both", 5, 10, 40, {0.5, 0.75, 1}};
  CHECK(row.mean() == 0.75);
  CHECK(row.deviation() == 0.25);
  const AugmentationStudy all{{row, {"none", 5, 10, 40, {0.5}}}};
  CHECK(all.to_csv() ==
        "shots,arm,accuracy,deviation,repeats,classes,test_images\n"
        "5,both,0.75,0.25,3,10,40\n"
        "5,none,0.5,0,1,10,40\n");
  const auto json = all.to_json()["rows"][0];
  CHECK(json["accuracy"] == 0.75);
  CHECK(json["deviation"] == 0.25);
  CHECK(json["by_repeat"] == nlohmann::json{0.5, 0.75, 1});
}
