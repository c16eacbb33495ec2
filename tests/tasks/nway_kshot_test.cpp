#include "protean/tasks/nway_kshot.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <thread>

#include <ATen/ops/equal.h>
#include <ATen/ops/max.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/min.h>

#include "protean/core/error.h"
#include "protean/data/open_dataset.h"
#include "protean/data/splits.h"
#include "protean/data/wrappers.h"
#include "protean/tasks/open_tasks.h"
#include "protean/tasks/task_batch.h"

#include "support/catch.h"
#include "support/toy_classes.h"

using namespace protean;

namespace {

std::vector<uint32_t> all(const ClassDataset& data) {
  std::vector<uint32_t> ids(data.classes());
  for (uint32_t i = 0; i < ids.size(); ++i) ids[i] = i;
  return ids;
}

NwayKshot toy_source(uint32_t classes, uint32_t per_class,
                     NwayKshotOptions options) {
  auto data =
      std::make_shared<ToyClasses>(std::vector<uint32_t>(classes, per_class));
  return {data, all(*data), options, "train"};
}

TaskId task(uint32_t step, uint32_t index, Stream stream = Stream::train) {
  return {stream, step, index};
}

std::string message_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const ConfigError& e) {
    return e.what();
  }
  return "no ConfigError";
}

}  // namespace

TEST_CASE("10,000 described tasks keep the rules", "[tasks]") {
  const uint32_t kWays = 5, kClasses = 40, kSize = 12, kTasks = 10000;
  const NwayKshot source = toy_source(kClasses, kSize, {kWays, 2, 3, true});
  uint64_t broken = 0;
  std::vector<std::vector<uint32_t>> label(kClasses,
                                           std::vector<uint32_t>(kWays));
  std::vector<uint32_t> support_use(kSize), turns(4);
  for (uint32_t i = 0; i < kTasks; ++i) {
    const TaskSpec spec = source.describe(7, task(i / 32, i % 32), {});
    const std::set<uint32_t> classes(spec.classes.begin(), spec.classes.end());
    broken += classes.size() != kWays || *classes.rbegin() >= kClasses;
    broken += spec.support != std::vector<uint32_t>(kWays, 2);
    broken += spec.query != std::vector<uint32_t>(kWays, 3);
    broken += spec.examples.size() != 5 * kWays;
    broken += spec.transforms.size() != kWays;
    for (uint32_t way = 0; way < kWays; ++way) {
      const auto first = spec.examples.begin() + 5 * way;
      const std::set<uint32_t> examples(first, first + 5);
      broken += examples.size() != 5 || *examples.rbegin() >= kSize;
      ++label[spec.classes[way]][way];
      ++support_use[*first];
      ++turns[spec.transforms[way]];
    }
  }
  CHECK(broken == 0);
  // Chi-square against the uniform law; the limits are about 5 sigma out.
  const auto chi_square = [](const std::vector<uint32_t>& counts) {
    double n = 0, sum = 0;
    for (uint32_t c : counts) n += c;
    const double want = n / static_cast<double>(counts.size());
    for (uint32_t c : counts) sum += (c - want) * (c - want) / want;
    return sum;
  };
  std::vector<uint32_t> cells;
  for (const auto& row : label)
    cells.insert(cells.end(), row.begin(), row.end());
  CHECK(*std::min_element(cells.begin(), cells.end()) > 0);
  CHECK(chi_square(cells) < 199 + 5 * 20);  // 200 cells
  CHECK(chi_square(support_use) < 11 + 5 * 4.7);
  CHECK(chi_square(turns) < 3 + 5 * 2.5);
}

TEST_CASE("a description depends on seed, id and stream alone", "[tasks]") {
  const NwayKshot source = toy_source(50, 20, {5, 1, 4, false});
  std::vector<TaskSpec> specs(200);
  for (uint32_t i = 0; i < 200; ++i)
    specs[i] = source.describe(3, task(i / 8, i % 8), {});
  // Backwards, from two threads, from another source object.
  const NwayKshot other = toy_source(50, 20, {5, 1, 4, false});
  std::vector<TaskSpec> again(200);
  const auto fill = [&](const NwayKshot& from, uint32_t first) {
    for (uint32_t i = 200; i-- > 0;)
      if (i % 2 == first) again[i] = from.describe(3, task(i / 8, i % 8), {});
  };
  std::thread thread([&] { fill(source, 0); });
  fill(other, 1);
  thread.join();
  CHECK((again == specs));  // no text form to print

  std::set<std::vector<uint32_t>> distinct;
  for (uint64_t seed : {3, 4})
    for (Stream stream : {Stream::train, Stream::validation, Stream::test})
      for (uint32_t i = 0; i < 100; ++i) {
        const auto spec = source.describe(seed, task(i / 8, i % 8, stream), {});
        auto key = spec.classes;
        key.insert(key.end(), spec.examples.begin(), spec.examples.end());
        distinct.insert(key);
      }
  CHECK(distinct.size() == 600);
}

TEST_CASE("tasks are filled class-major, support then query", "[tasks]") {
  const NwayKshot source = toy_source(10, 6, {3, 2, 4, false});
  const std::vector<TaskSpec> specs = {source.describe(1, task(0, 0), {}),
                                       source.describe(1, task(0, 1), {})};
  const TaskBatch batch = stack_tasks(source, specs);
  CHECK(batch.tasks() == 2);
  CHECK(batch.shape.ways == 3);
  CHECK(batch.support.x.sizes() == at::IntArrayRef({2, 6, 1, 2, 2}));
  CHECK(batch.query.x.sizes() == at::IntArrayRef({2, 12, 1, 2, 2}));
  CHECK(batch.query.y.sizes() == at::IntArrayRef({2, 12}));
  CHECK_FALSE(batch.query.weight.defined());
  bool right = true;
  for (int64_t t = 0; t < 2; ++t)
    for (int64_t way = 0; way < 3; ++way)
      for (int64_t i = 0; i < 6; ++i) {
        const auto& spec = specs[static_cast<size_t>(t)];
        const Part& part = i < 2 ? batch.support : batch.query;
        const int64_t row = i < 2 ? 2 * way + i : 4 * way + i - 2;
        const auto* x =
            part.x.data_ptr<float>() + (t * part.x.size(1) + row) * 4;
        const auto* y = part.y.data_ptr<int64_t>() + t * part.y.size(1) + row;
        right &= x[0] == static_cast<float>(spec.classes[way]);
        right &= x[1] == static_cast<float>(spec.examples[6 * way + i]);
        right &= x[2] == 1 && x[3] == 0;
        right &= *y == way;
      }
  CHECK(right);

  // Alone or beside another task, the bytes are the same.
  const TaskBatch alone = stack_tasks(source, {specs[1]});
  CHECK(at::equal(alone.query.x[0], batch.query.x[1]));
  CHECK(at::equal(alone.support.y[0], batch.support.y[1]));

  const TaskBatch doubles = to(batch, at::kCPU, at::kDouble);
  CHECK(doubles.support.x.scalar_type() == at::kDouble);
  CHECK(doubles.support.y.scalar_type() == at::kLong);
  CHECK(at::equal(doubles.query.x.to(at::kFloat), batch.query.x));
  CHECK((doubles.ids == batch.ids));

  CHECK_THROWS_AS(stack_tasks(source, {}), Error);
}

TEST_CASE("tasks of unequal size are padded to the least shape", "[tasks]") {
  const NwayKshot source = toy_source(10, 6, {3, 2, 2, false});
  const NwayKshot more_ways = toy_source(10, 6, {5, 1, 2, false});
  const std::vector<TaskSpec> specs = {source.describe(1, task(0, 0), {}),
                                       more_ways.describe(1, task(0, 1), {})};
  const TaskBatch batch = stack_tasks(source, specs);
  CHECK(batch.shape.ways == 5);
  CHECK(batch.support.x.sizes() == at::IntArrayRef({2, 6, 1, 2, 2}));
  CHECK(batch.query.x.sizes() == at::IntArrayRef({2, 10, 1, 2, 2}));
  for (int64_t t = 0; t < 2; ++t) {
    const TaskBatch alone = stack_tasks(source, {specs[t]});
    CHECK_FALSE(alone.support.weight.defined());
    CHECK_FALSE(alone.support.absent.defined());
    CHECK(alone.support.ways == (t == 0 ? 3 : 5));
    for (auto part : {&TaskBatch::support, &TaskBatch::query}) {
      const Part &one = alone.*part, &all = batch.*part;
      const int64_t n = one.x.size(1), rest = all.x.size(1) - n;
      CHECK(at::equal(all.x[t].narrow(0, 0, n), one.x[0]));
      CHECK(at::equal(all.y[t].narrow(0, 0, n), one.y[0]));
      CHECK(all.weight[t].sum().item<float>() == static_cast<float>(n));
      CHECK(all.weight[t].narrow(0, n, rest).sum().item<float>() == 0);
      CHECK(all.x[t].narrow(0, n, rest).abs().sum().item<float>() == 0);
      CHECK(all.y[t].narrow(0, n, rest).sum().item<int64_t>() == 0);
    }
  }
  CHECK(batch.query.ways == 5);
  CHECK(at::equal(batch.query.absent.sum({1, 2}), at::tensor({2, 0})));
}

TEST_CASE("numbers of classes and shots are drawn, and grow", "[tasks]") {
  NwayKshotOptions options{2, 1, 2, false};
  options.ways_max = 6;
  options.shots_max = 3;
  const NwayKshot source = toy_source(10, 5, options);
  std::map<std::pair<size_t, uint32_t>, int> seen;
  for (uint32_t i = 0; i < 3000; ++i) {
    const auto spec = source.describe(3, task(i, 0), {});
    ++seen[{spec.classes.size(), spec.support[0]}];
    CHECK(spec.query == std::vector<uint32_t>(spec.classes.size(), 2));
  }
  CHECK(seen.size() == 15);
  // 200 each; 5 standard deviations of a count are 68.
  for (const auto& [counts, n] : seen) CHECK(std::abs(n - 200) < 68);

  // A level has one class and one shot more.
  for (uint32_t held_back = 0; held_back <= 5; ++held_back) {
    StreamState stream;
    stream.held_back = held_back;
    size_t ways = 0;
    uint32_t shots = 0;
    for (uint32_t i = 0; i < 200; ++i) {
      const auto spec = source.describe(3, task(i, 0), stream);
      ways = std::max(ways, spec.classes.size());
      shots = std::max(shots, spec.support[0]);
    }
    const uint32_t level = 4 - std::min(held_back, 4u);
    CHECK(ways == 2 + level);
    CHECK(shots == 1 + std::min(level, 2u));
  }
  // The largest task decides which classes are large enough.
  CHECK_THROWS_WITH(toy_source(10, 4, options),
                    contains("task.shots + task.queries = 5"));
}

TEST_CASE("threads fill the same bytes in any order", "[tasks]") {
  DataOptions data;
  data.rotations = "task";
  TaskOptions options;
  options.queries = 5;
  const TaskSources sources = open_tasks(data, options);
  const auto& train = sources.of(Stream::train);
  std::vector<TaskSpec> specs;
  for (uint32_t i = 0; i < 60; ++i)
    specs.push_back(train.describe(2, task(i, 0), {}));
  const TaskBatch want = stack_tasks(train, specs);
  std::vector<at::Tensor> got(3);
  std::vector<std::thread> threads;
  for (size_t t = 0; t < got.size(); ++t)
    threads.emplace_back([&, t] {
      auto order = specs;
      std::rotate(order.begin(), order.begin() + static_cast<long>(20 * t),
                  order.end());
      std::reverse(order.begin(), order.end());
      got[t] = stack_tasks(train, order).query.x;
    });
  for (auto& thread : threads) thread.join();
  for (size_t t = 0; t < got.size(); ++t)
    CHECK(at::equal(got[t].flip(0).roll(static_cast<int64_t>(20 * t), 0),
                    want.query.x));
}

TEST_CASE("a damaged description is refused", "[tasks]") {
  const NwayKshot source = toy_source(10, 6, {3, 2, 4, true});
  const TaskSpec good = source.describe(1, task(4, 2), {});
  CHECK_NOTHROW(stack_tasks(source, {good}));
  TaskSpec bad = good;
  bad.examples.pop_back();
  CHECK_THROWS_WITH(stack_tasks(source, {bad}),
                    contains("step 4, index 2") && contains("17 examples"));
  bad = good;
  bad.support.pop_back();
  CHECK_THROWS_AS(stack_tasks(source, {bad}), Error);
  bad = good;
  bad.transforms.pop_back();
  CHECK_THROWS_AS(stack_tasks(source, {bad}), Error);
}

TEST_CASE("a class of a task is turned as its spec says", "[tasks]") {
  const NwayKshot source = toy_source(10, 6, {4, 1, 2, true});
  const TaskSpec turned = source.describe(5, task(2, 3), {});
  TaskSpec upright = turned;
  upright.transforms.clear();
  const auto a = stack_tasks(source, {turned});
  const auto b = stack_tasks(source, {upright});
  for (int64_t way = 0; way < 4; ++way) {
    float want[4];
    std::copy_n(b.support.x.data_ptr<float>() + 4 * way, 4, want);
    rotate_quarter_turns(want, 1, 2, turned.transforms[way]);
    CHECK(std::equal(want, want + 4, a.support.x.data_ptr<float>() + 4 * way));
  }
}

TEST_CASE("distorted training images depend on seed and id alone",
          "[tasks][augment]") {
  DataOptions data;
  data.augment = "affine";
  TaskOptions options;
  options.queries = 5;
  const TaskSources plain = open_tasks({}, options);
  const TaskSources sources = open_tasks(data, options);
  const auto& train = sources.of(Stream::train);
  std::vector<TaskSpec> specs, straight;
  for (uint32_t i = 0; i < 40; ++i) {
    specs.push_back(train.describe(2, task(i, 3), {}));
    straight.push_back(plain.train->describe(2, task(i, 3), {}));
    CHECK(specs[i].classes == straight[i].classes);
    CHECK(specs[i].examples == straight[i].examples);
  }
  const TaskBatch a = stack_tasks(train, specs);
  const TaskBatch b = stack_tasks(*plain.train, straight);
  // Another object, one task alone.
  const TaskSources again = open_tasks(data, options);
  const TaskBatch alone = stack_tasks(*again.train, {specs[7]});
  CHECK(at::equal(alone.support.x[0], a.support.x[7]));
  CHECK(at::equal(alone.query.x[0], a.query.x[7]));
  // Labels stay; no two images of a task get the same distortion; strokes stay
  // on the page.
  CHECK(at::equal(a.query.y, b.query.y));
  CHECK_FALSE(at::equal(a.support.x[7], b.support.x[7]));
  TaskSpec twin = specs[7];
  for (size_t i = 1; i < 6; ++i) twin.examples[i] = twin.examples[0];
  const TaskBatch twins = stack_tasks(train, {twin});
  CHECK_FALSE(at::equal(twins.query.x[0][0], twins.query.x[0][1]));
  CHECK_FALSE(at::equal(twins.query.x[0][0], twins.support.x[0][0]));
  const double ink =
      a.query.x.mean().item<double>() / b.query.x.mean().item<double>();
  CHECK(ink > 0.9);
  CHECK(ink < 1.1);
  CHECK(a.query.x.min().item<double>() >= 0);
  CHECK(a.query.x.max().item<double>() <= 1);

  // Another seed, another distortion of the same images.
  TaskSpec other = specs[7];
  other.latent = {3};
  CHECK_FALSE(at::equal(stack_tasks(train, {other}).query.x[0], a.query.x[7]));
}

TEST_CASE("validation and test images are never distorted",
          "[tasks][augment]") {
  DataOptions data;
  data.augment = "affine";
  const TaskSources plain = open_tasks({}, TaskOptions());
  const TaskSources sources = open_tasks(data, TaskOptions());
  CHECK(sources.checksum == plain.checksum);
  for (Stream stream : {Stream::validation, Stream::test}) {
    const auto spec = sources.of(stream).describe(2, task(0, 1, stream), {});
    CHECK((spec == plain.of(stream).describe(2, task(0, 1, stream), {})));
    CHECK(at::equal(stack_tasks(sources.of(stream), {spec}).query.x,
                    stack_tasks(plain.of(stream), {spec}).query.x));
  }
}

TEST_CASE("an unknown data.augment is an error with the key",
          "[tasks][augment]") {
  DataOptions data;
  data.augment = "elastic";
  CHECK(message_of([&] { open_tasks(data, TaskOptions()); }) ==
        "data.augment = \"elastic\"; expected one of: none, affine");
}

TEST_CASE("too few classes for the ways are an error with the key", "[tasks]") {
  const auto data =
      std::make_shared<ToyClasses>(std::vector<uint32_t>{20, 4, 20, 5, 20, 6});
  const auto make = [&](NwayKshotOptions options) {
    return NwayKshot(data, all(*data), options, "validation");
  };
  CHECK(make({4, 1, 5, false}).eligible() == std::vector<uint32_t>{0, 2, 4, 5});
  const std::string message = message_of([&] { make({5, 1, 5, false}); });
  CHECK(
      message ==
      "task.ways = 5, but of 6 validation classes only 4 hold task.shots + "
      "task.queries = 6 examples; expected at least 5; what would fit: ways = "
      "4, or shots + queries = 5");
  CHECK_THAT(message_of([&] {
               make({7, 1, 1, false});
             }),
             contains("task.ways = 7"));
  CHECK_THAT(message_of([&] {
               make({0, 1, 1, false});
             }),
             contains("task.ways = 0"));
  CHECK_THAT(message_of([&] {
               make({2, 0, 1, false});
             }),
             contains("task.shots = 0"));
  CHECK_THAT(message_of([&] {
               make({2, 1, 0, false});
             }),
             contains("task.queries = 0"));
  CHECK_THAT(message_of([&] {
               make({2, 4294967295u, 1, false});
             }),
             contains("4294967296 examples"));
}

TEST_CASE("Omniglot tasks stay within their split", "[tasks]") {
  DataOptions data;
  data.rotations = "task";
  TaskOptions options;
  options.queries = 5;
  const TaskSources sources = open_tasks(data, options);
  const auto examples = open_dataset(data);
  const Splits splits = make_splits(*examples, data);
  for (Stream stream : {Stream::train, Stream::validation, Stream::test}) {
    const std::set<uint32_t> allowed(splits.of(stream).begin(),
                                     splits.of(stream).end());
    uint64_t strays = 0, turned = 0;
    for (uint32_t i = 0; i < 500; ++i) {
      const auto spec = sources.of(stream).describe(1, task(i, 0, stream), {});
      for (uint32_t cls : spec.classes) strays += !allowed.contains(cls);
      for (uint32_t t : spec.transforms) turned += t != 0;
    }
    CHECK(strays == 0);
    CHECK((turned > 0) == (stream == Stream::train));
  }
  CHECK(open_tasks(data, options).checksum == sources.checksum);
  data.split = "random";
  const TaskSources random = open_tasks(data, options);
  CHECK(random.checksum != sources.checksum);
  data.split_test = 0;
  const TaskSources none = open_tasks(data, options);
  CHECK_FALSE(none.test);
  CHECK_THROWS_AS(none.of(Stream::test), ConfigError);
}

namespace {

// Class c is of the group that `of` names.
class GroupedClasses : public ToyClasses {
 public:
  explicit GroupedClasses(std::vector<std::string> of)
      : ToyClasses(std::vector<uint32_t>(of.size(), 6)), of_(std::move(of)) {}
  std::string group(uint32_t c) const override { return of_.at(c); }

 private:
  std::vector<std::string> of_;
};

NwayKshot grouped_source(std::vector<std::string> groups,
                         NwayKshotOptions options) {
  options.one_group = true;
  auto data = std::make_shared<GroupedClasses>(std::move(groups));
  return {data, all(*data), options, "train"};
}

}  // namespace

TEST_CASE("with task.within = group a task's classes are of one group",
          "[tasks]") {
  // Four letters of a, three of b, two of c, which are too few.
  const NwayKshot source =
      grouped_source({"a", "b", "a", "c", "b", "a", "c", "b", "a"}, {3, 1, 2});
  std::map<std::string, int> groups;
  std::map<std::vector<uint32_t>, int> orders;
  const std::vector<std::string> of = {"a", "b", "a", "c", "b",
                                       "a", "c", "b", "a"};
  int mixed = 0;
  for (uint32_t i = 0; i < 4000; ++i) {
    const auto classes = source.describe(5, task(i, 0), {}).classes;
    REQUIRE(std::set<uint32_t>(classes.begin(), classes.end()).size() == 3);
    for (uint32_t c : classes) mixed += of[c] != of[classes[0]];
    ++groups[of[classes[0]]];
    ++orders[classes];
  }
  CHECK(mixed == 0);
  // Both groups as often, whatever their sizes: five deviations are 158.
  CHECK(groups.size() == 2);
  CHECK(std::abs(groups["a"] - 2000) < 158);
  CHECK(groups["a"] + groups["b"] == 4000);
  // All 4 x 3 x 2 and 3 x 2 orders.
  CHECK(orders.size() == 24 + 6);
}

TEST_CASE("groups must be there, and large enough", "[tasks]") {
  CHECK(message_of([] {
          grouped_source({"a", "b", "a"}, {3, 1, 2});
        }) ==
        "task.ways = 3 with task.within = group, but the largest of 2 train "
        "groups, a, has 2 classes; expected at most 2");
  CHECK(message_of([] {
          grouped_source({"a", "a", "", ""}, {2, 1, 2});
        }) ==
        "task.within = group, but 2 train classes are of no group, such as "
        "c2; expected any");
  // The largest tasks decide.
  NwayKshotOptions options{2, 1, 2};
  options.ways_max = 3;
  const auto source = grouped_source({"a", "a", "b", "b", "b"}, options);
  for (uint32_t i = 0; i < 50; ++i)
    CHECK(source.describe(5, task(i, 0), {}).classes[0] >= 2);
}

TEST_CASE("alphabets of Omniglot, for training and evaluation apart",
          "[tasks]") {
  TaskOptions options;
  options.queries = 5;
  const auto alphabets = [](const TaskSources& sources, Stream stream) {
    size_t most = 0;
    for (uint32_t i = 0; i < 100; ++i) {
      std::set<std::string> seen;
      const auto spec = sources.of(stream).describe(1, task(i, 0, stream), {});
      for (uint32_t c : spec.classes) seen.insert(sources.examples->group(c));
      most = std::max(most, seen.size());
    }
    return most;
  };
  options.within = "group";
  const auto both = open_tasks({}, options);
  CHECK(alphabets(both, Stream::train) == 1);
  CHECK(alphabets(both, Stream::validation) == 1);
  CHECK(alphabets(both, Stream::test) == 1);
  const auto training = open_tasks({}, options, {5, 1, 5});
  CHECK(alphabets(training, Stream::train) == 1);
  CHECK(alphabets(training, Stream::test) > 1);
  options.within = "any";
  const auto evaluation = open_tasks({}, options, {5, 1, 5, true});
  CHECK(alphabets(evaluation, Stream::train) > 1);
  CHECK(alphabets(evaluation, Stream::test) == 1);
}
