#include "trainer/run_logs.h"

#include <exception>

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"
#include "protean/core/log.h"
#include "protean/core/trace.h"

namespace protean {
namespace {

namespace fs = std::filesystem;

// Where the ranks of one process would be in each other's way, the first acts.
bool speaks_for_process(const Communicator& comm) {
  return comm.rank() == 0 || std::string(comm.backend()) != "inproc";
}

void try_write(const fs::path& path, const std::string& text) {
  try {
    write_file_atomically(path, text);
  } catch (const DataError& e) {
    log_warning(e.what());
  }
}

}  // namespace

RunLogs::RunLogs(const RunOptions& options, Communicator& comm)
    : options_(options), comm_(comm) {
  if (!speaks_for_process(comm)) return;
  if (options.trace) start_trace();
  if (!options.logs) return;
  const auto folder = fs::path(options.dir) / "logs";
  std::error_code error;
  fs::create_directories(folder, error);
  set_log_file(folder / concat("rank-", comm.rank(), ".log"));
}

RunLogs::~RunLogs() {
  // Whoever fails has yet to say why.
  if (speaks_for_process(comm_) && !std::uncaught_exceptions())
    set_log_file("");
}

void RunLogs::metrics(const nlohmann::json& line) const {
  if (!options_.prometheus.empty())
    try_write(options_.prometheus, prometheus_text(line, options_.dir));
}

void RunLogs::write_trace() const {
  if (!options_.trace) return;
  comm_.barrier();  // all spans of this process are over
  const std::string mine = speaks_for_process(comm_) ? take_trace() : "";
  std::string all = "{\"traceEvents\":[\n";
  for (int r = 0; r < comm_.size(); ++r) {
    auto size = static_cast<int64_t>(mine.size());
    comm_.broadcast(&size, sizeof size, r);
    std::string part = comm_.rank() == r ? mine : std::string();
    part.resize(static_cast<size_t>(size));
    comm_.broadcast(part.data(), part.size(), r);
    if (comm_.rank() == 0) all += part;
  }
  // A last object without a comma ends the list.
  all += "{\"ph\":\"M\",\"pid\":0,\"name\":\"process_labels\",\"args\":{}}]}\n";
  if (comm_.rank() == 0) try_write(fs::path(options_.dir) / "trace.json", all);
}

std::string prometheus_text(const nlohmann::json& line,
                            const std::string& run) {
  std::string label;
  for (char c : run) {
    if (c == '\\' || c == '"') label += '\\';
    label += c == '\n' ? ' ' : c;
  }
  std::string text;
  for (const auto& [key, value] : line.items()) {
    if (!value.is_number()) continue;
    const double number = value.get<double>();
    text += concat("# TYPE protean_", key, " gauge\nprotean_", key, "{run=\"",
                   label, "\"} ");
    text += value.is_number_float() && number != number ? std::string("NaN")
                                                        : value.dump();
    text += "\n";
  }
  return text;
}

}  // namespace protean
