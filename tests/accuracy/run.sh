#!/usr/bin/env bash
# Trains a shipped configuration from scratch and evaluates it on held-out
# tasks; keeps what is needed to compare in tests/accuracy/results/NAME.json, and
# of learners that act the returns of all validations in NAME.csv, to plot.
#
#   tests/accuracy/run.sh CONFIG [NAME] [-- train flags...]
#   tests/accuracy/run.sh configs/omniglot/protonet-5w1s.ini
#   EVAL="--eval.shots 5 --learner.eval_steps 5 --eval.tasks 2000" \
#     tests/accuracy/run.sh configs/sinusoid/maml-released.ini \
#     sinusoid-maml-released-seed1 -- --run.seed 1
#
# RANKS (default 1, without MPI), THREADS of each (1), EVAL (flags of eval,
# "--eval.tasks 2000"; several evaluations separated by ";") and WORK (a
# temporary folder; keep it to go on with a run that was stopped) can be set.
# Minutes to an hour each: not part of CI.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
config=${1:?usage: run.sh CONFIG [NAME] [-- flags]}
shift
name=$(basename "$(dirname "$config")")-$(basename "$config" .ini)
if [ $# -gt 0 ] && [ "$1" != -- ]; then name=$1; shift; fi
[ "${1:-}" = -- ] && shift
ranks=${RANKS:-1}
work=${WORK:-$(mktemp -d)}
run=$work/$name
export EVAL=${EVAL:---eval.tasks 2000}
if [ "$(id -u)" = 0 ]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
launch=("${PROTEAN_BIN:-$top/build/protean}")
[ "$ranks" = 1 ] || launch=(mpirun -np "$ranks" --oversubscribe --bind-to none
  --mca mpi_yield_when_idle 1 "${launch[@]}")

# Processor seconds of training, one line per start.
TIMEFORMAT='%U %S'
{ time "${launch[@]}" train --config "$config" --run.dir "$run" \
    --run.threads "${THREADS:-1}" --resume auto "$@" 2>&3; } 3>&2 2>>"$run.cpu"
IFS=';' read -ra evaluations <<<"$EVAL"
for flags in "${evaluations[@]}"; do
  # shellcheck disable=SC2086  # flags are words
  "${launch[@]}" eval --run "$run" --json $flags
done >"$run.eval.json"
mkdir -p "$top/tests/accuracy/results"
python3 - "$run" "$config" "$top/tests/accuracy/results/$name.json" "$*" <<'PY'
import json, os, sys
run, config, out, train_flags = sys.argv[1:]
summary = json.load(open(f"{run}/summary.json"))
flags = [f.strip() for f in os.environ["EVAL"].split(";")]
# One object after another.
text, evaluations = open(f"{run}.eval.json").read().strip(), []
while text:
    result, end = json.JSONDecoder().raw_decode(text)
    result.pop("task_accuracy", None)
    evaluations.append(dict(flags=flags[len(evaluations)], **result))
    text = text[end:].strip()
summary["provenance"].pop("host", None)
cpu = sum(float(x) for x in open(f"{run}.cpu").read().split())
keep = ("learner steps tasks_seen seed ranks threads reduction theta_sha256 "
        "provenance").split()
with open(out, "w") as f:
    json.dump(dict(config=config, train_flags=train_flags,
                   evaluations=evaluations,
                   wall_s=summary["wall_s"], cpu_s=cpu,
                   **{k: summary[k] for k in keep}), f, indent=1)
    f.write("\n")
lines = [json.loads(line) for line in open(f"{run}/metrics.jsonl")]
curve = [x for x in lines if "validation_return" in x]
if curve:
    with open(out.removesuffix("json") + "csv", "w") as f:
        steps = range(len(curve[0]["validation_return"]))
        print("step", *(f"return_{k}" for k in steps), sep=",", file=f)
        for x in curve:
            print(x["step"], *(f"{v:.4f}" for v in x["validation_return"]), sep=",", file=f)
PY
echo "kept tests/accuracy/results/$name.json"
