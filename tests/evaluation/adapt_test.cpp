// Predictions made by hand, and a user's images.
#include "protean/evaluation/adapt.h"

#include <cmath>
#include <fstream>

#include "protean/core/error.h"

#include "support/catch.h"
#include "support/temp_dir.h"

using namespace protean;

namespace {

namespace fs = std::filesystem;

// Two of three are right among those whose label is known.
Predictions of_classes() {
  Predictions p;
  p.classes = {"cat", "dog"};
  p.rows = {{"1.png", {0.75, 0.25}, 0, -1, {}},
            {"cat/2.png", {0.25, 0.75}, 1, 0, {}},
            {"dog/3.png", {0.125, 0.875}, 1, 1, {}},
            {"cat/4.png", {0.625, 0.375}, 0, 0, {}}};
  p.support = 6;
  p.steps = 2;
  return p;
}

void draw(const fs::path& file, uint8_t grey) {
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary)
      << encode_png({2, 2, 1, std::vector<uint8_t>(4, grey)});
}

}  // namespace

TEST_CASE("the accuracy is that of the labels that are known", "[evaluation]") {
  CHECK(of_classes().accuracy() == Approx(2.0 / 3));
  auto unknown = of_classes();
  for (auto& row : unknown.rows) row.label = -1;
  CHECK(std::isnan(unknown.accuracy()));
  CHECK(unknown.to_json()["accuracy"].is_null());
}

TEST_CASE("a prediction has its class's probability", "[evaluation]") {
  CHECK(of_classes().to_csv() ==
        "file,class,true,probability,cat,dog\n"
        "1.png,cat,,0.75,0.75,0.25\n"
        "cat/2.png,dog,cat,0.75,0.25,0.75\n"
        "dog/3.png,dog,dog,0.875,0.125,0.875\n"
        "cat/4.png,cat,cat,0.625,0.625,0.375\n");
  auto unknown = of_classes();
  for (auto& row : unknown.rows) row.label = -1;
  CHECK(unknown.to_csv().substr(0, 35) ==
        "file,class,probability,cat,dog\n1.pn");
  const auto json = of_classes().to_json();
  CHECK(json["support"] == 6);
  CHECK(json["queries"] == 4);
  CHECK(json["inner_steps"] == 2);
  CHECK(json["predictions"][1]["class"] == "dog");
  CHECK(json["predictions"][1]["true"] == "cat");
  CHECK_FALSE(json["predictions"][0].contains("true"));
  CHECK(json["predictions"][1]["probability"] == 0.75);
  CHECK(json["predictions"][1]["probabilities"]["cat"] == 0.25);
}

// Two targets of the first row, one of the second, none of the third: 0.25, 1
// and 4 over three.
TEST_CASE("the squared error is over targets that are known", "[evaluation]") {
  Predictions p;
  p.rows = {{"1", {1, 2}, -1, -1, {1.5, 1}},
            {"2", {3, 4}, -1, -1, {5}},
            {"3", {5, 6}, -1, -1, {}}};
  CHECK(p.mean_squared_error() == Approx(5.25 / 3));
  p.lines = true;
  CHECK(p.to_csv() == "line,prediction_1,prediction_2\n1,1,2\n2,3,4\n3,5,6\n");
  CHECK(p.to_json()["predictions"][1]["prediction"] == nlohmann::json{3, 4});
  p.targets = {"height", "weight"};
  CHECK(p.to_csv().substr(0, 41) ==
        "line,prediction_height,prediction_weight\n");
}

// Errors 1, -2 and 0 of targets 2, 6 and 4: squares 5, about their mean 8.
TEST_CASE("errors are in the target's unit, over rows that are known",
          "[evaluation]") {
  Predictions p;
  p.rows = {{"2", {3, 1}, -1, -1, {2, 1}},
            {"3", {4, 1}, -1, -1, {6, 1}},
            {"4", {9, 9}, -1, -1, {}},
            {"5", {4, 2}, -1, -1, {4, 1}}};
  p.targets = {"height", "weight"};
  const auto e = p.errors(0);
  CHECK(e.target == "height");
  CHECK(e.rows == 3);
  CHECK(e.rmse == Approx(std::sqrt(5.0 / 3)));
  CHECK(e.mae == 1);
  CHECK(e.r2 == Approx(1 - 5.0 / 8));
  // All targets equal: there is nothing to explain.
  CHECK(p.errors(1).mae == Approx(1.0 / 3));
  CHECK(std::isnan(p.errors(1).r2));
  const auto json = p.to_json();
  CHECK(json["errors"][0]["target"] == "height");
  CHECK(json["errors"][0]["mae"] == 1);
  CHECK(json["errors"][1]["r2"].is_null());
  for (auto& row : p.rows) row.target.clear();
  CHECK(p.errors(0).rows == 0);
  CHECK(std::isnan(p.errors(0).rmse));
}

TEST_CASE("what was taken for what is counted", "[evaluation]") {
  CHECK(of_classes().confusion() ==
        std::vector<std::vector<int64_t>>{{1, 1}, {0, 1}});
  CHECK(of_classes().to_json()["confusion"][0] == nlohmann::json{1, 1});
  auto unknown = of_classes();
  for (auto& row : unknown.rows) row.label = -1;
  CHECK(unknown.confusion().empty());
  CHECK_FALSE(unknown.to_json().contains("confusion"));
}

TEST_CASE("queries have the label of their folder, others none",
          "[evaluation]") {
  TempDir dir;
  const auto support = dir.path() / "support", query = dir.path() / "query";
  draw(support / "cat" / "a.png", 10);
  draw(support / "dog" / "b.png", 20);
  draw(query / "loose.png", 30);
  draw(query / "dog" / "c.png", 40);
  const auto images = read_user_images(support, query);
  CHECK(images.classes == std::vector<std::string>{"cat", "dog"});
  REQUIRE(images.support.size() == 2);
  CHECK(images.support[1].label == 1);
  CHECK(images.support[1].image.pixels[0] == 20);
  REQUIRE(images.query.size() == 2);
  CHECK(images.query[0].name == "loose.png");
  CHECK(images.query[0].label == -1);
  CHECK(images.query[1].name == "dog/c.png");
  CHECK(images.query[1].label == 1);
}

TEST_CASE("an image becomes values from 0 to 1, or what is left of 1",
          "[evaluation]") {
  const Image image{2, 2, 1, {0, 255, 51, 102}};
  std::vector<float> plain, inverted;
  prepare(image, {.shape = {1, 2, 2}}, plain);
  prepare(image, {.shape = {1, 2, 2}, .invert = true}, inverted);
  REQUIRE(plain.size() == 4);
  const std::vector<double> expected = {0, 1, 0.2, 0.4};
  for (size_t i = 0; i < 4; ++i) {
    CHECK(plain[i] == Approx(expected[i]));
    CHECK(inverted[i] == Approx(1 - expected[i]));
  }
}
