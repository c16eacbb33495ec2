#!/usr/bin/env bash
# Trains a shipped configuration from scratch and evaluates it on held-out
# tasks; keeps what is needed to compare in tests/accuracy/results/NAME.json.
#
#   tests/accuracy/run.sh CONFIG [NAME] [-- train flags...]
#   tests/accuracy/run.sh configs/omniglot/protonet-5w1s.ini
#
# RANKS (default 2), EVAL ("--eval.tasks 600") and WORK (a temporary folder; keep
# it to resume a long run) can be set. Hours on a few cores: not part of CI.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
config=${1:?usage: run.sh CONFIG [NAME] [-- flags]}
shift
name=$(basename "$(dirname "$config")")-$(basename "$config" .ini)
if [ $# -gt 0 ] && [ "$1" != -- ]; then name=$1; shift; fi
[ "${1:-}" = -- ] && shift
binary=${PROTEAN_BIN:-$top/build/protean}
ranks=${RANKS:-2}
work=${WORK:-$(mktemp -d)}
if [ "$(id -u)" = 0 ]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
launch=(mpirun -np "$ranks" --oversubscribe --bind-to none
        --mca mpi_yield_when_idle 1 "$binary")

"${launch[@]}" train --config "$config" --run.dir "$work/$name" --resume auto "$@"
# shellcheck disable=SC2086
"${launch[@]}" eval --run "$work/$name" --json ${EVAL:---eval.tasks 600} >"$work/$name.eval.json"
mkdir -p "$top/tests/accuracy/results"
python3 - "$work/$name" "$work/$name.eval.json" "$config" \
  "$top/tests/accuracy/results/$name.json" <<'PY'
import json, sys
run, evaluation, config, out = sys.argv[1:]
summary = json.load(open(f"{run}/summary.json"))
result = json.load(open(evaluation))
result.pop("task_accuracy", None)
keep = ("learner steps tasks_seen seed ranks threads reduction wall_s "
        "tasks_per_s theta_sha256 provenance").split()
json.dump(dict(config=config, evaluation=result, **{k: summary[k] for k in keep}),
          open(out, "w"), indent=1)
PY
echo "kept tests/accuracy/results/$name.json"
