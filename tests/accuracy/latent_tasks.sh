#!/usr/bin/env bash
# What learners are worth that have seen nothing but tasks from a generator's codes, by
# LASIUM's rules: prototypical networks and MAML, 5-way, judged with 1 and 5 shots on
# real characters of held-out alphabets, upright; and by references that make tasks of
# training images without their labels.
#
#   tests/accuracy/latent_tasks.sh WORK NAME=RUN... [-- train flags...]
#   tests/accuracy/latent_tasks.sh runs/latent vae=runs/setvae-seed gan=runs/gan-seed
#   RULES=clustered tests/accuracy/latent_tasks.sh runs/latent vae=runs/setvae-seed
#   RULES=augmented tests/accuracy/latent_tasks.sh runs/latent none=
#
# WORK keeps the runs, so that a later call goes on. RUN and a seed's number make the
# generative run that tasks of this seed come from: vae=runs/setvae-seed takes
# runs/setvae-seed0 for seed 0. RULES ("n ro oc"; also class, image, clustered: CACTUs,
# and augmented: UMTRA, which takes no run), LEARNERS ("protonet maml"), SEEDS
# ("0 1 2"; of generator, tasks and initial values), STEPS (3000 of prototypical networks,
# four tasks each) and MAML_STEPS (1500, sixteen tasks each), and TASKS (600, of
# evaluation) can be set. Training tasks are distorted, as LASIUM's are shifted. Rows go
# to results/latent-tasks.csv after every seed; those of runs that WORK lacks stay. Two
# to six minutes of a core for each run.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
usage="usage: latent_tasks.sh WORK NAME=RUN... [-- train flags]"
work=${1:?$usage}
shift
generators=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  generators+=("$1")
  shift
done
[ $# -eq 0 ] || shift
[ ${#generators[@]} -gt 0 ] || { echo "$usage" >&2; exit 2; }
protean=${PROTEAN_BIN:-$top/build/protean}

budget_of() {
  budget=(--run.steps "${STEPS:-3000}")
  [ "$1" = maml ] || return 0
  budget=(--run.steps "${MAML_STEPS:-1500}" --task.meta_batch 16 --task.stack 4 --learner.name maml
    --learner.inner_steps 1 --learner.inner_lr 0.4 --learner.eval_steps 3)
}

# Where tasks come from: rule, run of a generator.
source_of() {
  case $1 in
    augmented) from=(--task.mix augmented) ;;
    clustered) from=(--task.mix clustered --generator.from "$2") ;;
    *) from=(--generator.from "$2" --generator.rule "$1") ;;
  esac
}

judge() {  # run, file, flags...
  local run=$1 file=$2
  shift 2
  [ ! -s "$file" ] || return 0
  "$protean" eval --run "$run" --eval.tasks "${TASKS:-600}" --run.threads 1 --json "$@" >"$file.new"
  mv "$file.new" "$file"
}

keep() {
  PYTHONPATH=$top/tests/accuracy python3 - "$work" "$top/tests/accuracy/results/latent-tasks.csv" <<'PY'
import collections, glob, json, re, statistics, sys
from rows import store
work, csv = sys.argv[1:]
rows = []
for path in glob.glob(f"{work}/*.1.json"):
    run = re.fullmatch(r".*/(\w+)-(\w+)-(\w+)-seed(\d+)\.1\.json", path).groups()
    one, five = (json.load(open(path[:-6] + f"{k}.json")) for k in (1, 5))
    s = json.load(open(path.replace(".1.json", "/summary.json")))
    rows.append((*run, *(f"{100 * e[v]:.2f}" for e in (one, five) for v in ("accuracy", "ci95")), one["tasks"],
                 s["steps"], s["tasks_seen"], s["provenance"]["commit"][:8]))
columns = "learner,generator,rule,seed,one_shot,ci95,five_shot,ci95_five,eval_tasks,steps,training_tasks,commit"
arms = collections.defaultdict(list)
for row in store(csv, columns.split(","), rows, ["learner", "generator", "rule", "seed"]):
    arms[row["learner"], row["generator"], row["rule"]].append(row)
for arm, runs in arms.items():
    for shots in ("one_shot", "five_shot"):
        values = [float(r[shots]) for r in runs]
        spread = statistics.stdev(values) if len(values) > 1 else 0
        print(f"{', '.join(arm)}, {shots}: {statistics.mean(values):.2f} +- {spread:.2f} % over {len(values)} seeds")
PY
}

mkdir -p "$work"
for seed in ${SEEDS:-0 1 2}; do
  for generator in "${generators[@]}"; do
    for rule in ${RULES:-n ro oc}; do
      for learner in ${LEARNERS:-protonet maml}; do
        budget_of "$learner"
        source_of "$rule" "${generator#*=}$seed"
        run=$work/$learner-${generator%%=*}-$rule-seed$seed
        [ -e "$run/DONE" ] || "$protean" train --config "$top/configs/omniglot/protonet-generated.ini" --run.dir "$run" \
          --resume auto --run.seed "$seed" --run.threads 1 --run.quiet true --eval.every 0 \
          --data.augment affine "${from[@]}" "${budget[@]}" "$@"
        judge "$run" "$run.5.json" --eval.shots 5 --eval.queries 7
        judge "$run" "$run.1.json"
      done
    done
  done
  keep
done
echo "kept tests/accuracy/results/latent-tasks.csv"
