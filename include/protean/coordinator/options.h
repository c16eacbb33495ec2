// Section `coordinator` of the configuration.
#pragma once

namespace protean {

struct CoordinatorOptions {
  // coordinator.heartbeat_s: seconds between two signs of life of a rank, and
  // of the coordinator.
  double heartbeat_s = 1;
  // coordinator.warn_s: a rank (or the coordinator) without a sign for so long
  // is named. Seconds.
  double warn_s = 10;
  // coordinator.silence_s: and after so long the job ends. Seconds.
  double silence_s = 15;
  // coordinator.progress_s: the same for a rank that shows signs of life but
  // stays where it is while the others wait for it. Seconds.
  double progress_s = 300;
  // coordinator.dedicated: rank 0 computes no tasks; it plans, watches, keeps
  // the checkpoints and trains the generator of tasks (generator.refresh).
  bool dedicated = false;
  // coordinator.balance: owners by measured cost; off, and with comm.reduction
  // = fixed, by the shapes of the tasks alone.
  bool balance = true;
};

}  // namespace protean
