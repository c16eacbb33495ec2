#!/usr/bin/env bash
# One generator of two data sets against one for each: the deformation model trained on
# Omniglot, on six of MNIST's digits, and on both at once (data.also), judged by five
# images of each class that no run was trained on, of either data set (three digits).
# `both` draws classes evenly, so that one task in 130 is of digits; `even` as many tasks
# of digits as of characters (data.weights).
#
#   tests/accuracy/joined.sh WORK FEATURES
#
# WORK keeps the runs, so that a later call goes on; FEATURES is a run whose network
# judges images (prototypical, of the training alphabets); PROTEAN_TEST_DATA holds the
# digits. SEEDS ("0 1 2") can be set. All runs have the same steps. Rows go to
# results/joined.csv: the bound in nats, and quality of samples. About four minutes of a
# core for each of the twelve runs.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
work=${1:?usage: joined.sh WORK FEATURES}
features=${2:?a run whose network judges images}
protean=${PROTEAN_BIN:-$top/build/protean}
digits=${PROTEAN_TEST_DATA:?expected a folder with mnist/mnist_test.zip}/mnist/mnist_test.zip

omniglot=(--data.source omniglot --data.path "" --data.split background --data.split_test 0.1)
mnist=(--data.source auto --data.path "$digits" --data.split random --data.split_test 0.3)

mkdir -p "$work"
for seed in ${SEEDS:-0 1 2}; do
  for arm in omniglot mnist both even; do
    case $arm in
      omniglot) flags=("${omniglot[@]}") ;;
      mnist) flags=("${mnist[@]}") ;;
      both) flags=(--data.also "$digits" --data.split_test 0.3) ;;
      even) flags=(--data.also "$digits" --data.split_test 0.3 --data.weights 1,1) ;;
    esac
    run=$work/$arm-seed$seed
    [ -e "$run/DONE" ] || "$protean" train --config "$top/configs/omniglot/deform.ini" --run.dir "$run" --resume auto \
      --run.seed "$seed" --run.threads 1 --run.quiet true --run.steps 600 --generator.warm_up 150 \
      "${flags[@]}"
    for data in omniglot mnist; do
      declare -n test=$data
      [ -s "$run.$data.json" ] ||
        "$protean" eval --run "$run" --eval.tasks 100 --eval.shots 5 --eval.features "$features" \
          --json --run.threads 1 --data.also "" --data.weights "" "${test[@]}" >"$run.$data.json.new"
      [ -s "$run.$data.json" ] || mv "$run.$data.json.new" "$run.$data.json"
    done
  done
done
python3 - "$work" "$top/tests/accuracy/results/joined.csv" <<'PY'
import glob, json, re, sys
work, csv = sys.argv[1:]
metrics = "frechet coverage precision recall fidelity one_nn".split()
with open(csv, "w") as f:
    print("trained_on,judged_on,seed,nats,ci95", *metrics, "real_frechet,classes,steps,commit", sep=",", file=f)
    for path in sorted(glob.glob(f"{work}/*-seed*.*.json")):
        arm, seed, data = re.fullmatch(r".*/(\w+)-seed(\d+)\.(\w+)\.json", path).groups()
        e, s = json.load(open(path)), json.load(open(f"{work}/{arm}-seed{seed}/summary.json"))
        q = e["quality"][0]
        print(arm, data, seed, f"{e['loss']:.2f}", f"{e['ci95']:.2f}",
              *(f"{q['samples'][m]:.4f}" for m in metrics), f"{q['real']['frechet']:.4f}",
              q["classes"], s["steps"], s["provenance"]["commit"][:8], sep=",", file=f)
PY
echo "kept tests/accuracy/results/joined.csv"
