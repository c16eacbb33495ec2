#include "protean/core/settings.h"
#include "protean/tasks/keys.h"

namespace protean {
namespace {

bool mixes_to(const Settings& s) { return s.value("task.mix_to") != ""; }
bool interpolates(const Settings& s) {
  return s.value("task.interpolate") != "0";
}
bool adds_generated(const Settings& s) {
  return s.value("task.generated_shots") != "0";
}

constexpr const char* kShare = "task.interpolate above 0";
constexpr const char* kGenerated = "task.generated_shots above 0";

void size_fields(Settings& s, TaskOptions& o) {
  s.add("task.ways", &o.ways)
      .says("classes per task (N of N-way K-shot)")
      .when("5 and 20 are usual; generative models take one class at a time")
      .also_called({"n_way", "n_ways", "num_ways", "way"});
  s.add("task.shots", &o.shots)
      .says(
          "support examples per class (K): what a learner adapts to; of a "
          "function family, table or text: per task; of environments: "
          "rollouts")
      .when("1 and 5 are usual")
      .also_called({"k_shot", "k_shots", "n_shot", "num_shots", "shot"});
  s.add("task.queries", &o.queries)
      .says(
          "query examples per class (per task, as above): what a learner is "
          "judged by")
      .when(
          "15 is usual; classes with fewer than shots + queries examples are "
          "left out")
      .also_called({"n_query", "q_query", "num_queries"});
  s.add("task.train_ways", &o.train_ways)
      .says(
          "classes of training tasks, where evaluation has others; 0: "
          "task.ways")
      .when("20 to 60 for prototypical networks, which gain from many");
  s.add("task.train_shots", &o.train_shots)
      .says("shots of training tasks; 0: task.shots")
      .when("10 to 15 for Reptile, whose training uses them all")
      .only_with("task.flat_batch", {"0"});
  s.add("task.train_queries", &o.train_queries)
      .says("queries of training tasks; 0: task.queries")
      .when("5 instead of 15 makes training faster")
      .only_with("task.flat_batch", {"0"});
  s.add("task.train_ways_max", &o.train_ways_max)
      .says(
          "training tasks differ: each has from task.train_ways to this many "
          "classes, all equally likely; 0: all are equal")
      .when("for a learner that must cope with any number of classes");
  s.add("task.train_shots_max", &o.train_shots_max)
      .says("the same for shots; 0: all are equal")
      .when("for a learner that must cope with any number of shots");
  s.add("task.curriculum_steps", &o.curriculum_steps)
      .says(
          "meta-steps after which unequal training tasks may have one class "
          "and one shot more, beginning with the least; 0: off")
      .when("when the largest tasks are too hard to begin with")
      .at_least(0);
  s.add("task.curriculum_accuracy", &o.curriculum_accuracy)
      .says("validation accuracy, 0 to 1, after which they may; 0: off")
      .when("in place of task.curriculum_steps, to go by what was learnt")
      .within(0, 1);
  s.add("task.within", &o.within)
      .says(
          "where the classes of a task come from: any (all of the split) or "
          "group (one group of them, drawn evenly: an Omniglot alphabet)")
      .when(
          "group for the harder tasks of the one-shot protocol, whose "
          "characters share an alphabet")
      .one_of({"any", "group"})
      .only_with("task.domain", {"none"})
      .only_with("task.flat_batch", {"0"});
  s.add("task.domain", &o.domain)
      .says(
          "queries come from a domain that the support set lacks: rotation, "
          "inversion, alphabet, or none")
      .when("to train for, or measure, a shift between support and query")
      .one_of({"none", "rotation", "inversion", "alphabet"});
  s.add("task.flat_batch", &o.flat_batch)
      .says(
          "examples of a mini-batch of all training classes, in place of a "
          "task; 0: tasks")
      .when("for learner.name = baseline, which is trained so");
}

void episode_fields(Settings& s, TaskOptions& o) {
  auto& e = o.episode;
  const auto free_shots = [](const Settings& all) {
    return all.value("task.fixed_shots") == "0";
  };
  const auto free_ways = [](const Settings& all) {
    return all.value("task.fixed_ways") == "0";
  };
  s.add("task.sampler", &o.sampler)
      .says(
          "how the classes of an episode are chosen: spec (as each data set's "
          "spec orders them: flat, by superclass, or below a node of a graph) "
          "or flat (from the whole split)")
      .when("flat to see what the order above classes does")
      .one_of({"spec", "flat"});
  s.add("task.ignore_hierarchy", &e.ignore_hierarchy)
      .says("share of episodes, 0 to 1, whose classes are chosen flat")
      .when("0.5 to train CrossTransformers as their paper does")
      .within(0, 1)
      .only_with("task.sampler", {"spec"});
  s.add("task.min_ways", &e.min_ways)
      .says("fewest classes of an episode")
      .when("5 is the benchmark's")
      .at_least(2)
      .only_if("task.fixed_ways", "task.fixed_ways = 0", free_ways);
  s.add("task.max_ways", &e.max_ways)
      .says("most classes of an episode")
      .when("50 is the benchmark's; fewer need less memory")
      .at_least(2)
      .only_if("task.fixed_ways", "task.fixed_ways = 0", free_ways);
  s.add("task.fixed_ways", &e.fixed_ways)
      .says("classes of every episode; 0: drawn")
      .when("5 for 5-way tasks; with task.sampler = flat, or flat data sets");
  s.add("task.fixed_shots", &e.fixed_shots)
      .says("support images of every class; 0: drawn, as the benchmark does")
      .when("1 or 5 for 1-shot or 5-shot tasks");
  s.add("task.max_queries", &e.max_queries)
      .says(
          "most query images of a class; there are fewer where a class has "
          "less than twice as many")
      .when("10 is the benchmark's")
      .at_least(1);
  s.add("task.max_support", &e.max_support)
      .says("most support images of an episode")
      .when("500 is the benchmark's; fewer need less memory")
      .at_least(1)
      .only_if("task.fixed_shots", "task.fixed_shots = 0", free_shots);
  s.add("task.max_class_support", &e.max_class_support)
      .says("most images that one class adds to the size of the support set")
      .when("100 is the benchmark's")
      .at_least(1)
      .only_if("task.fixed_shots", "task.fixed_shots = 0", free_shots);
}

void batch_fields(Settings& s, TaskOptions& o) {
  s.add("task.meta_batch", &o.meta_batch)
      .says("tasks per meta-step, over all ranks together")
      .when(
          "more make meta-gradients less noisy and steps slower; the result "
          "does not depend on the number of ranks")
      .at_least(1)
      .also_called({"batch_size", "meta_batch_size", "tasks_per_batch"});
  s.add("task.stack", &o.stack)
      .says(
          "tasks that are computed on together; 0: 16 for small models, else "
          "4")
      .when(
          "raise it for small models and GPUs, lower it when memory is short; "
          "there should be several stacks per rank");
  s.add("task.stack_overhead", &o.stack_overhead)
      .says(
          "unequal tasks are padded to share a stack where that costs fewer "
          "examples than this; 0: only equal tasks share one")
      .when("0 for learners that take no padding")
      .at_least(0);
}

void mix_fields(Settings& s, TaskOptions& o) {
  s.add("task.mix", &o.mix)
      .says(
          "where training tasks come from, with weights, such as "
          "real=1,generated=3: real, augmented (one image, distorted: UMTRA), "
          "generated (by generator.from: LASIUM), clustered (CACTUs)")
      .when("to train without labels, or with more classes than there are");
  s.add("task.mix_to", &o.mix_to)
      .says(
          "weights of the same sources that those of task.mix turn into; 0 is "
          "allowed; empty: they stay")
      .when("to begin with generated tasks and end with real ones");
  s.add("task.mix_steps", &o.mix_steps)
      .says("meta-steps that this takes, in equal parts")
      .at_least(0)
      .only_if("task.mix_to", "weights in task.mix_to", mixes_to);
  auto& i = o.interpolation;
  s.add("task.interpolate", &i.share)
      .says(
          "share of training tasks, 0 to 1, whose images are mixed with "
          "another task's; 0: none")
      .when("against over-fitting to few training classes");
  s.add("task.interpolate_low", &i.low)
      .says("least factor of the other task, from -0.25")
      .only_if("task.interpolate", kShare, interpolates);
  s.add("task.interpolate_high", &i.high)
      .says(
          "greatest factor of the other task, up to 1.25; below 0 and above 1 "
          "the way goes on beyond a task")
      .only_if("task.interpolate", kShare, interpolates);
  s.add("task.interpolate_draw", &i.draw)
      .says(
          "how the factor is drawn between the two: uniform, or beta (2, 2), "
          "which prefers the middle")
      .one_of({"uniform", "beta"})
      .only_if("task.interpolate", kShare, interpolates);
}

void generated_fields(Settings& s, TaskOptions& o) {
  s.add("task.generated_shots", &o.generated_shots)
      .says(
          "support images per class that generator.from makes of the real "
          "ones, added to them; 0: none")
      .when("5 to 20, for one or two real shots")
      .within(0, 1000);
  s.add("task.generated_as", &o.generated_as)
      .says(
          "what they are: shots (more examples of their class, also in "
          "evaluation) or class (one class more, of all that is made, in "
          "training alone)")
      .when("class teaches what made images look like")
      .one_of({"shots", "class"})
      .only_if("task.generated_shots", kGenerated, adds_generated);
  s.add("task.generated_queries", &o.generated_queries)
      .says(
          "query images that are made of each real class, for "
          "task.generated_as = class; 0: queries are real")
      .only_if("task.generated_as", "task.generated_as = class",
               [](const Settings& all) {
                 return adds_generated(all) &&
                        all.is("task.generated_as", {"class"});
               });
  s.add("task.generated_weight", &o.generated_weight)
      .says(
          "weight of a generated support image in losses, prototypes and "
          "moments, where a real one has 1")
      .when("below 1 when generated images are worse than none")
      .above(0)
      .within(0, 1)
      .only_if("task.generated_shots", kGenerated, adds_generated);
}

}  // namespace

void fields(Settings& s, TaskOptions& o) {
  size_fields(s, o);
  episode_fields(s, o);
  batch_fields(s, o);
  mix_fields(s, o);
  generated_fields(s, o);
}

}  // namespace protean
