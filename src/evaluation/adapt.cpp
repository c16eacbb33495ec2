#include "protean/evaluation/adapt.h"

#include "protean/core/csv.h"
#include "protean/core/error.h"

#include "evaluation/adapt_task.h"

namespace protean {
namespace {

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
    size_t bad = row.fields.size(), good = 0;
    for (size_t c = row.fields.size(); c-- > 0;)
      if (parse_csv_number(row.fields[c], numbers[c]))
        ++good;
      else
        bad = c;
    if (bad != row.fields.size()) {
      if (&row == &rows.front() && good == 0) continue;  // names
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

StoredExamples split_columns(const Table& table, size_t inputs,
                             size_t targets) {
  StoredExamples out;
  for (const auto& row : table.rows)
    for (size_t c = 0; c < inputs + targets; ++c) {
      // A query without targets gets zeros, which nothing looks at.
      const double v = c < row.size() ? row[c] : 0;
      (c < inputs ? out.x : out.value).push_back(static_cast<float>(v));
    }
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
  how.filter = parse_filter(e.config.data.filter, "data.filter");
  how.fit = parse_fit(e.config.data.fit, "data.fit");
  how.ink = e.tasks.examples->ink();
  how.invert = invert(e, images, ink);
  StoredTask task;
  task.shape = shape;
  task.shape.ways = static_cast<uint32_t>(images.classes.size());
  task.shape.support = static_cast<uint32_t>(images.support.size());
  task.shape.query = static_cast<uint32_t>(images.query.size());
  auto out = answer_of(e, images.support.size());
  out.classes = images.classes;
  std::vector<std::string> known, asked;
  for (const auto& i : images.support) {
    prepare(i.image, how, task.support.x);
    task.support.label.push_back(i.label);
    known.push_back(i.name);
  }
  for (const auto& i : images.query) {
    prepare(i.image, how, task.query.x);
    task.query.label.push_back(0);  // nothing looks at it
    asked.push_back(i.name);
    out.rows.push_back({i.name, {}, -1, i.label, {}});
  }
  check_blank("--support", known, task.support.x);
  check_blank("--query", asked, task.query.x);
  choose_classes(e, predict_task(e, meta, std::move(task), "--support"), out);
  return out;
}

Predictions adapt_values(const Experiment& e, const MetaView& meta,
                         const std::filesystem::path& support,
                         const std::filesystem::path& query) {
  const auto& shape = e.tasks.train_shape;
  if (shape.target != TargetKind::values)
    throw ConfigError(
        "--support is a file, but the run was trained on classes of images; "
        "expected a folder of images with one folder per class");
  const auto inputs = static_cast<size_t>(values_of(shape.input));
  const auto targets = static_cast<size_t>(shape.target_size);
  const Table known = read_numbers(support), asked = read_numbers(query);
  require_columns(support, known, inputs, targets, /*may_lack=*/false);
  require_columns(query, asked, inputs, targets, /*may_lack=*/true);
  StoredTask task;
  task.shape = shape;
  task.shape.support = static_cast<uint32_t>(known.rows.size());
  task.shape.query = static_cast<uint32_t>(asked.rows.size());
  task.support = split_columns(known, inputs, targets);
  task.query = split_columns(asked, inputs, targets);
  const auto prediction =
      predict_task(e, meta, std::move(task), "--support").contiguous();

  auto out = answer_of(e, known.rows.size());
  out.lines = true;
  for (size_t i = 0; i < asked.rows.size(); ++i) {
    const double* begin = prediction.const_data_ptr<double>() + i * targets;
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

}  // namespace protean
