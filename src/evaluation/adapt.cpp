#include "protean/evaluation/adapt.h"

#include <cmath>
#include <limits>

#include "protean/core/csv.h"
#include "protean/core/error.h"
#include "protean/data/table.h"
#include "protean/evaluation/predict_task.h"
#include "protean/trainer/evaluate.h"

namespace protean {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

int64_t values_of(const std::vector<int64_t>& shape) {
  int64_t n = 1;
  for (int64_t d : shape) n *= d;
  return n;
}

bool invert(const Experiment& e, const UserImages& images, Ink ink) {
  if (!e.tasks.examples->ink()) {
    if (ink != Ink::automatic)
      throw ConfigError(
          "--ink is for runs that were trained on ink (Omniglot); this one "
          "takes images as they are");
    return false;
  }
  std::vector<const Image*> all;
  for (const auto* part : {&images.support, &images.query})
    for (const auto& i : *part) all.push_back(&i.image);
  return dark_ink(ink, all);
}

// Rows of numbers with the column counts that a regression run takes.
struct Table {
  std::vector<std::vector<double>> rows;
  std::vector<int> lines;
  size_t columns = 0;
};

Table read_numbers(const std::filesystem::path& path) {
  Table table;
  const auto rows = read_csv(path);
  for (const auto& row : rows) {
    std::vector<double> numbers(row.fields.size());
    size_t bad = row.fields.size();
    for (size_t c = row.fields.size(); c-- > 0;)
      if (!parse_csv_number(row.fields[c], numbers[c])) bad = c;
    if (bad != row.fields.size()) {
      if (&row == &rows.front()) continue;  // names
      throw DataError(concat(path.string(), ":", row.line, ": column ", bad + 1,
                             " is \"", row.fields[bad],
                             "\"; expected a number"));
    }
    if (table.rows.empty()) table.columns = numbers.size();
    if (numbers.size() != table.columns)
      throw DataError(concat(path.string(), ":", row.line, ": ", numbers.size(),
                             " columns; expected ", table.columns,
                             " as in line ", table.lines[0]));
    table.rows.push_back(std::move(numbers));
    table.lines.push_back(row.line);
  }
  if (table.rows.empty())
    throw DataError(
        concat(path.string(), ": no row of numbers; expected at least one"));
  return table;
}

// `like` says how the run's own features were standardised.
StoredExamples split_columns(const Table& table, size_t inputs, size_t targets,
                             const TableDataset* like) {
  StoredExamples out;
  for (const auto& row : table.rows)
    for (size_t c = 0; c < inputs + targets; ++c) {
      // A query without targets gets zeros, which nothing looks at.
      const double v = c < row.size() ? row[c] : 0;
      (c < inputs ? out.x : out.value).push_back(static_cast<float>(v));
    }
  for (size_t row = 0; like && row < table.rows.size(); ++row)
    like->standardise_row(out.x.data() + row * inputs);
  return out;
}

void require_columns(const std::filesystem::path& path, const Table& table,
                     size_t inputs, size_t targets, bool may_lack) {
  if (table.columns == inputs + targets) return;
  if (may_lack && table.columns == inputs) return;
  throw DataError(concat(path.string(), ": ", table.columns,
                         " columns; expected ", inputs, " of input",
                         may_lack ? ", or these" : "", " and ", targets,
                         " of target"));
}

}  // namespace

Predictions adapt_images(const Experiment& e, const MetaView& meta,
                         const UserImages& images, Ink ink) {
  const auto& shape = e.tasks.train_shape;
  if (shape.target != TargetKind::classes || shape.input.size() != 3)
    throw ConfigError(
        "--support is a folder, but the run was not trained on images; "
        "expected CSV files");
  ImagePreparation how;
  how.shape = shape.input;
  how.filter = e.tasks.examples->ink()
                   ? Filter::nearest
                   : parse_filter(e.config.data.filter, "data.filter");
  how.invert = invert(e, images, ink);
  StoredTask task;
  task.shape = shape;
  task.shape.ways = static_cast<uint32_t>(images.classes.size());
  task.shape.support = static_cast<uint32_t>(images.support.size());
  task.shape.query = static_cast<uint32_t>(images.query.size());
  for (const auto& i : images.support) {
    prepare(i.image, how, task.support.x);
    task.support.label.push_back(i.label);
  }
  for (const auto& i : images.query) {
    prepare(i.image, how, task.query.x);
    task.query.label.push_back(0);  // nothing looks at it
  }
  // A head may have more outputs than there are classes here.
  const auto ways = static_cast<int64_t>(images.classes.size());
  const auto probability = predict_task(e, meta, std::move(task), "--support")
                               .narrow(1, 0, ways)
                               .softmax(1);

  Predictions out;
  out.classes = images.classes;
  out.support = static_cast<int64_t>(images.support.size());
  out.steps = e.learner->eval_steps();
  out.transductive = e.learner->transductive();
  out.probabilities = gives_probabilities(e);
  for (size_t i = 0; i < images.query.size(); ++i) {
    const auto p = probability[static_cast<int64_t>(i)].contiguous();
    const double* begin = p.data_ptr<double>();
    std::vector<double> values(begin, begin + ways);
    if (!out.probabilities) values.assign(values.size(), kNone);
    out.rows.push_back({images.query[i].name,
                        std::move(values),
                        p.argmax().item<int64_t>(),
                        images.query[i].label,
                        {}});
  }
  return out;
}

Predictions adapt_values(const Experiment& e, const MetaView& meta,
                         const std::filesystem::path& support,
                         const std::filesystem::path& query) {
  const auto& shape = e.tasks.train_shape;
  if (shape.target != TargetKind::values)
    throw ConfigError(
        "--support is a file, but the run was trained on classes, not on "
        "values; expected a folder of images with one folder per class");
  const auto inputs = static_cast<size_t>(values_of(shape.input));
  const auto targets = static_cast<size_t>(shape.target_size);
  const Table known = read_numbers(support), asked = read_numbers(query);
  require_columns(support, known, inputs, targets, /*may_lack=*/false);
  require_columns(query, asked, inputs, targets, /*may_lack=*/true);
  StoredTask task;
  task.shape = shape;
  task.shape.support = static_cast<uint32_t>(known.rows.size());
  task.shape.query = static_cast<uint32_t>(asked.rows.size());
  const auto* like = dynamic_cast<const TableDataset*>(e.tasks.examples.get());
  task.support = split_columns(known, inputs, targets, like);
  task.query = split_columns(asked, inputs, targets, like);
  const auto prediction =
      predict_task(e, meta, std::move(task), "--support").contiguous();

  Predictions out;
  out.support = static_cast<int64_t>(known.rows.size());
  out.steps = e.learner->eval_steps();
  out.transductive = e.learner->transductive();
  for (size_t i = 0; i < asked.rows.size(); ++i) {
    const double* begin = prediction.data_ptr<double>() + i * targets;
    const auto& row = asked.rows[i];
    out.rows.push_back(
        {concat(asked.lines[i]),
         {begin, begin + targets},
         -1,
         -1,
         {row.begin() + static_cast<std::ptrdiff_t>(inputs), row.end()}});
  }
  return out;
}

double Predictions::accuracy() const {
  double right = 0, known = 0;
  for (const auto& row : rows) {
    if (row.label < 0) continue;
    ++known;
    right += row.label == row.choice;
  }
  return known > 0 ? right / known : kNone;
}

double Predictions::mean_squared_error() const {
  double squares = 0, known = 0;
  for (const auto& row : rows)
    for (size_t i = 0; i < row.target.size(); ++i, ++known)
      squares += std::pow(row.values[i] - row.target[i], 2);
  return known > 0 ? squares / known : kNone;
}

std::string Predictions::to_csv() const {
  CsvTable csv;
  if (classes.empty()) {
    csv.add("line");
    for (size_t i = 0; i < rows.front().values.size(); ++i)
      csv.add(concat("prediction_", i + 1));
  } else {
    csv.add("file");
    csv.add("class");
    csv.add("probability");
    for (const auto& name : classes) csv.add(name);
  }
  csv.end_row();
  for (const auto& row : rows) {
    csv.add(row.name);
    if (!classes.empty()) {
      csv.add(classes[static_cast<size_t>(row.choice)]);
      csv.add(row.values[static_cast<size_t>(row.choice)]);
    }
    for (double v : row.values) csv.add(v);
    csv.end_row();
  }
  return csv.text();
}

nlohmann::json Predictions::to_json() const {
  const auto number = [](double v) {
    return std::isfinite(v) ? nlohmann::json(v) : nlohmann::json();
  };
  nlohmann::json json = {{"support", support},
                         {"queries", rows.size()},
                         {"inner_steps", steps},
                         {"mode", transductive ? "transductive" : "inductive"},
                         {"predictions", nlohmann::json::array()}};
  if (classes.empty()) {
    json["loss"] = number(mean_squared_error());
  } else {
    json["classes"] = classes;
    json["accuracy"] = number(accuracy());
  }
  for (const auto& row : rows) {
    nlohmann::json one;
    if (classes.empty()) {
      one = {{"line", std::stoi(row.name)}, {"prediction", row.values}};
    } else {
      one = {
          {"file", row.name},
          {"class", classes[static_cast<size_t>(row.choice)]},
          {"probability", number(row.values[static_cast<size_t>(row.choice)])}};
      for (size_t c = 0; c < classes.size(); ++c)
        one["probabilities"][classes[c]] = number(row.values[c]);
    }
    json["predictions"].push_back(std::move(one));
  }
  return json;
}

}  // namespace protean
