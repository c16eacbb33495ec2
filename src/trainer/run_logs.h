// What a run writes for people and their tools, beside metrics.jsonl: a log
// file per rank, a trace of all ranks, and the newest metrics for Prometheus.
//
// None of it ends a run: what cannot be written is a warning.
#pragma once

#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

#include "protean/comm/communicator.h"
#include "protean/experiment/config.h"

namespace protean {

// One per rank, from the run directory's creation to the end of the run.
class RunLogs {
 public:
  // Writes logs/rank-N.log from now on, when run.logs is set, and traces when
  // run.trace is. Ranks that are threads of one process share the first's file.
  RunLogs(const RunOptions& options, Communicator& comm);
  ~RunLogs();
  RunLogs(const RunLogs&) = delete;
  RunLogs& operator=(const RunLogs&) = delete;

  // Rank 0: a line of metrics.jsonl, for run.prometheus.
  void metrics(const nlohmann::json& line) const;
  // Collective, at the end: trace.json of all ranks.
  void write_trace() const;

 private:
  const RunOptions& options_;
  Communicator& comm_;
};

// The numbers of a line in the text exposition format: a gauge each, named
// protean_KEY, with the run as label.
std::string prometheus_text(const nlohmann::json& line, const std::string& run);

}  // namespace protean
