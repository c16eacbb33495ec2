// Rows of a user's tables, by the names of their columns.
#include <algorithm>

#include "protean/core/error.h"
#include "protean/core/log.h"
#include "protean/data/table.h"
#include "protean/data/table_file.h"
#include "protean/evaluation/adapt.h"

#include "evaluation/adapt_task.h"

namespace protean {
namespace {

std::string listed(const std::vector<std::string>& names) {
  std::string all;
  for (const auto& name : names) all += concat(all.empty() ? "" : ", ", name);
  return all;
}

// A file whose columns are found by the run's names for them.
struct Rows {
  TableFile file;
  std::vector<size_t> features, targets;  // targets: all of them, or none
  std::string task;  // what its column says, where it has one

  // may_lack: the targets may be missing.
  Rows(const std::filesystem::path& path, const TableForm& form, bool may_lack)
      : file(path) {
    std::vector<std::string> missing, left;
    for (const auto& name : form.features) take(name, features, missing);
    std::vector<std::string> no_target;
    for (const auto& name : form.targets) take(name, targets, no_target);
    if (!no_target.empty() && !(may_lack && targets.empty()))
      missing.insert(missing.end(), no_target.begin(), no_target.end());
    if (!missing.empty())
      throw DataError(concat(path.string(), ": no column ", listed(missing),
                             "; its columns are ", file.all_names(),
                             "; expected the run's, ", listed(form.features),
                             " and the target ", listed(form.targets),
                             may_lack ? " or none" : ""));
    for (const auto& name : file.names())
      if (!name.empty() && !knows(form, name)) left.push_back(name);
    if (!left.empty())
      log_info(concat(path.string(),
                      ": not of the run, and left out: ", listed(left)));
    if (!file.remarks().empty())
      log_info(concat(path.string(), ": ", file.remarks()));
    check_one_task(form.task);
  }

 private:
  void take(const std::string& name, std::vector<size_t>& found,
            std::vector<std::string>& missing) const {
    const size_t c = file.column(name);
    if (c == TableFile::kNone)
      missing.push_back(name);
    else
      found.push_back(c);
  }

  static bool knows(const TableForm& form, const std::string& name) {
    const auto has = [&](const auto& names) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    return name == form.task || name == "split" || has(form.features) ||
           has(form.targets);
  }

  void check_one_task(const std::string& name) {
    const size_t c = file.column(name);
    if (c == TableFile::kNone) return;
    task = file.text(0, c);
    for (size_t r = 1; r < file.rows(); ++r)
      if (file.text(r, c) != task)
        file.fail(r, c,
                  concat("\"", task, "\" as in line ", file.line(0),
                         ": the rows of one task"));
  }
};

std::vector<float> features_of(const Rows& rows, const TableForm& form) {
  std::vector<float> x;
  for (size_t r = 0; r < rows.file.rows(); ++r)
    for (size_t f = 0; f < rows.features.size(); ++f)
      x.push_back(form.feature(f, rows.file.number(r, rows.features[f])));
  return x;
}

// What the row says of its targets; empty when one of them is.
std::vector<double> known_targets(const Rows& rows, size_t row) {
  std::vector<double> values;
  for (size_t c : rows.targets) {
    if (rows.file.field(row, c).empty()) return {};
    values.push_back(rows.file.number(row, c));
  }
  return values;
}

int64_t known_label(const Rows& rows, size_t row,
                    const std::vector<std::string>& labels) {
  if (rows.targets.empty()) return -1;
  const size_t c = rows.targets[0];
  if (rows.file.field(row, c).empty()) return -1;
  const auto found =
      std::find(labels.begin(), labels.end(), label_of(rows.file, row, c));
  if (found == labels.end())
    rows.file.fail(row, c, "a label of --support: " + listed(labels));
  return found - labels.begin();
}

StoredTask task_of(const Experiment& e, const TableForm& form,
                   const Rows& support, const Rows& query) {
  StoredTask task;
  task.shape = e.tasks.train_shape;
  task.shape.support = static_cast<uint32_t>(support.file.rows());
  task.shape.query = static_cast<uint32_t>(query.file.rows());
  task.support.x = features_of(support, form);
  task.query.x = features_of(query, form);
  return task;
}

std::string line_of(const Rows& rows, size_t row) {
  return std::to_string(rows.file.line(row));
}

Predictions label_rows(const Experiment& e, const MetaView& meta,
                       const TableForm& form, const Rows& support,
                       const Rows& query) {
  auto out = answer_of(e, support.file.rows());
  out.classes = labels_of(support.file, support.targets[0]);
  if (out.classes.size() < 2)
    throw DataError(concat(support.file.path().string(), ": one label, ",
                           out.classes[0], "; expected two or more"));
  auto task = task_of(e, form, support, query);
  task.shape.ways = static_cast<uint32_t>(out.classes.size());
  for (size_t r = 0; r < support.file.rows(); ++r) {
    support.file.text(r, support.targets[0]);  // throws when empty
    task.support.label.push_back(known_label(support, r, out.classes));
  }
  for (size_t r = 0; r < query.file.rows(); ++r) {
    task.query.label.push_back(0);  // nothing looks at it
    out.rows.push_back(
        {line_of(query, r), {}, -1, known_label(query, r, out.classes), {}});
  }
  choose_classes(e, predict_task(e, meta, std::move(task), "--support"), out);
  return out;
}

Predictions predict_rows(const Experiment& e, const MetaView& meta,
                         const TableForm& form, const Rows& support,
                         const Rows& query) {
  const size_t targets = form.targets.size();
  auto out = answer_of(e, support.file.rows());
  out.targets = form.targets;
  auto task = task_of(e, form, support, query);
  for (size_t r = 0; r < support.file.rows(); ++r)
    for (size_t t = 0; t < targets; ++t)
      task.support.value.push_back(
          form.target(t, support.file.number(r, support.targets[t])));
  for (size_t r = 0; r < query.file.rows(); ++r)
    out.rows.push_back(
        {line_of(query, r), {}, -1, -1, known_targets(query, r)});
  // Nothing looks at them.
  task.query.value.assign(query.file.rows() * targets, 0);
  const auto prediction = predict_task(e, meta, std::move(task), "--support");
  const auto flat = prediction.contiguous();
  const double* value = flat.const_data_ptr<double>();
  for (auto& row : out.rows)
    for (size_t t = 0; t < targets; ++t)
      row.values.push_back(form.target_value(t, *value++));
  return out;
}

}  // namespace

Predictions adapt_table(const Experiment& e, const MetaView& meta,
                        const std::filesystem::path& support,
                        const std::filesystem::path& query) {
  const auto* table = dynamic_cast<const TableDataset*>(e.tasks.examples.get());
  if (!table)
    throw ConfigError(concat("--support ", support.string(),
                             " is a table, but the run has data.source = ",
                             e.config.data.source, "; expected table"));
  const auto& form = table->form();
  const Rows known(support, form, /*may_lack=*/false);
  const Rows asked(query, form, /*may_lack=*/true);
  if (!known.task.empty() && !asked.task.empty() && known.task != asked.task)
    throw DataError(concat(query.string(), ": rows of ", form.task, " ",
                           asked.task, "; expected ", known.task, " as in ",
                           support.string()));
  auto out = form.classes() ? label_rows(e, meta, form, known, asked)
                            : predict_rows(e, meta, form, known, asked);
  out.lines = true;
  return out;
}

}  // namespace protean
