#!/usr/bin/env bash
# A loss that is not finite ends the job with exit 1 and one line that names
# step and task, on one rank and on two.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
flags=("${small[@]}" --run.steps 20 --learner.inner_lr 1e30)
for n in 1 2; do
  rc=0
  ranks $n train "${flags[@]}" --run.dir "$work/run$n" >"$work/$n.log" 2>&1 || rc=$?
  [ $rc = 1 ] || fail "$n ranks: exit code $rc, expected 1"
  [ "$(grep -c 'is not finite' "$work/$n.log")" = 1 ] || fail "$n ranks: expected one line"
  grep -qE 'step 0: the loss or gradient of task [0-9]+ is not finite' "$work/$n.log" || fail "$n ranks: the line"
done
