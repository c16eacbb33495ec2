#!/usr/bin/env bash
# SIGUSR1 to mpirun: every rank stops at the same step, the job exits 75 and is
# resumed on another rank count with the bits of a run that never stopped. A
# single process does the same on SIGTERM.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
flags=("${small[@]}" --run.steps 300 --checkpoint.every 7)

"$PROTEAN_BIN" train "${flags[@]}" --run.dir "$work/whole" >"$work/whole.log" 2>&1
want=$(hashes "$work/whole")

start_ranks 2 train "${flags[@]}" --run.dir "$work/run" >"$work/usr1.log" 2>&1
await_step "$work/run" 20
kill -USR1 "$job"
await_end 20
[ $rc = 75 ] || fail "SIGUSR1: exit code $rc, expected 75"
[ ! -e "$work/run/DONE" ] || fail "DONE after a stop"

"$PROTEAN_BIN" train "${flags[@]}" --run.dir "$work/run" --resume auto >"$work/term.log" 2>&1 &
job=$!
await_step "$work/run" "$(($(value "$work/run" steps) + 14))"
kill -TERM "$job"
await_end 20
[ $rc = 75 ] || fail "SIGTERM: exit code $rc, expected 75"

ranks 3 train "${flags[@]}" --run.dir "$work/run" --resume auto >"$work/end.log" 2>&1 || fail "resume"
[ "$(hashes "$work/run")" = "$want" ] || fail "resumed: other bits"
