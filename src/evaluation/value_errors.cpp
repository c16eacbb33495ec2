#include "protean/evaluation/value_errors.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <ATen/ATen.h>

#include "protean/data/table.h"

namespace protean {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

nlohmann::json number(double v) {
  return std::isfinite(v) ? nlohmann::json(v) : nlohmann::json();
}

}  // namespace

ValueErrors errors_of(std::string target, const std::vector<double>& predicted,
                      const std::vector<double>& known) {
  ValueErrors out{std::move(target), static_cast<int64_t>(known.size()), kNone,
                  kNone, kNone};
  if (known.empty()) return out;
  const auto n = static_cast<double>(known.size());
  double squares = 0, absolute = 0, mean = 0, spread = 0;
  for (size_t i = 0; i < known.size(); ++i) {
    const double error = predicted[i] - known[i];
    squares += error * error;
    absolute += std::fabs(error);
    mean += known[i] / n;
  }
  for (double v : known) spread += (v - mean) * (v - mean);
  out.rmse = std::sqrt(squares / n);
  out.mae = absolute / n;
  if (spread > 0) out.r2 = 1 - squares / spread;
  return out;
}

nlohmann::json to_json(const ValueErrors& e) {
  return {{"target", e.target},
          {"rows", e.rows},
          {"rmse", number(e.rmse)},
          {"mae", number(e.mae)},
          {"r2", number(e.r2)}};
}

std::vector<ValueErrors> value_errors(const Experiment& e, const MetaView& meta,
                                      const EvalTasks& tasks) {
  const auto* table = dynamic_cast<const TableDataset*>(e.tasks.examples.get());
  if (!table || table->form().classes()) return {};
  const auto& form = table->form();
  const size_t targets = form.targets.size();
  std::vector<std::vector<double>> predicted(targets), known(targets);
  const auto take = [&](const at::Tensor& values,
                        std::vector<std::vector<double>>& out) {
    const auto flat = values.to(at::kCPU, at::kDouble).contiguous();
    const double* v = flat.const_data_ptr<double>();
    for (int64_t i = 0; i < flat.numel(); ++i) {
      const auto t = static_cast<size_t>(i) % targets;
      out[t].push_back(form.target_value(t, v[i]));
    }
  };
  constexpr size_t kStack = 16;
  for (size_t begin = 0; begin < tasks.specs.size(); begin += kStack) {
    const auto first = tasks.specs.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto count = static_cast<std::ptrdiff_t>(
        std::min(kStack, tasks.specs.size() - begin));
    const auto batch = to(stack_tasks(*tasks.source, {first, first + count}),
                          meta.theta.device(), meta.theta.scalar_type());
    e.learner->adapt(batch, meta, [&](int k, const Phi& phi) {
      if (k != e.learner->eval_steps()) return;
      take(e.learner->predict(phi, batch.query), predicted);
      take(batch.query.y, known);
    });
  }
  std::vector<ValueErrors> out;
  for (size_t t = 0; t < targets; ++t)
    out.push_back(errors_of(form.targets[t], predicted[t], known[t]));
  return out;
}

}  // namespace protean
