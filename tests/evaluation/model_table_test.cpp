#include "protean/evaluation/model_table.h"

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"

#include "support/catch.h"
#include "support/temp_dir.h"

using namespace protean;

namespace {

ModelTable two_by_two() {
  ModelTable table;
  table.models = {"maml_a", "protonet"};
  table.sources = {"dtd", "traffic_sign"};
  // Told apart on dtd; 2 points apart on traffic_sign, where sqrt(1.5^2 +
  // 1.5^2) = 2.12 points are not.
  table.scores = {
      {{0.5, 0.01, 600, 6, 100, 60}, {0.6, 0.01, 600, 6, 100, 60}},
      {{0.72, 0.015, 600, 20, 300, 200}, {0.70, 0.015, 600, 20, 300, 200}}};
  return table;
}

std::vector<ModelScore> scores(const std::vector<double>& percent,
                               double ci = 0.01) {
  std::vector<ModelScore> out;
  for (double p : percent) out.push_back({p / 100, ci});
  return out;
}

}  // namespace

TEST_CASE("models that cannot be told apart share a rank", "[evaluation]") {
  CHECK(ranks(scores({60.0, 59.2, 58.4, 50.0})) ==
        std::vector<double>{1.5, 1.5, 3, 4});
  CHECK(ranks(scores({50, 60, 70})) == std::vector<double>{3, 2, 1});
  // Each ties with the best one only, not with its neighbour.
  CHECK(ranks(scores({60, 59, 58, 57})) ==
        std::vector<double>{1.5, 1.5, 3.5, 3.5});
  CHECK(ranks(scores({60, 60, 60})) == std::vector<double>{2, 2, 2});
  CHECK(ranks(scores({42})) == std::vector<double>{1});
}

TEST_CASE("average ranks are over data sets", "[evaluation]") {
  CHECK(average_ranks(two_by_two()) == std::vector<double>{1.75, 1.25});
}

TEST_CASE("tables as Markdown and LaTeX", "[evaluation]") {
  CHECK(to_markdown(two_by_two()) ==
        "| Source | maml_a | protonet |\n"
        "|---|---|---|\n"
        "| dtd | 50.0 ± 1.0 | **60.0** ± 1.0 |\n"
        "| traffic_sign | **72.0** ± 1.5 | 70.0 ± 1.5 |\n"
        "| Average rank | 1.75 | 1.25 |\n");
  CHECK(to_latex(two_by_two()) ==
        "\\begin{tabular}{lcc}\n\\hline\n"
        "Source & maml\\_a & protonet \\\\\n\\hline\n"
        "dtd & $50.0 \\pm 1.0$ & $\\mathbf{60.0} \\pm 1.0$ \\\\\n"
        "traffic\\_sign & $\\mathbf{72.0} \\pm 1.5$ & $70.0 \\pm 1.5$ \\\\\n"
        "\\hline\nAverage rank & 1.75 & 1.25 \\\\\n\\hline\n\\end{tabular}\n");
}

TEST_CASE("a model's CSV joins another's table", "[evaluation]") {
  TempDir dir;
  const auto file = dir.path() / "a.csv";
  auto one = two_by_two();
  one.models.pop_back();
  for (auto& row : one.scores) row.pop_back();
  write_file_atomically(file, to_csv(one));
  auto table = one;
  add_model(table, file, "");
  add_model(table, file, "again");
  CHECK(table.models == std::vector<std::string>{"maml_a", "maml_a", "again"});
  CHECK(table.scores[1][2].accuracy == 0.72);
  CHECK(table.scores[1][2].support == 300);
  const auto error = [&](const std::string& text) -> std::string {
    write_file_atomically(file, text);
    try {
      add_model(table, file, "");
    } catch (const DataError& e) {
      return e.what();
    }
    return "no DataError";
  };
  const std::string head =
      "source,model,accuracy,ci95,tasks,ways,support,queries\n";
  CHECK(error("name\n") ==
        file.string() +
            ":1: expected the columns source, model, accuracy, "
            "ci95, tasks, ways, support, queries");
  CHECK(error(head + "dtd,a,much,0,1,1,1,1\n") ==
        file.string() + ":2: accuracy = \"much\"; expected a number");
  CHECK(error(head + "dtd,a,0.5,0,1,1,1,1\ndtd,a,0.5,0,1,1,1,1\n") ==
        file.string() + ":3: source dtd comes twice");
  CHECK(error(head + "dtd,a,0.5,0,1,1,1,1\n") ==
        file.string() +
            ": no row of source traffic_sign; expected one for each of 2");
}
