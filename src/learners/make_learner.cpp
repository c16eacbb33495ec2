#include "protean/learners/make_learner.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "protean/core/check_entries.h"
#include "protean/core/error.h"
#include "protean/learners/keys.h"
#include "protean/models/keys.h"
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

enum Trait : unsigned {
  kClassesOnly = 1,
  kOneLabel = 2,  // of classes: one per example
  kFlat = 4,      // trained on flat mini-batches of classes
};

struct Row {
  const char *name, *what, *paper;
  unsigned traits;
  std::vector<std::string> keys;
  LearnerPtr (*make)(const Parts&);
};

using Keys = std::vector<std::string>;

Keys operator+(Keys a, const Keys& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// What the kinds of learners read.
const Keys kNet = {"model.name"};
const Keys kHead = {"model.name", "model.head_init"};
const Keys kSteps = {"learner.inner_steps", "learner.inner_lr",
                     "learner.eval_steps", "learner.inner_batch",
                     "learner.eval_inner_batch"};
const Keys kOptimizer = {"learner.inner_optimizer"};
const Keys kParts = {"learner.adapt", "learner.adapt_norm"};
const Keys kQueryNorm = {"learner.query_norm"};
const Keys kProximal = {"learner.proximal"};
const Keys kMulti = {"learner.multi_loss_steps"};
const Keys kExact = {"learner.second_order", "learner.truncate",
                     "learner.checkpoint", "learner.first_order_steps"};
const Keys kInner = kHead + kSteps + kQueryNorm;
const Keys kMetric = kNet + kQueryNorm + Keys{"learner.norm_momentum"};
const Keys kWidth = {"learner.width"};

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
const std::vector<Row>& rows() {
  static const std::vector<Row> all = {
      {"maml", "an initialisation from which a few gradient steps adapt",
       "Finn et al. 2017, arXiv:1703.03400", 0,
       kInner + kExact + kMulti + kOptimizer + kParts + kProximal, plain<Maml>},
      {"fomaml", "MAML to first order: gradients of inner steps are constants",
       "Finn et al. 2017, arXiv:1703.03400", 0,
       kInner + kMulti + kOptimizer + kParts + kProximal,
       [](const Parts& p) {
         return maml_with(p, [](auto& o) { o.second_order = false; });
       }},
      {"anil", "MAML whose inner loop moves the head alone",
       "Raghu et al. 2020, arXiv:1909.09157", 0,
       kInner + kExact + kMulti + kOptimizer + kProximal,
       [](const Parts& p) {
         return maml_with(p, [](auto& o) { o.adapt = "head"; });
       }},
      {"boil", "MAML whose inner loop moves the body alone",
       "Oh et al. 2021, arXiv:2008.08882", 0,
       kInner + kExact + kMulti + kOptimizer + kProximal +
           Keys{"learner.adapt_norm"},
       [](const Parts& p) {
         return maml_with(p, [](auto& o) { o.adapt = "body"; });
       }},
      {"metasgd", "MAML with a learnt rate for every parameter",
       "Li et al. 2017, arXiv:1707.09835", 0,
       kInner + kExact + kMulti + kParts + kProximal, plain<MetaSgd>},
      {"mamlpp", "MAML with learnt rates and norms for every inner step",
       "Antoniou et al. 2019, arXiv:1810.09502", 0,
       kInner + kExact + kMulti + kProximal + Keys{"learner.adapt"},
       plain<MamlPlusPlus>},
      {"protomaml", "MAML from a head of prototypes",
       "Triantafillou et al. 2020, arXiv:1903.03096", kClassesOnly | kOneLabel,
       kNet + kSteps + kQueryNorm + kExact + kMulti + kOptimizer + kParts +
           kProximal,
       on_classes<ProtoMaml>},
      {"imaml",
       "the meta-gradient of a proximal inner problem, by conjugate gradients",
       "Rajeswaran et al. 2019, arXiv:1909.04630", 0,
       kInner + kOptimizer + kParts + kProximal + Keys{"learner.cg_steps"},
       plain<Imaml>},
      {"metalstm", "a learnt optimiser, an LSTM cell on every parameter",
       "Ravi and Larochelle 2017", 0,
       kInner + kExact + kMulti + kParts + kWidth, plain<MetaLstm>},
      {"cavia", "the inner loop moves a few context values alone",
       "Zintgraf et al. 2019, arXiv:1810.03642", 0,
       kInner + kExact + kMulti + kOptimizer + kProximal +
           Keys{"model.context"},
       plain<Cavia>},
      {"reptile", "the mean of the ways that inner loops went",
       "Nichol et al. 2018, arXiv:1803.02999", 0, kInner + kOptimizer + kParts,
       plain<Reptile>},
      {"protonet", "nearest class mean of features",
       "Snell et al. 2017, arXiv:1703.05175", kClassesOnly | kOneLabel, kMetric,
       on_classes<ProtoNet>},
      {"matching", "attention over the support set by cosines of features",
       "Vinyals et al. 2016, arXiv:1606.04080", kOneLabel,
       kMetric + Keys{"learner.temperature", "learner.full_context"},
       plain<Matching>},
      {"relation", "a learnt comparison of maps of features",
       "Sung et al. 2018, arXiv:1711.06025", kClassesOnly | kOneLabel,
       kNet + kWidth + Keys{"learner.norm_momentum"},
       [](const Parts& p) -> LearnerPtr {
         return std::make_shared<Relation>(p.net, p.options, p.model);
       }},
      {"siamese", "a learnt distance between pairs", "Koch et al. 2015",
       kClassesOnly | kOneLabel, kMetric + kWidth, on_classes<Siamese>},
      {"snail", "attention and causal convolutions over the support set",
       "Mishra et al. 2018, arXiv:1707.03141", kClassesOnly | kOneLabel,
       kMetric + kWidth,
       [](const Parts& p) -> LearnerPtr {
         return std::make_shared<Snail>(p.net, p.options, p.train.ways,
                                        p.train.support);
       }},
      {"mann", "a network with an external memory",
       "Santoro et al. 2016, arXiv:1605.06065", kClassesOnly | kOneLabel,
       kMetric + kWidth,
       [](const Parts& p) -> LearnerPtr {
         return std::make_shared<Mann>(p.net, p.options, p.train.ways);
       }},
      {"baseline",
       "one classifier of all training classes, then a fit to each task",
       "Chen et al. 2019, arXiv:1904.04232", kOneLabel | kFlat,
       kHead + kSteps + kOptimizer + kParts +
           Keys{"learner.norm_momentum", "learner.readout", "task.flat_batch"},
       plain<Baseline>},
      {"scratch", "no meta-training: every task from the initial values", "", 0,
       kInner + kOptimizer + kParts + kProximal, plain<Scratch>},
  };
  return all;
}

// Names of the learners that have none of these traits.
std::string names(unsigned without = 0) {
  std::string text;
  for (const auto& row : rows())
    if (!(row.traits & without))
      text += concat(text.empty() ? "" : ", ", row.name);
  return text;
}

}  // namespace

std::vector<Entry> learner_entries() {
  std::vector<Entry> entries;
  for (const auto& row : rows())
    entries.push_back({row.name, row.what, row.paper,
                       (row.traits & kFlat)
                           ? "classes, in flat mini-batches (task.flat_batch), "
                             "or values"
                       : (row.traits & kClassesOnly) ? "classes"
                       : (row.traits & kOneLabel)    ? "classes or values"
                                                  : "classes, values or text",
                       row.keys});
  return entries;
}

std::vector<Entry> optimiser_entries() {
  return {{"adam",
           "steps by running moments of the gradient",
           "Kingma and Ba 2015, arXiv:1412.6980",
           "",
           {"optim.beta1", "optim.beta2", "optim.eps"}},
          {"sgd", "plain descent", "", "", {}},
          {"momentum", "descent with a velocity", "", "", {"optim.momentum"}}};
}

LearnerPtr make_learner(const LearnerOptions& learner,
                        const ModelOptions& model, const TaskShape& train) {
  check_entries(
      {{"learner.name", learner_entries()}, {"model.name", network_entries()}},
      learner, model);
  const auto& row =
      *std::find_if(rows().begin(), rows().end(),
                    [&](const auto& r) { return r.name == learner.name; });
  const bool classes = train.target == TargetKind::classes;
  if (!classes && (row.traits & kClassesOnly))
    throw ConfigError(concat("learner.name = \"", learner.name,
                             "\" needs classes, but the data gives values; "
                             "expected one of: ",
                             names(kClassesOnly)));
  if (classes && train.target_size > 1 && (row.traits & kOneLabel))
    throw ConfigError(concat("learner.name = \"", learner.name,
                             "\" needs one label per example, but text has "
                             "one per character; expected one of: ",
                             names(kOneLabel)));
  const bool flat = classes && train.support == 0;
  if (flat != (classes && (row.traits & kFlat)))
    throw ConfigError(
        flat ? concat("task.flat_batch = ", train.query,
                      "; expected 0 with learner.name = ", learner.name)
             : "task.flat_batch = 0; expected the size of a mini-batch with "
               "learner.name = " +
                   learner.name);
  if (model.norm == "task" && learner.query_norm != "support")
    throw ConfigError(
        "model.norm = task blends moments of the support set; expected "
        "learner.query_norm = support");
  if (model.norm == "task" && (row.traits & kFlat))
    throw ConfigError(
        concat("model.norm = task; expected another with learner.name = ",
               learner.name, ", which is trained without support sets"));
  const auto net = make_network(model, train.input,
                                classes ? train.ways : train.target_size);
  return row.make({learner, model, net, train});
}

}  // namespace protean
