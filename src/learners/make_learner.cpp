#include "protean/learners/make_learner.h"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "protean/core/error.h"
#include "protean/core/unused.h"
#include "protean/models/make_network.h"

#include "learners/baseline.h"
#include "learners/cavia.h"
#include "learners/imaml.h"
#include "learners/maml.h"
#include "learners/maml_plus_plus.h"
#include "learners/mann.h"
#include "learners/matching.h"
#include "learners/meta_lstm.h"
#include "learners/meta_sgd.h"
#include "learners/proto_maml.h"
#include "learners/protonet.h"
#include "learners/relation.h"
#include "learners/reptile.h"
#include "learners/scratch.h"
#include "learners/siamese.h"
#include "learners/snail.h"

namespace protean {
namespace {

// What a learner is made from.
struct Parts {
  const LearnerOptions& options;
  const ModelOptions& model;
  NetworkPtr net;
  const TaskShape& train;
  TargetKind target() const { return train.target; }
};

// What data a learner takes, and which settings that not all of them have.
enum Trait : unsigned {
  kClassesOnly = 1,
  kUnrolled = 2,  // differentiates inner steps
  kContext = 4,   // gives the network its context values
  kOwnLayer = 8,  // learner.width
  kMatching = 16,
  kFlat = 32,  // trained on flat mini-batches of classes
  kProximal = 64,
  kImplicit = 128,
  kInnerSteps = 256,  // with an optimiser that can be chosen
  kMamlLike = kUnrolled | kProximal | kInnerSteps,
};

struct Entry {
  unsigned traits;
  std::function<LearnerPtr(const Parts&)> make;
};

template <typename T>
LearnerPtr plain(const Parts& p) {
  return std::make_shared<T>(p.net, p.options, p.target());
}

template <typename T>
LearnerPtr on_classes(const Parts& p) {
  return std::make_shared<T>(p.net, p.options);
}

// MAML with some options fixed.
LearnerPtr maml_with(const Parts& p, void (*set)(LearnerOptions&)) {
  LearnerOptions options = p.options;
  set(options);
  return std::make_shared<Maml>(p.net, options, p.target());
}

// In the order in which they are listed to users.
using Entries = std::vector<std::pair<std::string, Entry>>;

const Entries& entries() {
  static const Entries all = {
      {"maml", {kMamlLike, plain<Maml>}},
      {"fomaml",
       {kMamlLike,
        [](const Parts& p) {
          return maml_with(p, [](auto& o) { o.second_order = false; });
        }}},
      // Raghu et al. 2020, arXiv:1909.09157: the inner loop moves the head
      // alone.
      {"anil",
       {kMamlLike,
        [](const Parts& p) {
          return maml_with(p, [](auto& o) { o.adapt = "head"; });
        }}},
      // Oh et al. 2021, arXiv:2008.08882: the body alone.
      {"boil",
       {kMamlLike,
        [](const Parts& p) {
          return maml_with(p, [](auto& o) { o.adapt = "body"; });
        }}},
      {"metasgd", {kMamlLike, plain<MetaSgd>}},
      {"mamlpp", {kMamlLike, plain<MamlPlusPlus>}},
      {"protomaml", {kMamlLike | kClassesOnly, on_classes<ProtoMaml>}},
      {"imaml", {kInnerSteps | kProximal | kImplicit, plain<Imaml>}},
      {"metalstm", {kInnerSteps | kUnrolled | kOwnLayer, plain<MetaLstm>}},
      {"cavia", {kMamlLike | kContext, plain<Cavia>}},
      {"reptile", {kInnerSteps, plain<Reptile>}},
      {"protonet", {kClassesOnly, on_classes<ProtoNet>}},
      {"matching", {kMatching, plain<Matching>}},
      {"relation",
       {kClassesOnly | kOwnLayer,
        [](const Parts& p) -> LearnerPtr {
          return std::make_shared<Relation>(p.net, p.options, p.model);
        }}},
      {"siamese", {kClassesOnly | kOwnLayer, on_classes<Siamese>}},
      {"snail",
       {kClassesOnly | kOwnLayer,
        [](const Parts& p) -> LearnerPtr {
          return std::make_shared<Snail>(p.net, p.options, p.train.ways,
                                         p.train.support);
        }}},
      {"mann",
       {kClassesOnly | kOwnLayer,
        [](const Parts& p) -> LearnerPtr {
          return std::make_shared<Mann>(p.net, p.options, p.train.ways);
        }}},
      {"baseline", {kInnerSteps | kFlat, plain<Baseline>}},
      {"scratch", {kInnerSteps | kProximal, plain<Scratch>}},
  };
  return all;
}

// Names of the learners that have all of these traits, none of those.
std::string names(unsigned with, unsigned without = 0) {
  std::string text;
  for (const auto& [name, entry] : entries())
    if ((entry.traits & with) == with && !(entry.traits & without))
      text += (text.empty() ? "" : ", ") + name;
  return text;
}

void check_settings(const LearnerOptions& o, unsigned traits) {
  const LearnerOptions d;
  const auto only_with = [&](unsigned trait, const char* key, const auto& value,
                             const auto& usual) {
    if (!(traits & trait))
      Unused("learner.name = " + o.name,
             "learner.name one of: " + names(trait))(key, value, usual);
  };
  only_with(kInnerSteps, "learner.inner_optimizer", o.inner_optimizer,
            d.inner_optimizer);
  only_with(kUnrolled, "learner.truncate", o.truncate, d.truncate);
  only_with(kUnrolled, "learner.checkpoint", o.checkpoint, d.checkpoint);
  only_with(kUnrolled, "learner.first_order_steps", o.first_order_steps,
            d.first_order_steps);
  only_with(kUnrolled, "learner.multi_loss_steps", o.multi_loss_steps,
            d.multi_loss_steps);
  only_with(kProximal, "learner.proximal", o.proximal, d.proximal);
  only_with(kImplicit, "learner.cg_steps", o.cg_steps, d.cg_steps);
  only_with(kFlat, "learner.readout", o.readout, d.readout);
  if (!o.second_order && (traits & (kImplicit | kFlat)))
    throw ConfigError(
        concat("learner.second_order = false; expected true with learner.name "
               "= ",
               o.name, ", which has no unrolled steps"));
  only_with(kMatching, "learner.temperature", o.temperature, d.temperature);
  only_with(kMatching, "learner.full_context", o.full_context, d.full_context);
  only_with(kMatching, "learner.context_reads", o.context_reads,
            d.context_reads);
  only_with(kOwnLayer, "learner.width", o.width, d.width);
}

}  // namespace

void check_few_shot_alone(const LearnerOptions& o) {
  const LearnerOptions d;
  const Unused unused("learner.name = " + o.name);
  unused("learner.adapt_norm", o.adapt_norm, d.adapt_norm);
  unused("learner.truncate", o.truncate, d.truncate);
  unused("learner.checkpoint", o.checkpoint, d.checkpoint);
  unused("learner.first_order_steps", o.first_order_steps, d.first_order_steps);
  unused("learner.multi_loss_steps", o.multi_loss_steps, d.multi_loss_steps);
  unused("learner.cg_steps", o.cg_steps, d.cg_steps);
  unused("learner.proximal", o.proximal, d.proximal);
  unused("learner.query_norm", o.query_norm, d.query_norm);
  unused("learner.inner_batch", o.inner_batch, d.inner_batch);
  unused("learner.eval_inner_batch", o.eval_inner_batch, d.eval_inner_batch);
  unused("learner.norm_momentum", o.norm_momentum, d.norm_momentum);
  unused("learner.temperature", o.temperature, d.temperature);
  unused("learner.full_context", o.full_context, d.full_context);
  unused("learner.context_reads", o.context_reads, d.context_reads);
  unused("learner.width", o.width, d.width);
  unused("learner.readout", o.readout, d.readout);
}

LearnerPtr make_learner(const LearnerOptions& learner,
                        const ModelOptions& model, const TaskShape& train) {
  const auto found =
      std::find_if(entries().begin(), entries().end(),
                   [&](const auto& e) { return e.first == learner.name; });
  if (found == entries().end())
    throw ConfigError(concat("learner.name = \"", learner.name,
                             "\"; expected one of: ", names(0),
                             ", setvae, metavae, metagan, promp, mamlpg"));
  const auto& entry = found->second;
  const bool classes = train.target == TargetKind::classes;
  if (!classes && (entry.traits & kClassesOnly))
    throw ConfigError(concat("learner.name = \"", learner.name,
                             "\" needs classes, but the data gives values; "
                             "expected one of: ",
                             names(0, kClassesOnly)));
  if (classes && train.target_size > 1 &&
      (entry.traits & (kClassesOnly | kMatching | kFlat)))
    throw ConfigError(concat("learner.name = \"", learner.name,
                             "\" needs one label per example, but text has "
                             "one per character; expected one of: ",
                             names(0, kClassesOnly | kMatching | kFlat)));
  check_settings(learner, entry.traits);
  const bool flat = classes && train.support == 0;
  if (flat != (classes && (entry.traits & kFlat)))
    throw ConfigError(
        flat ? concat("task.flat_batch = ", train.query,
                      "; expected 0 with learner.name = ", learner.name)
             : "task.flat_batch = 0; expected the size of a mini-batch with "
               "learner.name = " +
                   learner.name);
  if (model.context != 0 && !(entry.traits & kContext))
    throw ConfigError(
        concat("model.context = ", model.context,
               "; expected 0, or learner.name one of: ", names(kContext)));
  if (model.norm == "task" && learner.query_norm != "support")
    throw ConfigError(
        "model.norm = task blends moments of the support set; expected "
        "learner.query_norm = support");
  if (model.norm == "task" && (entry.traits & kFlat))
    throw ConfigError(
        concat("model.norm = task; expected another with learner.name = ",
               learner.name, ", which is trained without support sets"));
  const auto net = make_network(model, train.input,
                                classes ? train.ways : train.target_size);
  return entry.make({learner, model, net, train});
}

}  // namespace protean
