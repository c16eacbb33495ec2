// Stop requests by signal: SIGUSR1, SIGUSR2 and SIGTERM ask for a checkpoint
// and an agreed stop; a second SIGTERM ends the process at once.
#pragma once

namespace protean {

// Handlers only set a flag. Call once from main().
void install_signal_handlers();
// SIGINT (Ctrl-C) as SIGTERM, from now on: for commands that look at
// stop_requested() while they work.
void stop_on_interrupt();
// Whether a stop was asked for; cheap, from any thread.
bool stop_requested();
// As if a signal had come (tests, run.max_time).
void request_stop();
void clear_stop_request();
// After a peer was lost, the first SIGTERM or SIGINT already ends the process.
void set_peer_lost();

}  // namespace protean
