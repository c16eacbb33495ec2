#!/usr/bin/env bash
# What tasks within one alphabet teach: prototypical networks trained 20-way 1-shot on
#   mixed    characters of all training alphabets in one task
#   within   characters of one alphabet in each task (task.within = group)
# and judged on 20-way 1-shot tasks of held-out alphabets, within one alphabet (the tasks
# of the official one-shot protocol) and of all of them.
#
#   tests/accuracy/within_groups.sh WORK [train flags...]
#
# WORK keeps the runs, so that a later call goes on. SEEDS ("0 1 2"), ARMS ("mixed
# within"), STEPS (1000) and TASKS (600, of each evaluation, upright characters) can be
# set. Runs of one seed start from the same values. Rows go to
# results/within-groups.csv after every seed. A few minutes of a core for each run.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
work=${1:?usage: within_groups.sh WORK [train flags]}
shift
protean=${PROTEAN_BIN:-$top/build/protean}

# Of the runs that are there, also of earlier calls.
keep() {
  python3 - "$work" "$top/tests/accuracy" <<'PY'
import glob, json, re, statistics, sys
work, here = sys.argv[1:]
sys.path.insert(0, here)
import rows
columns = ["trained", "judged", "seed", "error_percent", "ci95", "eval_tasks", "steps", "commit"]
found, errors = [], {}
for path in glob.glob(f"{work}/*.*.json"):
    arm, seed, judged = re.fullmatch(r".*/(.+)-seed(\d+)\.(.+)\.json", path).groups()
    e = json.load(open(path))
    s = json.load(open(path.removesuffix(f".{judged}.json") + "/summary.json"))
    error = 100 * (1 - e["accuracy"])
    found.append([arm, judged, seed, f"{error:.2f}", f"{100 * e['ci95']:.2f}", e["tasks"], s["steps"],
                  s["provenance"]["commit"][:8]])
    errors.setdefault((arm, judged), []).append(error)
rows.store(f"{here}/results/within-groups.csv", columns, found, ["trained", "judged", "seed"])
for (arm, judged), values in sorted(errors.items()):
    print(f"trained {arm}, judged {judged}: {statistics.mean(values):.2f} % wrong over {len(values)} seeds, "
          f"{min(values):.2f} to {max(values):.2f}")
PY
}

mkdir -p "$work"
for seed in ${SEEDS:-0 1 2}; do
  for arm in ${ARMS:-mixed within}; do
    case $arm in
      mixed) within=any ;;
      within) within=group ;;
      *) echo "ARMS: no arm $arm" >&2; exit 2 ;;
    esac
    run=$work/$arm-seed$seed
    [ -e "$run/DONE" ] || "$protean" train --config "$top/configs/omniglot/protonet-5w1s.ini" --run.dir "$run" --resume auto \
      --run.seed "$seed" --run.threads 1 --run.quiet true --run.steps "${STEPS:-1000}" --eval.every 0 \
      --task.within "$within" --task.ways 20 --task.train_ways 20 --task.meta_batch 4 --data.rotate_eval false \
      --optim.decay_steps 400 "$@"
    for judged in any group; do
      [ -s "$run.$judged.json" ] ||
        "$protean" eval --run "$run" --eval.tasks "${TASKS:-600}" --eval.within $judged --run.threads 1 \
          --json >"$run.$judged.json"
    done
  done
  keep
done
echo "kept tests/accuracy/results/within-groups.csv"
