#!/usr/bin/env bash
# What a run writes for people and their tools: a log file per rank, with the last
# collectives when the run fails, a trace of all ranks, metrics for Prometheus.
support=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../support")
# shellcheck source=tests/support/cli.sh
source "$support/cli.sh"
words=(train --run.threads 1 --run.log_every 1 --run.steps 6 --eval.every 0 --run.quiet true
  --task.ways 2 --task.shots 1 --task.queries 1 --task.meta_batch 4 --task.stack 1
  --model.filters 2 --learner.inner_steps 1 --checkpoint.every 2)

row=trace
mpi 2 "${words[@]}" --run.dir run --run.trace true --run.prometheus metrics.prom
expect_code 0
expect_equal "ranks and their tracks" "$(json run/trace.json \
  'sorted({(e["pid"], e["tid"]) for e in d["traceEvents"] if e["ph"] == "X"})' | tr -d ' "')" \
  '[[0,checkpoint],[0,comm],[0,compute],[0,step],[0,tasks],[1,comm],[1,compute],[1,step],[1,tasks]]'
# Every rank makes every step, within which it computes and reduces.
for rank in 0 1; do
  expect_equal "nested in steps" "$(python3 - run/trace.json $rank <<'END'
import json, sys
spans = [e for e in json.load(open(sys.argv[1]))["traceEvents"]
         if e["ph"] == "X" and e["pid"] == int(sys.argv[2])]
steps = [s for s in spans if s["tid"] == "step"]
print(len(steps), all(any(s["ts"] <= t["ts"] and t["ts"] + t["dur"] <= s["ts"] + s["dur"] + 1
                          for s in steps) for t in spans if t["name"] in ("inner", "outer")))
END
)" "6 True"
done

row=Prometheus
expect_equal "the newest step" "$(grep ^protean_step metrics.prom)" 'protean_step{run="run"} 6'
loss=$(tail -n 1 run/metrics.jsonl | python3 -c 'import json; print(json.loads(input())["loss"])')
grep -Fq "protean_loss{run=\"run\"} $loss" metrics.prom || fail "loss $loss is not in metrics.prom"
# Each line is a comment or NAME{LABELS} NUMBER.
! grep -Evq '^# TYPE protean_[a-z0-9_]+ gauge$|^protean_[a-z0-9_]+\{run="run"\} -?[0-9.e+-]+$' metrics.prom ||
  fail "metrics.prom is not in the text format"

row='log files'
expect_equal files "$(ls run/logs)" "rank-0.log
rank-1.log"
grep -Eq '^20[0-9-]+T[0-9:.]+Z rank 0 \[info\] step 6: trained 6 steps' run/logs/rank-0.log ||
  fail "rank 0 has not logged its end"
mpi 2 "${words[@]}" --run.dir silent --run.logs false
expect_code 0
[ ! -e silent/logs ] || fail "logs although run.logs is false"

row='last collectives'
two_ranks "$PROTEAN_BIN" "${words[@]}" --run.dir failed : \
  env PROTEAN_FAULT=trainer.step:throw:4 "$PROTEAN_BIN" "${words[@]}" --run.dir failed
expect_code 1
for rank in 0 1; do
  grep -Eq "^20[0-9-]+T[0-9:.]+Z rank $rank \[error\] .*injected fault" failed/logs/rank-$rank.log ||
    fail "rank $rank has not logged the error"
  grep -Eq "\[detail\] the last [0-9]+ of [0-9]+ collectives" failed/logs/rank-$rank.log ||
    fail "rank $rank has not logged its collectives"
done
# Rank 1 never joined the one in which rank 0 waited.
grep -Eq '^  [0-9]+ control all_reduce\(sum, i64\[[0-9]+\]\) [0-9]+ not done$' failed/logs/rank-0.log ||
  fail "rank 0 does not say what it waited in"
done_by() { grep -Ec '^  [0-9]+ control all_reduce\(sum, i64.* [0-9]+$' "failed/logs/rank-$1.log"; }
expect_equal "steps reduced" "$(done_by 0) $(done_by 1)" "4 4"

row='a disk that takes no log'
mkdir blocked
: >blocked/logs
mpi 2 "${words[@]}" --run.dir blocked
expect_code 0
expect_line '^\[warning\] rank 1/2: blocked/logs/rank-1\.log: cannot open: Not a directory'
