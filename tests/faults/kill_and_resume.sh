#!/usr/bin/env bash
# A killed rank ends the job by name; resumed on other rank counts, twice, the
# run ends with the bits of one that never stopped.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
flags=("${small[@]}" --run.steps 300 --checkpoint.every 7)

ranks 2 train "${flags[@]}" --run.dir "$work/whole" >"$work/whole.log" 2>&1
want=$(hashes "$work/whole")

kill_rank() {  # kill_rank RANKS RANK STEP: of the run in $work/run
  start_ranks "$1" train "${flags[@]}" --run.dir "$work/run" --resume auto >"$work/kill$2.log" 2>&1
  await_step "$work/run" "$3"
  kill -9 "$(pid_of_rank "$work/run" "$2")"
  await_end 15
  [ $rc -ne 0 ] || fail "a job whose rank $2 was killed ended with 0"
  grep -qiE "rank $2\b" "$work/kill$2.log" || fail "no line names rank $2"
  [ ! -e "$work/run/DONE" ] || fail "DONE after a kill"
}
kill_rank 3 0 20
kill_rank 2 1 120

ranks 4 train "${flags[@]}" --run.dir "$work/run" --resume auto >"$work/end.log" 2>&1 || fail "resume"
[ "$(hashes "$work/run")" = "$want" ] || fail "resumed: other bits"
[ "$(value "$work/run" resumed_from)" -ge 120 ] || fail "resumed from an older step than was stored"
[ -e "$work/run/DONE" ] || fail "no DONE"
# Each logged step once, in order.
python3 - "$work/run/metrics.jsonl" <<'PY'
import json, sys
steps = [json.loads(line)["step"] for line in open(sys.argv[1])]
assert steps == sorted(set(steps)), steps
assert steps[-1] == 300, steps
PY
