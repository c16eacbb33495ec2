#!/usr/bin/env bash
# What a generator's images of a task's own classes are worth to its learner where
# training classes are few: prototypical networks and MAML on 100 classes, 5-way 1-shot,
#   none    tasks as they are
#   shots   five generated support images beside each real one, in training and
#           evaluation
#   third   the same with a third of a real one's weight
#   class   in training, five of each class are one class more (N + 1)
#
#   tests/accuracy/generated_shots.sh WORK GENERATOR [train flags...]
#   tests/accuracy/generated_shots.sh runs/shots runs/deform-seed0
#
# WORK keeps the runs, so that a later call goes on; GENERATOR is a generative run of
# all training alphabets: it knows more classes than the learners. SEEDS ("0 1 2"; they
# draw tasks and initial values), LEARNERS ("protonet maml") and TASKS (1000, of
# evaluation, characters of held-out alphabets) can be set. All runs of a learner have
# the same steps. Rows go to results/generated-shots.csv after every seed; those of
# runs that WORK lacks stay. One to two minutes of a core for each of the 24 runs.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
work=${1:?usage: generated_shots.sh WORK GENERATOR [train flags]}
generator=${2:?a generative run}
shift 2
protean=${PROTEAN_BIN:-$top/build/protean}

flags_of() {
  local more=(--task.generated_shots 5 --generator.from "$generator")
  case $1 in
    none) flags=() ;;
    shots) flags=("${more[@]}") ;;
    third) flags=("${more[@]}" --task.generated_weight 0.333) ;;
    class) flags=("${more[@]}" --task.generated_as class) ;;
  esac
}

keep() {
  PYTHONPATH=$top/tests/accuracy python3 - "$work" "$top/tests/accuracy/results/generated-shots.csv" <<'PY'
import collections, glob, json, re, statistics, sys
from rows import store
work, csv = sys.argv[1:]
rows = []
for path in glob.glob(f"{work}/*.eval.json"):
    run = re.fullmatch(r".*/(\w+)-(\w+)-seed(\d+)\.eval\.json", path).groups()
    e = json.load(open(path))
    s = json.load(open(path.replace(".eval.json", "/summary.json")))
    rows.append((*run, f"{100 * e['accuracy']:.2f}", f"{100 * e['ci95']:.2f}", f"{e['loss']:.4f}", e["tasks"],
                 s["steps"], s["tasks_seen"], s["provenance"]["commit"][:8]))
columns = "learner,arm,seed,accuracy,ci95,loss,eval_tasks,steps,training_tasks,commit"
arms = collections.defaultdict(list)
for row in store(csv, columns.split(","), rows, ["learner", "arm", "seed"]):
    arms[row["learner"], row["arm"]].append(float(row["accuracy"]))
for arm, values in arms.items():
    print(f"{', '.join(arm)}: {statistics.mean(values):.2f} % over {len(values)} seeds, "
          f"{min(values):.2f} to {max(values):.2f}")
PY
}

mkdir -p "$work"
for seed in ${SEEDS:-0 1 2}; do
  for learner in ${LEARNERS:-protonet maml}; do
    budget=(--run.steps 1000 --task.train_ways 5 --optim.decay_steps 400)
    [ "$learner" != maml ] || budget=(--run.steps 600)
    for arm in none shots third class; do
      flags_of "$arm"
      run=$work/$learner-$arm-seed$seed
      [ -e "$run/DONE" ] || "$protean" train --config "$top/configs/omniglot/$learner-5w1s.ini" --run.dir "$run" \
        --resume auto --run.seed "$seed" --run.threads 1 --run.quiet true --eval.every 0 \
        --data.train_classes 100 --model.filters 32 "${budget[@]}" "${flags[@]}" "$@"
      [ -s "$run.eval.json" ] ||
        "$protean" eval --run "$run" --eval.tasks "${TASKS:-1000}" --run.threads 1 --json \
          >"$run.eval.json.new"
      [ -s "$run.eval.json" ] || mv "$run.eval.json.new" "$run.eval.json"
    done
  done
  keep
done
echo "kept tests/accuracy/results/generated-shots.csv"
