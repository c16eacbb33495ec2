// What the coordinator and the ranks tell each other, over World::mail.
//
// The coordinator is a thread beside rank 0's trainer. Every rank, rank 0 too,
// has a station (station.h): a thread that speaks for its trainer.
//
//   station -> coordinator
//     Hello   once: host and process, for messages to people.
//     Beat    every heartbeat_s: where the trainer is, how far it has come, and
//             what its stacks have cost since the last beat.
//     Bye     once: this rank is done; its silence means nothing any more.
//   coordinator -> stations
//     Pulse   every heartbeat_s: the coordinator lives.
//     Costs   now and then: a table of measured costs, with a version number.
//     Bye     once: as above.
//
// Deadlines. A rank is named when nothing came from it for warn_s, and the job
// fails, by Communicator::fail with a line that names rank, host, step and
// phase, after silence_s. Stations hold the coordinator to the same. A rank
// whose beats come but whose progress does not move for progress_s while it is
// not waiting for others fails the job likewise. Whoever finds that its own
// clock stood still (a job that was suspended as a whole, a laptop that slept)
// starts all waits anew. Mail waits for nobody and the trainers never wait for
// mail: a lost coordinator costs no step, only the watch, and ends the job.
//
// Plans. A plan must be the same on all ranks. It is a pure function of the
// shapes of a step's tasks and of one cost table, so instead of plans the
// tables travel. Each rank writes the newest version that it holds into its
// slot of the step's all-reduce; the least over all ranks, which every rank
// reads at the same step, is the table of the plans from kPlanLead steps later
// on. A late table is used later; nobody waits for it and nobody uses it alone.
//
// Loss of the coordinator. Its table is a guess about speed: nothing that
// decides a result is lost with it. The table is kept in checkpoints.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace protean {

// Where a trainer is. In `waiting` it is the others' turn.
enum class RankPhase : uint8_t {
  setup,
  tasks,      // waiting for its tasks to be made
  computing,  // adapting and differentiating
  waiting,    // in a collective
  updating,   // outer step
  validating,
  storing,  // waiting for a checkpoint
  ending
};
const char* name_of(RankPhase phase);

// Measured on one rank: CPU seconds that stacks of a shape took.
struct StackCost {
  uint64_t shape_key = 0;
  double static_cost = 0;  // sum over the stacks of StackPlan::cost
  double seconds = 0;
};

// Seconds per unit of static cost of a shape.
struct CostTable {
  uint64_t version = 0;  // 0: nothing measured
  struct Entry {
    uint64_t shape_key = 0;
    double seconds_per_cost = 0;
    bool operator==(const Entry&) const = default;
  };
  std::vector<Entry> entries;  // ascending keys
  bool operator==(const CostTable&) const = default;
};

struct Hello {
  std::string host;
  int64_t pid = 0;
};
struct Beat {
  RankPhase phase = RankPhase::setup;
  int64_t step = 0;
  uint64_t progress = 0;  // grows whenever the trainer comes further
  std::vector<StackCost> costs;
};
struct Pulse {};
struct Bye {};

using Message = std::variant<Hello, Beat, Pulse, CostTable, Bye>;

// All ranks run the same build (preflight), so a message is its fields in this
// machine's order.
std::string encode(const Message& message);
// Throws CommError on bytes that are no message.
Message decode(std::string_view bytes);

}  // namespace protean
