#include "cli/options.h"

#include <filesystem>
#include <set>

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"
#include "protean/core/ini.h"

#include "support/catch.h"
#include "support/temp_dir.h"

using namespace protean;

namespace {

std::filesystem::path stored;  // what stored_config names

struct Files {
  TempDir folder;
  std::string file(const std::string& name, const std::string& text) {
    const auto path = folder.path() / name;
    write_file_atomically(path, text);
    return path.string();
  }
};

std::string value(const CommandLine& line, const std::string& key) {
  for (const auto& [k, v] : line.values)
    if (k == key) return v;
  return "none";
}

CommandLine parse(const std::vector<std::string>& args) {
  return parse_command_line(args, {{"resume", "MODE", "none", "help"},
                                   {"verify", "", "", "help"},
                                   {"per-task", "FILE", "", "", {"out"}}});
}

}  // namespace

TEST_CASE(
    "flags win over files, later files over earlier ones, all over what "
    "is stored",
    "[cli]") {
  Files f;
  const auto first =
      f.file("first.ini", "[task]\nways = 6\nshots = 2\nqueries = 3\n");
  const auto second = f.file("second.ini", "[task]\nways = 7\nshots = 4\n");
  stored =
      f.file("config.ini",
             "[task]\nways = 8\nshots = 5\nqueries = 9\nmeta_batch = 11\n");
  const auto line =
      parse_command_line({"--config", first, "--task.ways", "9", "--config",
                          second, "--task.ways", "10"},
                         {}, [](const CommandLine&) { return stored; });
  CHECK(line.config.task.ways == 10);    // the last of two flags
  CHECK(line.config.task.shots == 4);    // the last of two files
  CHECK(line.config.task.queries == 3);  // a file over what is stored
  CHECK(line.config.task.meta_batch == 11);
  CHECK(line.config.task.stack == 0);  // its default
  CHECK(value(line, "task.ways") == "10");
  CHECK(value(line, "task.meta_batch") == "11");
}

TEST_CASE("the order of a flag and a file on the command line does not matter",
          "[cli]") {
  Files f;
  const auto file = f.file("a.ini", "[task]\nways = 6\n");
  CHECK(parse({"--config", file, "--task.ways", "9"}).config.task.ways == 9);
  CHECK(parse({"--task.ways=9", "--config", file}).config.task.ways == 9);
}

TEST_CASE("other words of the field are stored under the one name", "[cli]") {
  Files f;
  const auto line = parse({"--lr", "0.5", "--n_way", "20", "--task.k_shot", "3",
                           "--optimizer=sgd", "--batch_size", "4", "--n_jobs",
                           "2", "--random_state", "7", "--epochs", "100"});
  CHECK(value(line, "optim.lr") == "0.5");
  CHECK(value(line, "task.ways") == "20");
  CHECK(value(line, "task.shots") == "3");
  CHECK(value(line, "optim.name") == "sgd");
  CHECK(value(line, "task.meta_batch") == "4");
  CHECK(value(line, "run.threads") == "2");
  CHECK(value(line, "run.seed") == "7");
  CHECK(value(line, "run.steps") == "100");
  REQUIRE(line.notes.size() == 8);
  CHECK(line.notes.back() ==
        "--epochs is run.steps here: meta-steps of training: updates of theta, "
        "each from task.meta_batch tasks. Tasks are drawn afresh, so there are "
        "no epochs");
  const auto file = f.file("a.ini", "[task]\nn_way = 6\n[optim]\neta = 2\n");
  CHECK(parse({"--config", file}).config.task.ways == 6);
  CHECK(parse({"--config", file}).config.optim.lr == 2);
  CHECK(parse({"--config", file, "--eta", "3", "--lr", "4"}).config.optim.lr ==
        4);
  const auto twice = f.file("b.ini", "[task]\nn_way = 6\nways = 7\n");
  CHECK_THROWS_WITH(parse({"--config", twice}),
                    twice +
                        ":3: task.ways is the same key as in line 2, "
                        "task.ways; expected one of the two");
}

TEST_CASE("a name that is no key is answered with the one that was meant",
          "[cli]") {
  const auto refused = [](const std::string& flag, const std::string& end) {
    CHECK_THROWS_WITH(
        parse({"--" + flag, "1"}),
        concat("command line: unknown key ", flag, "; expected ", end));
  };
  refused("learner", "a known key, the nearest is learner.name");
  refused("inner_steps", "a known key, the nearest is learner.inner_steps");
  refused("task.wayz", "a known key, the nearest is task.ways");
  refused("resum", "a known key, the nearest is resume");
  refused("verfy", "a known key, the nearest is verify");
  refused("out", "--per-task FILE");
  refused("ways", "one of: task.ways, eval.ways");
}

TEST_CASE("every key and every other word for one is a name of its own",
          "[cli]") {
  Config config;
  BenchOptions bench;
  Settings settings;
  fields(settings, config, bench);
  std::set<std::string> names;
  for (const auto& s : settings.all()) {
    CHECK(names.insert(s.key()).second);
    for (const auto& alias : s.aliases()) {
      INFO(alias);
      CHECK(names.insert(alias).second);
      // As a flag it would hide another key's last word; only epochs may, since
      // people mean the length of the run.
      for (const auto& other : settings.all())
        CHECK((other.word() != alias || &other == &s || alias == "epochs"));
    }
    INFO(s.key());
    CHECK_FALSE(s.help().empty());
    // Defaults are in range, and read back.
    CHECK_NOTHROW(s.check());
    s.set(s.value());
    CHECK(s.is_default());
  }
  CHECK(settings.all().size() > 200);
}

TEST_CASE("what a run stores reads back, whatever its strings hold", "[cli]") {
  Files f;
  for (const std::string path :
       {"a#b", "a # b", "; c", "\"q\"", " blanks ", "k = v", "\xC3\xA9", ""}) {
    const auto line = parse({"--data.path=" + (path.empty() ? "x" : path)});
    auto values = line.values;
    for (auto& [key, v] : values)
      if (key == "data.path") v = path;
    const auto file = f.file("config.ini", write_ini(values));
    CHECK(parse({"--config", file}).config.data.path == path);
  }
}
