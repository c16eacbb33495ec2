#!/usr/bin/env bash
# resume.sh GROUP: what a run that goes on reports, and when it leaves all as it is.
support=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../support")
# shellcheck source=tests/support/cli.sh
source "$support/cli.sh"
words=(train --run.dir run --run.threads 1 --run.quiet true --task.ways 2 --task.shots 1
  --task.queries 1 --task.meta_batch 4 --model.filters 4 --learner.name protonet --eval.every 4
  --eval.tasks 4)

# A run that has ended is not begun again, whatever fewer steps are asked for.
ended() {
  protean "${words[@]}" --run.steps 6
  expect_code 0
  listing run >"$scratch/before"
  local steps
  for steps in 6 3; do
    row="$steps steps"
    protean "${words[@]}" --run.steps "$steps" --resume auto --json
    expect_code 0
    expect_line "^\[info\] nothing to do: run has ended after 6 steps, of run.steps = $steps\$"
    listing run >"$scratch/after"
    diff "$scratch/before" "$scratch/after" >&2 || fail "files have changed"
    expect_equal "summary" "$(json "$scratch/out" 'd["steps"]')" 6
  done
  row="a new run from one that is further"
  protean "${words[@]}" --run.dir new --run.steps 3 --resume run
  expect_code 2
  expect_error 'run\.steps = 3, but --resume run holds step 6; expected at least 6$'
  [ ! -e new ] || fail "the folder appeared"
}
# One that was killed beyond them has not ended.
killed() {
  PROTEAN_FAULT=trainer.step:kill:8 protean "${words[@]}" --run.steps 9 --checkpoint.every 4
  expect_code 137
  protean "${words[@]}" --run.steps 3 --resume auto
  expect_code 2
  expect_error 'run\.steps = 3, but run/checkpoints/step-4 holds step 4; expected at least 4$'
  [ ! -e run/DONE ] || fail "DONE although it has not ended"
  protean "${words[@]}" --run.steps 9 --resume auto
  expect_code 0
}
# Times and speed are those of the whole run, the validation the last one there was.
times() {
  protean "${words[@]}" --run.steps 400
  expect_code 0
  cp run/summary.json first.json
  protean "${words[@]}" --run.steps 402 --resume auto
  expect_code 0
  json run/summary.json '[d["steps"], d["tasks_seen"], d["resumed_from"]]' >"$scratch/counts"
  expect_equal counts "$(cat "$scratch/counts")" '[402, 1608, 400]'
  expect_equal "seconds, tasks per second, validation" "$(python3 - <<'END'
import json
a, b = (json.load(open(f)) for f in ("first.json", "run/summary.json"))
last = [json.loads(l) for l in open("run/metrics.jsonl")]
last = [l for l in last if "validation_accuracy" in l][-1]
print(b["wall_s"] > a["wall_s"], abs(b["tasks_per_s"] * b["wall_s"] / 1608 - 1) < 1e-9,
      last["step"], b["validation"]["accuracy"] == last["validation_accuracy"],
      0 < b["validation_share"] < 1)
END
)" "True True 400 True True"
}

"$1"
