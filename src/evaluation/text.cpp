#include "protean/evaluation/text.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <ATen/ATen.h>

#include "protean/core/error.h"
#include "protean/core/philox.h"
#include "protean/data/text.h"
#include "protean/learners/task_loss.h"
#include "protean/tasks/stored_tasks.h"

namespace protean {
namespace {

const TextDataset& text_of(const Experiment& e) {
  const auto* text = dynamic_cast<const TextDataset*>(e.tasks.examples.get());
  if (!text)
    throw ConfigError(
        concat("the run was trained with data.source = ", e.config.data.source,
               "; expected a run of data.source = text"));
  return *text;
}

// Pieces of data.length characters and what follows each character; what is
// left at the end is left out.
StoredExamples pieces(const TextDataset& data, const std::string& text,
                      const std::string& what) {
  const auto numbers = data.encode(text, what);
  const auto length = static_cast<size_t>(data.length());
  if (numbers.size() < length + 1)
    throw DataError(concat(
        what, ": ", numbers.size(),
        " characters; expected at least data.length + 1 = ", length + 1));
  StoredExamples out;
  const size_t used = (numbers.size() - 1) / length * length;
  for (size_t i = 0; i < used; ++i) {
    out.x.push_back(static_cast<float>(numbers[i]));
    out.label.push_back(numbers[i + 1]);
  }
  return out;
}

// Where theta is.
TaskBatch task_of(const Experiment& e, const MetaView& meta,
                  StoredExamples support, StoredExamples query) {
  const auto length = static_cast<size_t>(text_of(e).length());
  StoredTask task;
  task.shape = e.tasks.train_shape;
  task.shape.support = static_cast<uint32_t>(support.x.size() / length);
  task.shape.query = static_cast<uint32_t>(query.x.size() / length);
  task.support = std::move(support);
  task.query = std::move(query);
  std::vector<StoredTask> tasks;
  tasks.push_back(std::move(task));
  const StoredTasks source(std::move(tasks));
  return to(stack_tasks(source, {source.describe(0, {}, {})}),
            meta.theta.device(), meta.theta.scalar_type());
}

// One of the characters by their logits; never number 0, which is any other.
uint32_t draw(const at::Tensor& logits, double temperature, Draws& draws) {
  const auto p = (logits.to(at::kCPU, at::kDouble) / temperature).contiguous();
  const double* v = p.data_ptr<double>();
  const int64_t n = p.numel();
  const double top = *std::max_element(v + 1, v + n);
  double total = 0;
  for (int64_t i = 1; i < n; ++i) total += std::exp(v[i] - top);
  double left = draws.uniform() * total;
  for (int64_t i = 1; i < n; ++i)
    if ((left -= std::exp(v[i] - top)) < 0) return static_cast<uint32_t>(i);
  return static_cast<uint32_t>(n - 1);
}

std::string write_on(const Experiment& e, const TextDataset& data,
                     const Phi& phi, const TextOptions& o) {
  const auto device = phi.params.front().device();
  auto numbers = data.encode(o.prompt, "--prompt");
  const size_t given = numbers.size();
  // A model that reads from nothing starts behind a space.
  if (numbers.empty()) numbers = data.encode(" ", "--prompt");
  const auto length = static_cast<size_t>(data.length());
  Draws draws(o.seed, {Stream::test, 0, 0}, Purpose::latent);
  for (int64_t i = 0; i < o.length; ++i) {
    const size_t seen = std::min(numbers.size(), length);
    auto x = at::empty({1, 1, static_cast<int64_t>(seen)}, at::kFloat);
    std::copy(numbers.end() - static_cast<std::ptrdiff_t>(seen), numbers.end(),
              x.data_ptr<float>());
    const auto logits = e.learner->predict(phi, {x.to(device), {}, {}});
    numbers.push_back(draw(logits[0][-1], o.temperature, draws));
  }
  if (given == 0) numbers.erase(numbers.begin());
  return data.decode(numbers);
}

}  // namespace

std::string generate_text(const Experiment& e, const MetaView& meta,
                          const std::string& support, const TextOptions& o) {
  const auto& data = text_of(e);
  if (o.length < 1)
    throw ConfigError(
        concat("--length ", o.length, "; expected 1 character or more"));
  if (!(o.temperature > 0))
    throw ConfigError(
        concat("--temperature ", o.temperature, "; expected above 0"));
  auto known = pieces(data, support, "--support");
  StoredExamples query;  // adaptation does not look at it
  query.x.assign(known.x.begin(), known.x.begin() + data.length());
  query.label.assign(known.label.begin(), known.label.begin() + data.length());
  const auto batch = task_of(e, meta, std::move(known), std::move(query));
  std::string text;
  e.learner->adapt(batch, meta, [&](int k, const Phi& phi) {
    if (k == e.learner->eval_steps()) text = write_on(e, data, phi, o);
  });
  return text;
}

TextScore score_text(const Experiment& e, const MetaView& meta,
                     const std::string& support, const std::string& held_out) {
  const auto& data = text_of(e);
  const auto batch = task_of(e, meta, pieces(data, support, "--support"),
                             pieces(data, held_out, "--query"));
  TextScore score;
  e.learner->adapt(batch, meta, [&](int k, const Phi& phi) {
    const auto loss = task_loss(e.learner->predict(phi, batch.query),
                                batch.query, TargetKind::classes);
    const double bits = loss[0].item<double>() / std::numbers::ln2;
    if (k == 0) score.before = bits;
    score.after = bits;
  });
  return score;
}

}  // namespace protean
