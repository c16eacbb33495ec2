#!/usr/bin/env bash
# What tasks mixed from two are worth where training classes are few: prototypical
# networks on 100 classes, with
#   none             tasks as they are
#   fixed_F          half of them mixed by the factor F of the other task
#   uniform, beta    half of them by a factor from 0 to 1, even or Beta(2, 2)
#   beyond           half of them by one from -0.25 to 1.25, even
#
#   tests/accuracy/interpolation.sh WORK [train flags...]
#
# WORK keeps the runs, so that a later call goes on. SEEDS ("0 1 2"; they draw tasks and
# initial values, the classes stay the same), ARMS and TASKS (1000, of evaluation, 5-way
# 1-shot, upright and turned characters of held-out alphabets) can be set. All runs have
# the same steps; those of a seed start from the same values and differ in the mixed
# tasks alone. Factors 0 and 1 are no arms: the first is none, bit for bit, the second
# none with other draws. Rows go to results/interpolation.csv after every seed. About a
# minute of a core for each of the 21 runs.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
work=${1:?usage: interpolation.sh WORK [train flags]}
shift
protean=${PROTEAN_BIN:-$top/build/protean}
arms=${ARMS:-none fixed_-0.25 fixed_0.25 fixed_0.5 uniform beta beyond}

flags_of() {
  local mixed=(--task.interpolate 0.5)
  case $1 in
    none) flags=() ;;
    fixed_*) flags=("${mixed[@]}" "--task.interpolate_low=${1#fixed_}" "--task.interpolate_high=${1#fixed_}") ;;
    uniform) flags=("${mixed[@]}") ;;
    beta) flags=("${mixed[@]}" --task.interpolate_draw beta) ;;
    beyond) flags=("${mixed[@]}" --task.interpolate_low=-0.25 --task.interpolate_high=1.25) ;;
    *) echo "ARMS: no arm $1" >&2; exit 2 ;;
  esac
}

# Of the runs that are there, also of earlier calls.
keep() {
  python3 - "$work" "$top/tests/accuracy/results/interpolation.csv" <<'PY'
import glob, json, re, statistics, sys
work, csv = sys.argv[1:]
arms = {}
for path in glob.glob(f"{work}/*.eval.json"):
    arm, seed = re.fullmatch(r".*/(.+)-seed(\d+)\.eval\.json", path).groups()
    e = json.load(open(path))
    s = json.load(open(path.replace(".eval.json", "/summary.json")))
    arms.setdefault(arm, {})[int(seed)] = (e, s)
with open(csv, "w") as f:
    print("arm,seed,accuracy,ci95,loss,eval_tasks,steps,training_tasks,commit", file=f)
    for arm, runs in sorted(arms.items()):
        for seed, (e, s) in sorted(runs.items()):
            print(arm, seed, f"{100 * e['accuracy']:.2f}", f"{100 * e['ci95']:.2f}", f"{e['loss']:.4f}",
                  e["tasks"], s["steps"], s["tasks_seen"], s["provenance"]["commit"][:8], sep=",", file=f)
        values = [100 * e["accuracy"] for e, _ in runs.values()]
        print(f"{arm}: {statistics.mean(values):.2f} % over {len(values)} seeds, "
              f"{min(values):.2f} to {max(values):.2f}")
PY
}

mkdir -p "$work"
for seed in ${SEEDS:-0 1 2}; do
  for arm in $arms; do
    flags_of "$arm"
    run=$work/$arm-seed$seed
    [ -e "$run/DONE" ] || "$protean" train --config "$top/configs/omniglot/protonet-5w1s.ini" --run.dir "$run" --resume auto \
      --run.seed "$seed" --run.threads 1 --run.quiet true --run.steps 1000 --eval.every 0 \
      --data.train_classes 100 --task.train_ways 20 --optim.decay_steps 400 --model.filters 32 \
      "${flags[@]}" "$@"
    [ -s "$run.eval.json" ] ||
      "$protean" eval --run "$run" --eval.tasks "${TASKS:-1000}" --run.threads 1 --json >"$run.eval.json"
  done
  keep
done
echo "kept tests/accuracy/results/interpolation.csv"
