#include "protean/tasks/meta_dataset_tasks.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include <ATen/ops/equal.h>

#include "protean/core/error.h"
#include "protean/tasks/task_batch.h"

#include "support/catch.h"
#include "tasks/meta_dataset/spec_only.h"

using namespace protean;

namespace {

constexpr uint32_t kEpisodes = 10000;
constexpr uint64_t kSeed = 11;

const char* const kNames[] = {"ilsvrc_2012", "omniglot",  "aircraft",
                              "dtd",         "quickdraw", "traffic_sign"};

uint32_t sum(const std::vector<uint32_t>& v) {
  return std::accumulate(v.begin(), v.end(), 0u);
}

// Calls use(spec) for the first episodes of a stream.
template <typename Use>
void each_episode(const TaskSource& tasks, Stream stream, const Use& use) {
  for (uint32_t i = 0; i < kEpisodes; ++i)
    use(tasks.describe(kSeed, {stream, i / 16, i % 16}, {}));
}

// Whether the classes are those of one set, or as many of a larger one as there
// may be.
bool from_one_set(const std::vector<ClassSet>& sets,
                  std::vector<uint32_t> classes, ClassRule rule) {
  std::sort(classes.begin(), classes.end());
  for (const auto& set : sets) {
    if (!std::includes(set.classes.begin(), set.classes.end(), classes.begin(),
                       classes.end()))
      continue;
    if (rule != ClassRule::graph) return true;
    if (set.classes.size() <= 392 &&
        classes.size() == std::min<size_t>(50, set.classes.size()))
      return true;
  }
  return false;
}

// "" when an episode keeps every rule.
std::string broken(const DatasetSpec& spec, int split, const TaskSpec& task) {
  const size_t ways = task.classes.size();
  if (ways < 5 || ways > 50) return "ways";
  const std::set<uint32_t> distinct(task.classes.begin(), task.classes.end());
  if (distinct.size() != ways) return "a class comes twice";
  if (!from_one_set(spec.sets[split], task.classes, spec.rule)) return "set";
  const uint32_t support = sum(task.support);
  if (support < ways || support > 500) return "support";
  size_t at = 0;
  for (size_t way = 0; way < ways; ++way) {
    const uint32_t cls = task.classes[way], n = spec.images.at(cls);
    const uint32_t k = task.support[way], q = task.query[way];
    if (spec.split_of(cls) != split) return "split";
    if (q < 1 || q > 10 || q != task.query[0]) return "queries";
    if (k < 1 || k + q > n) return "shots";
    const std::set<uint32_t> images(
        task.examples.begin() + static_cast<long>(at),
        task.examples.begin() + static_cast<long>(at + k + q));
    if (images.size() != k + q) return "an image comes twice";
    if (*images.rbegin() >= n) return "an image that does not exist";
    at += k + q;
  }
  return at == task.examples.size() ? "" : "examples";
}

double chi_square(const std::map<uint32_t, uint64_t>& seen, size_t kinds) {
  uint64_t n = 0;
  for (const auto& [kind, count] : seen) n += count;
  const double each = static_cast<double>(n) / static_cast<double>(kinds);
  double chi = each * static_cast<double>(kinds - seen.size());
  for (const auto& [kind, count] : seen)
    chi += (count - each) * (count - each) / each;
  return chi;
}

std::string config_error(const std::function<void()>& act) {
  try {
    act();
  } catch (const ConfigError& e) {
    return e.what();
  }
  return "no ConfigError";
}

}  // namespace

TEST_CASE("10,000 episodes of every real spec keep the rules",
          "[meta-dataset]") {
  for (const std::string name : kNames) {
    const auto spec = real_spec(name);
    const auto data = only({spec});
    for (const Stream stream :
         {Stream::train, Stream::validation, Stream::test}) {
      const int split = static_cast<int>(stream);
      if (spec.classes_per_split[split] == 0) continue;
      const MetaDatasetTasks tasks(data, stream, {1}, {});
      std::map<std::string, int> faults;
      each_episode(tasks, stream, [&](const TaskSpec& task) {
        const auto fault = broken(spec, split, task);
        if (!fault.empty()) ++faults[fault];
      });
      INFO(name << ", split " << split << ": "
                << (faults.empty() ? "" : faults.begin()->first));
      CHECK(faults.empty());
    }
  }
}

// From 20,000 episodes simulated by another program from the same specs.
TEST_CASE("episodes are as large as published ones", "[meta-dataset]") {
  struct Row {
    const char* name;
    Stream stream;
    double ways, images, p95;
  };
  for (const Row& row : {Row{"ilsvrc_2012", Stream::train, 19.0, 563, 976},
                         Row{"omniglot", Stream::train, 19.9, 296, 622},
                         Row{"aircraft", Stream::train, 27.4, 690, 955},
                         Row{"dtd", Stream::train, 19.0, 596, 803},
                         Row{"quickdraw", Stream::train, 27.5, 697, 956},
                         Row{"ilsvrc_2012", Stream::test, 14.7, 526, 973},
                         Row{"omniglot", Stream::test, 19.0, 282, 596},
                         Row{"aircraft", Stream::test, 10.0, 438, 641},
                         Row{"dtd", Stream::test, 6.0, 343, 565},
                         Row{"quickdraw", Stream::test, 27.5, 696, 955},
                         Row{"traffic_sign", Stream::test, 23.9, 656, 891}}) {
    const MetaDatasetTasks tasks(only({real_spec(row.name)}), row.stream, {1},
                                 {});
    std::vector<double> ways, images;
    each_episode(tasks, row.stream, [&](const TaskSpec& task) {
      ways.push_back(static_cast<double>(task.classes.size()));
      images.push_back(static_cast<double>(task.examples.size()));
    });
    const auto mean = [](const std::vector<double>& v) {
      return std::accumulate(v.begin(), v.end(), 0.0) /
             static_cast<double>(v.size());
    };
    const auto noise = [&](const std::vector<double>& v) {
      double squares = 0;
      for (double x : v) squares += (x - mean(v)) * (x - mean(v));
      const double n = static_cast<double>(v.size());
      // Of the difference to a mean of 20,000.
      return std::sqrt(squares / n * (1 / n + 1 / 20000.0));
    };
    std::sort(images.begin(), images.end());
    INFO(row.name << " " << static_cast<int>(row.stream));
    CHECK(std::abs(mean(ways) - row.ways) < 0.05 + 4 * noise(ways));
    CHECK(std::abs(mean(images) - row.images) < 0.5 + 4 * noise(images));
    // Where a task in 3,000 has one image more, the percentile's own deviation
    // is 9 images.
    CHECK(std::abs(images[images.size() * 95 / 100] - row.p95) < 36);
  }
}

TEST_CASE("ways, sources and nodes are equally likely", "[meta-dataset]") {
  // Bounds: 1 in 10,000 by chance.
  const auto imagenet = real_spec("ilsvrc_2012");
  const auto data =
      only({real_spec("aircraft"), imagenet, real_spec("omniglot")});
  const MetaDatasetTasks tasks(data, Stream::train, {1, 1, 1}, {});
  std::map<uint32_t, uint64_t> sources, ways, nodes, alphabets, first, query;
  each_episode(tasks, Stream::train, [&](const TaskSpec& task) {
    const uint32_t cls = task.classes[0];
    if (cls < 100) {
      ++sources[0];
      ++ways[static_cast<uint32_t>(task.classes.size())];
      ++first[cls];
      ++query[task.examples.back()];
    } else if (cls < 1100) {
      ++sources[1];
      std::vector<uint32_t> own = task.classes;
      for (uint32_t& c : own) c -= 100;
      std::sort(own.begin(), own.end());
      // The node, where its leaves are there in full and no other's.
      uint32_t found = 0, matches = 0;
      for (uint32_t n = 0; n < imagenet.sets[0].size(); ++n)
        if (imagenet.sets[0][n].classes == own) found = n, ++matches;
      if (matches == 1) ++nodes[found];
    } else {
      ++sources[2];
      ++alphabets[static_cast<uint32_t>(
          std::hash<std::string>()(data->group(cls)) & 0xFFFFFFFF)];
    }
  });
  CHECK(sources.size() == 3);
  CHECK(chi_square(sources, 3) < 18.4);  // 2 degrees of freedom
  CHECK(chi_square(ways, 46) < 90);      // 45
  CHECK(chi_square(first, 70) < 122);    // 69
  CHECK(chi_square(query, 100) < 160);   // 99
  CHECK(alphabets.size() == 25);
  CHECK(chi_square(alphabets, 25) < 60);  // 24
  CHECK(nodes.size() == 97);              // 113, but 16 above 50 leaves
  CHECK(chi_square(nodes, 97) < 155);     // 96
}

TEST_CASE("labels of a graph's task stand in any order", "[meta-dataset]") {
  const MetaDatasetTasks tasks(only({real_spec("ilsvrc_2012")}), Stream::test,
                               {1}, {});
  uint32_t ascending = 0;
  each_episode(tasks, Stream::test, [&](const TaskSpec& task) {
    ascending += std::is_sorted(task.classes.begin(), task.classes.end());
  });
  CHECK(ascending < kEpisodes / 100);  // of 5 classes, 1 in 120
}

TEST_CASE("a task is a function of seed, step and index", "[meta-dataset]") {
  const auto data = only({real_spec("aircraft"), real_spec("omniglot")});
  const MetaDatasetTasks tasks(data, Stream::train, {1, 1}, {});
  const MetaDatasetTasks again(data, Stream::train, {1, 1}, {});
  std::set<std::vector<uint32_t>> seen;
  for (uint32_t i = 0; i < 50; ++i) {
    const TaskId id{Stream::train, 3 + i, i};
    again.describe(kSeed, {Stream::train, i, 5}, {});
    CHECK(tasks.describe(kSeed, id, {}) == again.describe(kSeed, id, {}));
    seen.insert(tasks.describe(kSeed, id, {}).examples);
    seen.insert(tasks.describe(kSeed + 1, id, {}).examples);
  }
  CHECK(seen.size() == 100);
}

TEST_CASE("weights say how often a source is drawn", "[meta-dataset]") {
  const std::vector<uint32_t> images(8, 30);
  const auto data = only({flat_spec("a", images), flat_spec("b", images),
                          flat_spec("c", images), flat_spec("d", images, 2)});
  const MetaDatasetTasks tasks(data, Stream::train, {3, 0, 1, 5}, {});
  std::map<uint32_t, int> seen;
  each_episode(tasks, Stream::train,
               [&](const TaskSpec& task) { ++seen[task.classes[0] / 8]; });
  // d has no training class, b no weight: 3 to 1, at most 4 deviations off.
  CHECK(seen.size() == 2);
  CHECK(std::abs(seen[0] - 7500) < 174);
  CHECK(std::abs(seen[2] - 2500) < 174);
}

TEST_CASE("hierarchies are ignored as often as asked", "[meta-dataset]") {
  const auto spec = real_spec("omniglot");
  EpisodeOptions options;
  options.ignore_hierarchy = 0.5;
  const MetaDatasetTasks tasks(only({spec}), Stream::train, {1}, options);
  int mixed = 0;
  each_episode(tasks, Stream::train, [&](const TaskSpec& task) {
    mixed += !from_one_set(spec.sets[0], task.classes, ClassRule::groups);
  });
  CHECK(std::abs(mixed - 5000) < 200);
}

TEST_CASE("fixed ways and shots", "[meta-dataset]") {
  EpisodeOptions options;
  options.fixed_ways = 6;
  options.fixed_shots = 3;
  const MetaDatasetTasks tasks(only({real_spec("aircraft")}), Stream::train,
                               {1}, options);
  const auto task = tasks.describe(1, {}, {});
  CHECK(task.support == std::vector<uint32_t>(6, 3));
  CHECK(task.query == std::vector<uint32_t>(6, 10));
  CHECK(config_error([&] {
          MetaDatasetTasks(only({real_spec("omniglot")}), Stream::train, {1},
                           options);
        }) ==
        "task.fixed_ways = 6, but classes of omniglot have an order above "
        "them; expected 0, or task.sampler = flat");
}

TEST_CASE("classes of one image are left out", "[meta-dataset]") {
  std::vector<uint32_t> images(9, 4);
  images[3] = 1;
  const MetaDatasetTasks tasks(only({flat_spec("a", images)}), Stream::train,
                               {1}, {});
  std::set<uint32_t> seen;
  each_episode(tasks, Stream::train, [&](const TaskSpec& task) {
    seen.insert(task.classes.begin(), task.classes.end());
  });
  CHECK(seen == std::set<uint32_t>{0, 1, 2, 4, 5, 6, 7, 8});
  CHECK(config_error([&] {
          MetaDatasetTasks(only({flat_spec("a", {9, 9, 9, 9, 1})}),
                           Stream::train, {1}, {});
        }).starts_with("data.sets: no source has 5 classes"));
}

TEST_CASE("a task holds the images that its spec names", "[meta-dataset]") {
  const MetaDatasetTasks tasks(only({flat_spec("a", {300, 20, 6, 90, 400})}),
                               Stream::train, {1}, {});
  const auto spec = tasks.describe(2, {Stream::train, 1, 4}, {});
  const auto batch = stack_tasks(tasks, {spec});
  size_t at = 0;
  int64_t support = 0, query = 0;
  const auto check = [&](const Part& part, int64_t row, size_t way) {
    CHECK(part.y[0][row].item<int64_t>() == static_cast<int64_t>(way));
    const uint32_t want[] = {spec.classes[way], spec.examples[at] % 256,
                             spec.examples[at] / 256};
    for (int c = 0; c < 3; ++c)
      for (int pixel = 0; pixel < 4; ++pixel)
        CHECK(part.x[0][row][c][pixel / 2][pixel % 2].item<float>() ==
              static_cast<float>(2 * (want[c] / 255.0 - 0.5)));
    ++at;
  };
  for (size_t way = 0; way < spec.classes.size(); ++way) {
    for (uint32_t i = 0; i < spec.support[way]; ++i)
      check(batch.support, support++, way);
    for (uint32_t i = 0; i < spec.query[way]; ++i)
      check(batch.query, query++, way);
  }
  CHECK(support == batch.shape.support);
  CHECK(query == batch.shape.query);
}

TEST_CASE("bytes become the numbers of the same tasks", "[meta-dataset]") {
  const auto data = only({flat_spec("a", {300, 20, 6, 90, 400, 33, 70})});
  const MetaDatasetTasks tasks(data, Stream::train, {1}, {});
  const MetaDatasetTasks threads(data, Stream::train, {1}, {}, 3);
  // Three tasks of unequal size, padded to share a stack.
  std::vector<TaskSpec> specs;
  for (uint32_t i = 0; i < 3; ++i)
    specs.push_back(tasks.describe(3, {Stream::train, 0, i}, {}));
  const auto numbers = stack_tasks(tasks, specs);
  REQUIRE(numbers.query.weight.defined());
  const auto bytes = stack_as_stored(threads, specs);
  CHECK(bytes.support.x.scalar_type() == at::kByte);
  CHECK(bytes.support.x.nbytes() * 4 == numbers.support.x.nbytes());
  const auto read = with_numbers(bytes, threads.scale());
  CHECK(at::equal(read.support.x, numbers.support.x));
  CHECK(at::equal(read.query.x, numbers.query.x));
  CHECK(at::equal(read.support.y, numbers.support.y));
  CHECK(at::equal(read.query.weight, numbers.query.weight));
  CHECK(
      with_numbers(numbers, threads.scale()).query.x.is_same(numbers.query.x));
  uint64_t sum = 0;
  for (const auto& part : {bytes.support, bytes.query})
    for (const auto& t : {part.x, part.y, part.weight, part.absent})
      if (t.defined()) sum += t.nbytes();
  CHECK(bytes_of(bytes) == sum);
}

TEST_CASE("a description that does not add up is refused", "[meta-dataset]") {
  const MetaDatasetTasks tasks(only({flat_spec("a", {30, 20, 60, 90, 40})}),
                               Stream::train, {1}, {});
  auto spec = tasks.describe(3, {Stream::train, 7, 2}, {});
  spec.examples.pop_back();
  CHECK_THROWS_WITH(
      tasks.materialise(spec, {}),
      Catch::Matchers::StartsWith("task (step 7, index 2): 5 classes and "));
}
