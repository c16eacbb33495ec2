#include "protean/experiment/keys.h"

#include <algorithm>
#include <map>
#include <set>

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"
#include "protean/core/ini.h"
#include "protean/core/lists.h"
#include "protean/core/settings.h"
#include "protean/experiment/catalogue.h"

#include "support/catch.h"
#include "support/temp_dir.h"

using namespace protean;

namespace {

// A configuration whose keys are set by name.
struct Keyed {
  Config config;
  Settings settings;
  Keyed() { fields(settings, config); }
  Keyed& set(const std::string& key, const std::string& value) {
    settings.at(key, "test").set(value);
    return *this;
  }
  std::string error() const {
    try {
      check(config);
    } catch (const ConfigError& e) {
      return e.what();
    }
    return "";
  }
};

using Values = std::vector<std::pair<std::string, std::string>>;

// A message without the learners in its list that this file does not know: what
// others read is for their tests to say.
std::string of_known(const std::string& message) {
  static const std::set<std::string> known = {
      "maml",      "fomaml",   "anil",     "boil",     "metasgd",
      "mamlpp",    "imaml",    "metalstm", "cavia",    "reptile",
      "protomaml", "protonet", "matching", "relation", "siamese",
      "snail",     "mann",     "baseline", "scratch",  "setvae",
      "metavae",   "metagan",  "deform",   "promp",    "mamlpg"};
  const auto colon = message.rfind(": ");
  if (colon == std::string::npos) return message;
  auto items = comma_separated(message.substr(colon + 1));
  std::vector<std::string> kept;
  for (const auto& item : items)
    if (known.count(item.substr(1)) > 0) kept.push_back(item.substr(1));
  return kept.empty() ? message : message.substr(0, colon + 2) + joined(kept);
}

Keyed& set(Keyed& t, const Values& values) {
  for (const auto& [key, value] : values) t.set(key, value);
  return t;
}

std::string error_of(const Values& values) {
  Keyed t;
  return set(t, values).error();
}

// What a learner needs beside its name.
Values base_of(const std::string& learner) {
  Values values{{"learner.name", learner}};
  if (learner == "promp" || learner == "mamlpg")
    values.insert(values.end(),
                  {{"data.source", "point"}, {"model.name", "mlp"}});
  if (learner == "cavia") values.emplace_back("model.context", "5");
  if (learner == "imaml") values.emplace_back("learner.proximal", "2");
  if (learner == "baseline") values.emplace_back("task.flat_batch", "16");
  return values;
}

// Another value than the default that is in range.
std::string other_value(const Setting& s) {
  auto candidates = s.choices();
  candidates.insert(candidates.end(),
                    {"true", "false", "3", "2", "1", "0.5", "0.25", "0"});
  for (const auto& value : candidates) {
    try {
      s.set(value);
      s.check();
      if (s.is_default()) continue;
    } catch (const std::exception&) {
      continue;
    }
    s.reset();
    return value;
  }
  FAIL("no other value of " << s.key());
  return "";
}

}  // namespace

TEST_CASE("every learner refuses every key that it does not read", "[keys]") {
  std::map<std::string, int> refused;
  for (const auto& learner : entries_of("learner.name")) {
    INFO(learner.name);
    REQUIRE(error_of(base_of(learner.name)) == "");
    Keyed all;
    for (const auto& s : all.settings.all()) {
      const auto& c = s.conditions();
      const auto table = std::find_if(c.begin(), c.end(), [](const auto& x) {
        return x.entries && x.on == "learner.name";
      });
      if (table == c.end() ||
          std::count(learner.keys.begin(), learner.keys.end(), s.key()))
        continue;
      INFO(s.key());
      Keyed t;
      set(t, base_of(learner.name));
      const auto value = other_value(t.settings.at(s.key(), ""));
      const auto message = t.set(s.key(), value).error();
      CHECK(message.starts_with(s.key() + " = "));
      CHECK(message.find(" does nothing with learner.name = " + learner.name +
                         "; it is read by: ") != std::string::npos);
      for (const auto& reader : table->values)
        CHECK(message.find(reader) != std::string::npos);
      ++refused[learner.name];
    }
  }
  // Counted by hand from the papers' settings.
  CHECK(refused.at("maml") > 30);
  CHECK(refused.at("protonet") > 40);
  CHECK(refused.size() == entries_of("learner.name").size());
}

TEST_CASE(
    "each option that did nothing is refused in a line that names who "
    "reads it",
    "[keys]") {
  const auto refused = [](Values values, const std::string& message) {
    INFO(message);
    CHECK(of_known(error_of(values)) == message);
  };
  const auto by = [&](const std::string& learner, const std::string& key,
                      const std::string& value, const std::string& readers) {
    auto values = base_of(learner);
    values.emplace_back("learner." + key, value);
    const bool text = key == "adapt" || key == "query_norm" ||
                      key == "inner_optimizer" || key == "readout";
    refused(values,
            concat("learner.", key, " = ", text ? "\"" + value + "\"" : value,
                   " does nothing with learner.name = ", learner,
                   "; it is read by: ", readers));
  };
  const std::string steps =
      "maml, fomaml, anil, boil, metasgd, mamlpp, protomaml, imaml, metalstm, "
      "cavia, reptile, baseline, scratch";
  const std::string also = ", metavae, metagan, promp, mamlpg";
  by("protonet", "inner_steps", "3", steps + also);
  by("protonet", "inner_lr", "0.1", steps + also);
  by("protonet", "eval_steps", "3", steps + also);
  by("protonet", "inner_batch", "3", steps);
  by("protonet", "adapt", "head",
     "maml, fomaml, metasgd, mamlpp, protomaml, imaml, metalstm, reptile, "
     "baseline, scratch, metavae, metagan");
  by("protonet", "adapt_norm", "false",
     "maml, fomaml, boil, metasgd, protomaml, imaml, metalstm, reptile, "
     "baseline, scratch");
  const std::string exact =
      "maml, anil, boil, metasgd, mamlpp, protomaml, metalstm, cavia, metavae, "
      "metagan, promp, mamlpg";
  by("protonet", "second_order", "false", exact);
  by("reptile", "second_order", "false", exact);
  by("fomaml", "second_order", "false", exact);
  by("maml", "norm_momentum", "0.5",
     "protonet, matching, relation, siamese, snail, mann, baseline");
  by("baseline", "query_norm", "support",
     "maml, fomaml, anil, boil, metasgd, mamlpp, protomaml, imaml, metalstm, "
     "cavia, reptile, protonet, matching, siamese, snail, mann, scratch");
  by("mamlpp", "adapt_norm", "false",
     "maml, fomaml, boil, metasgd, protomaml, imaml, metalstm, reptile, "
     "baseline, scratch");
  // Rates of their own: no inner optimiser is offered.
  for (const char* own : {"metasgd", "mamlpp", "metalstm"})
    by(own, "inner_optimizer", "adam",
       "maml, fomaml, anil, boil, protomaml, imaml, cavia, reptile, baseline, "
       "scratch, metavae, metagan");
  by("maml", "readout", "all", "baseline");

  refused(
      {{"learner.name", "protonet"}, {"learner.inner_momentum", "0.5"}},
      "learner.inner_momentum = 0.5 does nothing with learner.name = "
      "protonet; it is read by: maml, fomaml, anil, boil, protomaml, imaml, "
      "cavia, reptile, baseline, scratch, metavae, metagan");
  refused({{"learner.inner_beta1", "0.5"}},
          "learner.inner_beta1 = 0.5 does nothing with learner.inner_optimizer "
          "= sgd; expected its default, 0, or learner.inner_optimizer = adam");
  refused(
      {{"learner.name", "baseline"},
       {"task.flat_batch", "16"},
       {"learner.adapt_norm", "false"}},
      "learner.adapt_norm = false does nothing with learner.readout = head; "
      "expected its default, true, or learner.readout = all, for baseline");
  refused({{"learner.name", "matching"}, {"learner.context_reads", "3"}},
          "learner.context_reads = 3 does nothing with learner.full_context = "
          "false; expected its default, 5, or learner.full_context = true");
  refused(
      {{"optim.momentum", "0.5"}},
      "optim.momentum = 0.5 does nothing with optim.name = adam; it is read "
      "by: momentum");
  refused(
      {{"optim.name", "sgd"}, {"optim.beta1", "0.5"}},
      "optim.beta1 = 0.5 does nothing with optim.name = sgd; it is read by: "
      "adam");
  refused({{"optim.decay", "0.1"}},
          "optim.decay = 0.1 does nothing with optim.schedule = constant; "
          "expected its default, 0.5, or optim.schedule = step");
  refused(
      {{"optim.lr_end", "0.1"}},
      "optim.lr_end = 0.1 does nothing with optim.schedule = constant; "
      "expected its default, 0, or optim.schedule = one of: cosine, linear");
  refused({{"data.source", "point"}, {"data.arms", "3"}},
          "data.arms = 3 does nothing with data.source = point; it is read by: "
          "bandit");
  refused({{"model.hidden", "8"}},
          "model.hidden = \"8\" does nothing with model.name = conv4; it is "
          "read by: mlp");
  refused({{"data.split", "background"}, {"data.split_seed", "3"}},
          "data.split_seed = 3 does nothing with data.split = background; "
          "expected its default, 0, or data.split = random or auto, "
          "data.also_split = random, or data.train_classes or "
          "data.train_groups above 0");
  refused({{"learner.name", "setvae"}, {"model.filters", "8"}},
          "model.filters = 8 does nothing with learner.name = setvae; it is "
          "read by: maml, fomaml, anil, boil, metasgd, mamlpp, protomaml, "
          "imaml, metalstm, cavia, reptile, protonet, matching, relation, "
          "siamese, snail, mann, baseline, scratch, promp, mamlpg");
}

TEST_CASE("a key that depends on others is taken with them", "[keys]") {
  const auto taken = [](const Values& values) {
    INFO(values.back().first);
    CHECK(error_of(values) == "");
  };
  taken({{"learner.inner_optimizer", "adam"}, {"learner.inner_beta1", "0.5"}});
  taken({{"learner.name", "matching"},
         {"learner.full_context", "true"},
         {"learner.context_reads", "3"}});
  taken({{"optim.name", "momentum"}, {"optim.momentum", "0.5"}});
  taken({{"optim.schedule", "cosine"}, {"optim.lr_end", "0.1"}});
  taken({{"optim.schedule", "step"}, {"optim.decay", "0.1"}});
  taken({{"model.name", "mlp"}, {"model.hidden", "8"}});
  taken({{"data.split", "random"}, {"data.split_seed", "3"}});
  taken({{"data.train_classes", "9"}, {"data.split_seed", "3"}});
  taken({{"data.also", "x"}, {"data.split_seed", "3"}});
  // metagan without inner steps: `protean eval --learner.inner_steps N`.
  taken({{"learner.name", "metagan"},
         {"learner.inner_steps", "0"},
         {"learner.inner_lr", "0.1"},
         {"learner.adapt", "head"},
         {"learner.inner_optimizer", "adam"}});
  taken({{"learner.name", "metagan"},
         {"generator.network", "deform"},
         {"generator.warm_up", "9"}});
  taken({{"learner.name", "deform"}, {"generator.warm_up", "9"}});
  // Learners read only what they have: metalstm's first order still computes
  // each step again.
  taken({{"learner.name", "metalstm"},
         {"learner.second_order", "false"},
         {"learner.checkpoint", "true"}});
}

TEST_CASE("what a continued run may change", "[keys]") {
  const std::set<std::string> may{"run.dir",
                                  "run.steps",
                                  "run.max_time",
                                  "run.log_every",
                                  "run.quiet",
                                  "run.device",
                                  "run.threads",
                                  "run.logs",
                                  "run.trace",
                                  "run.prometheus",
                                  "run.tensorboard",
                                  "data.path",
                                  "data.prefetch",
                                  "generator.from",
                                  "model.init_from",
                                  "comm.backend",
                                  "data.io",
                                  "comm.ranks",
                                  "comm.timeout_s",
                                  "comm.init_timeout_s",
                                  "comm.grace_s",
                                  "comm.chunk_bytes",
                                  "comm.reduction",
                                  "comm.wire",
                                  "comm.overlap",
                                  "comm.shard_optim",
                                  "coordinator.heartbeat_s",
                                  "coordinator.warn_s",
                                  "coordinator.silence_s",
                                  "coordinator.progress_s",
                                  "coordinator.dedicated",
                                  "coordinator.balance",
                                  "checkpoint.every",
                                  "checkpoint.every_s",
                                  "checkpoint.keep",
                                  "checkpoint.keep_best",
                                  "checkpoint.keep_every",
                                  "checkpoint.wait_s",
                                  "checkpoint.grace_s",
                                  "checkpoint.fallback_dir"};
  const std::set<std::string> evaluation{
      "eval.every",   "eval.tasks",           "eval.ways",     "eval.shots",
      "eval.queries", "eval.target_accuracy", "eval.patience", "eval.features",
      "eval.stream",  "eval.within"};
  Keyed t;
  for (const auto& s : t.settings.all()) {
    INFO(s.key());
    CHECK((s.resume() == Resume::may_change) == (may.count(s.key()) > 0));
    CHECK((s.resume() == Resume::may_change_unless_validations_decide) ==
          (evaluation.count(s.key()) > 0));
  }
  const auto kept = [](const Config& config) {
    std::set<std::string> keys;
    for (const auto& [key, value] : kept_values(config)) keys.insert(key);
    return keys;
  };
  CHECK(kept(t.config).count("eval.tasks") == 0);
  CHECK(kept(t.config).count("task.ways") == 1);
  CHECK(kept(t.config).count("learner.inner_steps") == 1);
  t.set("task.curriculum_accuracy", "0.5");
  CHECK(kept(t.config).count("eval.tasks") == 1);
  CHECK(kept(t.config).count("comm.ranks") == 0);
  // What nothing reads decides no bits.
  t.set("learner.name", "protonet");
  CHECK(kept(t.config).count("learner.inner_steps") == 0);
}

TEST_CASE("a stored value that nothing reads gives way to its default",
          "[keys]") {
  const TempDir dir;
  const auto path = dir.path() / "config.ini";
  write_file_atomically(path, write_ini({{"learner.name", "protonet"},
                                         {"learner.inner_steps", "3"},
                                         {"learner.inner_optimizer", "adam"},
                                         {"learner.inner_beta1", "0.5"},
                                         {"task.ways", "20"}}));
  const auto config = read_stored_config(path);
  CHECK(config.learner.inner_steps == 5);
  CHECK(config.learner.inner_optimizer == "sgd");
  CHECK(config.learner.inner_beta1 == 0);
  CHECK(config.task.ways == 20);
  CHECK_NOTHROW(check(config));
  Keyed t;
  set(t, {{"learner.name", "protonet"}, {"learner.inner_steps", "3"}});
  CHECK(t.settings.drop_unread([](const Setting&) { return true; }, "x.ini") ==
        std::vector<std::string>{
            "x.ini: learner.inner_steps = 3 does nothing with learner.name = "
            "protonet; its default, 5, stands in its place"});
  write_file_atomically(path, "[task]\nwayz = 3\n");
  CHECK_THROWS_WITH(read_stored_config(path),
                    path.string() +
                        ":2: unknown key task.wayz; expected a "
                        "known key, the nearest is task.ways");
}

TEST_CASE("a name that is none is answered with those that there are",
          "[keys]") {
  const auto refused = [](const char* key, const std::string& names) {
    CHECK(of_known(error_of({{key, "mml"}})) ==
          concat(key, " = \"mml\"; expected one of: ", names));
  };
  refused("learner.name",
          "maml, fomaml, anil, boil, metasgd, mamlpp, protomaml, imaml, "
          "metalstm, cavia, reptile, protonet, matching, relation, siamese, "
          "snail, mann, baseline, scratch, setvae, metavae, metagan, deform, "
          "promp, mamlpg");
  refused("model.name", "conv4, resnet12, resnet18, mlp, encoder, transformer");
  refused("optim.name", "adam, sgd, momentum");
}
