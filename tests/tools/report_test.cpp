#include "protean/tools/report.h"

#include <cmath>

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"

#include "support/catch.h"
#include "support/temp_dir.h"

using namespace protean;
namespace fs = std::filesystem;

namespace {

// A run of two logged steps and one validation, as training leaves it.
fs::path make_run(const fs::path& folder, const std::string& rate,
                  const std::string& accuracy, const std::string& ci95) {
  fs::create_directories(folder / "logs");
  const auto write = [&](const char* name, const std::string& text) {
    write_file_atomically(folder / name, text);
  };
  write("config.ini", "[learner]\nname = maml\ninner_lr = " + rate +
                          "\n[data]\nsource = <omniglot>\n");
  write("metrics.jsonl",
        "{\"step\":1,\"loss\":1.5,\"inner_s\":0.3,\"outer_s\":0.1}\n"
        "{\"step\":2,\"loss\":1.25,\"inner_s\":0.3,\"outer_s\":0.1}\n"
        "{\"step\":2,\"validation_accuracy\":" +
            accuracy + ",\"validation_ci95\":" + ci95 + "}\n{\"step\":3,\"lo");
  write("summary.json",
        "{\"steps\":2,\"theta_sha256\":\"abc\",\"tasks_by_rank\":[3,4],"
        "\"validation\":{\"accuracy\":0.5,\"per_step\":[{\"accuracy\":0.25},"
        "{\"accuracy\":0.5}]}}");
  write("logs/rank-0.log",
        "t rank 0 [info] step 2: trained\nt rank 0 [warn] disk is full\n"
        "t rank 0 [info] resuming from a, step 1\n");
  return folder;
}

bool holds(const std::string& page, const std::string& text) {
  return page.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("a run's folder is read for what it holds", "[tools]") {
  TempDir dir;
  const auto run =
      read_runs({make_run(dir.path() / "a", "0.1", "0.5", "0.03")}).front();
  CHECK(run.name == "a");
  REQUIRE(run.steps.size() == 2);  // the third line is being written
  CHECK(run.steps[1].at("loss") == 1.25);
  REQUIRE(run.validations.size() == 1);
  CHECK(run.settings.front() ==
        std::pair<std::string, std::string>("learner.name", "maml"));
  CHECK(run.events ==
        std::vector<std::string>{"t rank 0 [warn] disk is full",
                                 "t rank 0 [info] resuming from a, step 1"});
}

TEST_CASE("what is no run, or is broken, is named", "[tools]") {
  TempDir dir;
  CHECK_THROWS_AS(read_runs({dir.path()}), ConfigError);
  const auto run = make_run(dir.path() / "a", "0.1", "0.5", "0.03");
  write_file_atomically(run / "metrics.jsonl", "{\"step\":1}\nnonsense\n");
  try {
    read_runs({run});
    FAIL("no error");
  } catch (const DataError& e) {
    CHECK(holds(e.what(), "metrics.jsonl, line 2: expected a JSON object"));
  }
}

TEST_CASE("two runs are told apart by settings and by an interval", "[tools]") {
  TempDir dir;
  const auto runs =
      read_runs({make_run(dir.path() / "a", "0.1", "0.5", "0.03"),
                 make_run(dir.path() / "b", "0.2", "0.6", "0.04")});
  const auto rows = different_settings(runs);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].key == "learner.inner_lr");
  CHECK(rows[0].values == std::vector<std::string>{"0.1", "0.2"});
  const auto page = report_page(runs);
  // sqrt(3^2 + 4^2) = 5.
  CHECK(holds(page, "10.00 +- 5.00"));
  CHECK(holds(page, "60.00 % +- 4.00"));
}

TEST_CASE("runs of one folder name are told apart by their paths", "[tools]") {
  TempDir dir;
  const auto a = make_run(dir.path() / "x" / "run", "0.1", "0.5", "0.03");
  const auto b = make_run(dir.path() / "y" / "run", "0.1", "0.5", "0.03");
  const auto runs = read_runs({a, b});
  CHECK(runs[0].name == a.string());
  CHECK(runs[1].name == b.string());
}

TEST_CASE("a page loads nothing, runs nothing, and escapes what it is given",
          "[tools]") {
  TempDir dir;
  const auto page = report_page(
      read_runs({make_run(dir.path() / "a", "0.1", "0.5", "0.03")}));
  for (const char* text : {"<script", "@import", "src=\"http", "href=\"http",
                           "url(", "<omniglot>"})
    CHECK_FALSE(holds(page, text));
  CHECK(holds(page, "&lt;omniglot"));
  // 0.3 of 0.4 s are inner steps.
  CHECK(holds(page,
              "<th scope=\"row\">inner_s</th>\n<td "
              "class=\"number\">0.3</td>\n<td class=\"number\">75</td>"));
  CHECK(holds(page,
              "<th scope=\"row\">rank 1</th>\n<td "
              "class=\"number\">4</td>"));
}

TEST_CASE("a curve is thinned to means of equal stretches", "[tools]") {
  const Curve curve{{1, 2, 3, 4}, {10, 20, NAN, 40}};
  const auto thin = thinned(curve, 2);
  CHECK(thin.x == std::vector<double>{1.5, 3.5});
  CHECK(thin.y == std::vector<double>{15, 40});
  CHECK(thinned(curve, 4).x == curve.x);
}
