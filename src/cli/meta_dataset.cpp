#include "cli/meta_dataset.h"

#include <cstdio>
#include <filesystem>

#include "protean/comm/preflight.h"
#include "protean/core/atomic_file.h"
#include "protean/core/error.h"
#include "protean/core/lists.h"
#include "protean/core/workers.h"
#include "protean/evaluation/check_tasks.h"
#include "protean/evaluation/model_table.h"
#include "protean/tasks/meta_dataset_tasks.h"

namespace protean {
namespace {

MetaDatasetPtr open_sources(const CommandLine& line, const Experiment& e) {
  if (line.is_set("data"))
    return open_meta_dataset(line.flags.at("data"), "", e.config.data.side);
  auto data = std::dynamic_pointer_cast<const MetaDataset>(e.tasks.examples);
  if (!data)
    throw ConfigError(concat(
        "--protocol meta-dataset: this run has data.source "
        "= ",
        e.config.data.source, "; expected records, or --data with some"));
  return data;
}

// One of the sources, on its own; null where the split has too few classes.
std::shared_ptr<const MetaDatasetTasks> tasks_of(const MetaDatasetPtr& data,
                                                 size_t source, Stream stream) {
  const EpisodeOptions options;
  const int split = stream == Stream::validation ? 1 : 2;
  const auto& spec = data->sources()[source].data->spec();
  if (spec.classes_per_split[split] < options.min_ways) return nullptr;
  std::vector<float> only(data->sources().size(), 0);
  only[source] = 1;
  return std::make_shared<MetaDatasetTasks>(data, stream, std::move(only),
                                            options, usable_cores());
}

ModelScore score_of(const EvalResult& result,
                    const std::vector<TaskSpec>& specs) {
  ModelScore score{result.last().accuracy, result.ci95, result.tasks};
  const double n = static_cast<double>(specs.size());
  for (const auto& spec : specs) {
    score.ways += static_cast<double>(spec.classes.size()) / n;
    for (uint32_t k : spec.support) score.support += k / n;
    for (uint32_t q : spec.query) score.queries += q / n;
  }
  return score;
}

// --with NAME=FILE or FILE, comma-separated.
void add_others(const CommandLine& line, ModelTable& table) {
  if (!line.is_set("with")) return;
  for (const auto& item : comma_separated(line.flags.at("with"))) {
    const size_t equals = item.find('=');
    const bool named = equals != std::string::npos;
    add_model(table, named ? item.substr(equals + 1) : item,
              named ? item.substr(0, equals) : "");
  }
}

void report(const CommandLine& line, const ModelTable& own,
            const ModelTable& all, int64_t step) {
  if (line.is_set("csv"))
    write_file_atomically(line.flags.at("csv"), to_csv(own));
  if (line.is_set("markdown"))
    write_file_atomically(line.flags.at("markdown"), to_markdown(all));
  if (line.is_set("latex"))
    write_file_atomically(line.flags.at("latex"), to_latex(all));
  if (!line.json) {
    std::printf("%s", to_markdown(all).c_str());
    return;
  }
  nlohmann::json json = {{"step", step}, {"sources", nlohmann::json::array()}};
  for (size_t s = 0; s < own.sources.size(); ++s) {
    const auto& score = own.scores[s][0];
    json["sources"].push_back({{"name", own.sources[s]},
                               {"accuracy", score.accuracy},
                               {"ci95", score.ci95},
                               {"tasks", score.tasks},
                               {"ways", score.ways},
                               {"support", score.support},
                               {"queries", score.queries}});
  }
  const auto ranks = average_ranks(all);
  for (size_t m = 0; m < all.models.size(); ++m)
    json["average_rank"][all.models[m]] = ranks[m];
  std::printf("%s\n", json.dump().c_str());
}

}  // namespace

int meta_dataset_protocol(const CommandLine& line, World& world,
                          const StoredRun& run) {
  auto& comm = *world.control;
  const auto& e = run.experiment;
  const Stream stream = eval_stream(line.config);
  MetaDatasetPtr data;
  agree(comm, [&] { data = open_sources(line, e); });
  ModelTable own;
  auto folder = std::filesystem::path(line.flags.at("run")).lexically_normal();
  own.models = {(folder.has_filename() ? folder : folder.parent_path())
                    .filename()
                    .string()};
  for (size_t s = 0; s < data->sources().size(); ++s) {
    EvalTasks tasks;
    agree(comm, [&] {
      const auto source = tasks_of(data, s, stream);
      if (!source) return;
      tasks =
          draw_tasks(source, e.config.run.seed, stream, line.config.eval.tasks);
      check_tasks(e, run.meta, tasks, "--protocol meta-dataset");
    });
    if (!tasks.source) continue;
    const auto result = evaluate(e, comm, run.meta, tasks);
    own.sources.push_back(data->sources()[s].name());
    own.scores.push_back({score_of(result, tasks.specs)});
    if (comm.rank() == 0)
      std::fprintf(stderr, "%s: %.2f %% +- %.2f\n", own.sources.back().c_str(),
                   100 * result.last().accuracy, 100 * result.ci95);
  }
  if (own.sources.empty())
    throw ConfigError(concat(
        "--protocol meta-dataset: no source has ", EpisodeOptions().min_ways,
        " classes in eval.stream = ", line.config.eval.stream));
  if (comm.rank() != 0) return kExitDone;
  ModelTable all = own;
  add_others(line, all);
  report(line, own, all, run.step);
  return kExitDone;
}

}  // namespace protean
