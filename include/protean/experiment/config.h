// Everything a user can set, as plain structs; cli fills them from flags and
// files.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "protean/comm/world.h"
#include "protean/coordinator/options.h"
#include "protean/data/options.h"
#include "protean/generative/options.h"
#include "protean/learners/options.h"
#include "protean/learners/outer_step.h"
#include "protean/models/options.h"
#include "protean/rl/options.h"
#include "protean/run/checkpoint.h"
#include "protean/tasks/options.h"

namespace protean {

struct RunOptions {
  std::string dir;       // run.dir: where everything of the run goes
  uint64_t seed = 0;     // run.seed: of tasks and initial values
  int64_t steps = 1000;  // run.steps: meta-steps
  // run.threads: of one rank. Launchers pass cores / ranks.
  int threads = 1;
  // run.max_time: seconds of training after which the run ends as if it had
  // reached run.steps (a later --resume goes on); 0 = none.
  double max_time = 0;
  // run.log_every: steps between lines of metrics.jsonl.
  int64_t log_every = 20;
  // run.quiet: no progress lines.
  bool quiet = false;
  // run.logs: each rank keeps a copy of its lines, with times, and on a failure
  // its last collectives, in logs/rank-N.log.
  bool logs = true;
  // run.trace: what each rank did when, in trace.json, for Perfetto or
  // chrome://tracing.
  bool trace = false;
  // run.prometheus: file that always holds the newest metrics, for the node
  // exporter's text file collector; empty = none.
  std::string prometheus;
  bool tensorboard = false;
  // run.device: cpu, cuda or auto, see device.h.
  std::string device = "cpu";
};

struct EvalOptions {
  // eval.every: steps between validations; 0 = none.
  int64_t every = 500;
  // eval.tasks: tasks of one validation, and of `protean eval` (there at least
  // 600 is usual).
  int64_t tasks = 200;
  // eval.ways, eval.shots, eval.queries: of evaluation tasks; 0 = as task.*.
  uint32_t ways = 0;
  uint32_t shots = 0;
  uint32_t queries = 0;
  // eval.within: any or group, as task.within; empty = as that says.
  std::string within;
  // eval.target_accuracy: training ends when validation reaches it; 0 = off.
  double target_accuracy = 0;
  // eval.patience: validations without a better one that end training; 0 = off.
  int64_t patience = 0;
  // eval.features: runs, or networks as TorchScript (NAME.pt), in whose
  // features a generative run's images are compared with real ones,
  // comma-separated; `protean eval` only. See evaluation/sample_quality.h.
  std::string features;
  // eval.stream: test or validation; `protean eval` only.
  std::string stream = "test";
};

struct Config {
  RunOptions run;
  DataOptions data;
  TaskOptions task;
  ModelOptions model;
  LearnerOptions learner;
  GeneratorOptions generator;
  GeneratedTaskOptions generated;  // generator.from and the keys after it
  PolicyOptions policy;
  OptimOptions optim;
  CommOptions comm;
  // comm.reduction: fast, fixed or exact, see trainer/reduction.h.
  std::string reduction = "exact";
  // comm.wire: fp32, or bf16 and fp16 for gradients of half the bytes, with
  // error feedback; not in exact.
  std::string wire = "fp32";
  // comm.overlap: the sums of finished stacks travel while a rank's last stack
  // computes. For large networks and ranks that own several stacks.
  bool overlap = false;
  // comm.shard_optim: each rank keeps and updates the optimiser's state of a
  // slice of theta, which then travels to all. For large networks: memory for
  // time.
  bool shard_optim = false;
  CoordinatorOptions coordinator;
  CheckpointOptions checkpoint;
  EvalOptions eval;

  // Evaluation tasks are as task.* says, unless eval.* says otherwise.
  TaskCounts eval_counts() const {
    return {eval.ways ? eval.ways : task.ways,
            eval.shots ? eval.shots : task.shots,
            eval.queries ? eval.queries : task.queries,
            (eval.within.empty() ? task.within : eval.within) == "group"};
  }
};

// Every key with its value as text, in the order of the help.
using ConfigValues = std::vector<std::pair<std::string, std::string>>;

}  // namespace protean
