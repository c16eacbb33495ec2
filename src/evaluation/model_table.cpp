#include "protean/evaluation/model_table.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>

#include "protean/core/csv.h"
#include "protean/core/error.h"

namespace protean {
namespace {

std::string format(const char* pattern, double a, double b = 0) {
  char text[64];
  std::snprintf(text, sizeof text, pattern, a, b);
  return text;
}

size_t best_of(const std::vector<ModelScore>& row) {
  size_t best = 0;
  for (size_t m = 1; m < row.size(); ++m)
    if (row[m].accuracy > row[best].accuracy) best = m;
  return best;
}

std::string latex_text(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (c == '_' || c == '&' || c == '%' || c == '#' || c == '$') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

std::vector<double> ranks(const std::vector<ModelScore>& scores) {
  std::vector<double> out(scores.size(), 0);
  std::vector<size_t> left(scores.size());
  for (size_t m = 0; m < left.size(); ++m) left[m] = m;
  double place = 1;
  while (!left.empty()) {
    const size_t best =
        *std::max_element(left.begin(), left.end(), [&](size_t a, size_t b) {
          return scores[a].accuracy < scores[b].accuracy;
        });
    const auto ties = [&](size_t m) {
      return scores[best].accuracy - scores[m].accuracy <=
             std::hypot(scores[best].ci95, scores[m].ci95);
    };
    const auto tied = std::count_if(left.begin(), left.end(), ties);
    for (size_t m : left)
      if (ties(m)) out[m] = place + (static_cast<double>(tied) - 1) / 2;
    std::erase_if(left, ties);
    place += static_cast<double>(tied);
  }
  return out;
}

std::vector<double> average_ranks(const ModelTable& table) {
  std::vector<double> sums(table.models.size(), 0);
  for (const auto& row : table.scores) {
    const auto own = ranks(row);
    for (size_t m = 0; m < sums.size(); ++m) sums[m] += own[m];
  }
  for (double& sum : sums) sum /= static_cast<double>(table.scores.size());
  return sums;
}

std::string to_csv(const ModelTable& table) {
  CsvTable csv;
  for (const char* column : {"source", "model", "accuracy", "ci95", "tasks",
                             "ways", "support", "queries"})
    csv.add(std::string_view(column));
  csv.end_row();
  for (size_t s = 0; s < table.sources.size(); ++s)
    for (size_t m = 0; m < table.models.size(); ++m) {
      const auto& score = table.scores[s][m];
      csv.add(table.sources[s]);
      csv.add(table.models[m]);
      csv.add(score.accuracy);
      csv.add(score.ci95);
      csv.add(score.tasks);
      for (double v : {score.ways, score.support, score.queries}) csv.add(v);
      csv.end_row();
    }
  return csv.text();
}

std::string to_markdown(const ModelTable& table) {
  std::string out = "| Source |";
  for (const auto& model : table.models) out += " " + model + " |";
  out += "\n|---|";
  for (size_t m = 0; m < table.models.size(); ++m) out += "---|";
  for (size_t s = 0; s < table.sources.size(); ++s) {
    out += "\n| " + table.sources[s] + " |";
    for (size_t m = 0; m < table.models.size(); ++m) {
      const auto& score = table.scores[s][m];
      const bool bold = m == best_of(table.scores[s]);
      out += format(bold ? " **%.1f** ± %.1f |" : " %.1f ± %.1f |",
                    100 * score.accuracy, 100 * score.ci95);
    }
  }
  out += "\n| Average rank |";
  for (double rank : average_ranks(table)) out += format(" %.2f |", rank);
  return out + "\n";
}

std::string to_latex(const ModelTable& table) {
  std::string out = "\\begin{tabular}{l" +
                    std::string(table.models.size(), 'c') +
                    "}\n\\hline\nSource";
  for (const auto& model : table.models) out += " & " + latex_text(model);
  out += " \\\\\n\\hline\n";
  for (size_t s = 0; s < table.sources.size(); ++s) {
    out += latex_text(table.sources[s]);
    for (size_t m = 0; m < table.models.size(); ++m) {
      const auto& score = table.scores[s][m];
      const bool bold = m == best_of(table.scores[s]);
      out +=
          format(bold ? " & $\\mathbf{%.1f} \\pm %.1f$" : " & $%.1f \\pm %.1f$",
                 100 * score.accuracy, 100 * score.ci95);
    }
    out += " \\\\\n";
  }
  out += "\\hline\nAverage rank";
  for (double rank : average_ranks(table)) out += format(" & %.2f", rank);
  return out + " \\\\\n\\hline\n\\end{tabular}\n";
}

void add_model(ModelTable& table, const std::filesystem::path& csv,
               const std::string& name) {
  const auto rows = read_csv(csv);
  const std::vector<std::string> head = {"source",  "model",  "accuracy",
                                         "ci95",    "tasks",  "ways",
                                         "support", "queries"};
  const auto fail = [&](int line, const std::string& cause) {
    throw DataError(concat(csv.string(), ":", line, ": ", cause));
  };
  if (rows.empty() || rows[0].fields != head)
    fail(1,
         "expected the columns source, model, accuracy, ci95, tasks, ways, "
         "support, queries");
  std::map<std::string, ModelScore> scores;
  std::string model;
  for (size_t i = 1; i < rows.size(); ++i) {
    const auto& [line, fields] = rows[i];
    if (fields.size() != head.size())
      fail(line, concat(fields.size(), " fields; expected ", head.size()));
    double values[6];
    for (size_t v = 0; v < 6; ++v)
      if (!parse_csv_number(fields[v + 2], values[v]))
        fail(line, concat(head[v + 2], " = \"", fields[v + 2],
                          "\"; expected a number"));
    if (!model.empty() && fields[1] != model)
      fail(line, concat("model ", fields[1], ", but another row has ", model,
                        "; expected one model"));
    model = fields[1];
    const ModelScore score{
        values[0], values[1], static_cast<int64_t>(values[2]),
        values[3], values[4], values[5]};
    if (!scores.emplace(fields[0], score).second)
      fail(line, concat("source ", fields[0], " comes twice"));
  }
  for (size_t s = 0; s < table.sources.size(); ++s) {
    const auto found = scores.find(table.sources[s]);
    if (found == scores.end())
      throw DataError(concat(csv.string(), ": no row of source ",
                             table.sources[s], "; expected one for each of ",
                             table.sources.size()));
    table.scores[s].push_back(found->second);
  }
  table.models.push_back(name.empty() ? model : name);
}

}  // namespace protean
