#!/usr/bin/env bash
# How fast generators adapt to a class: quality of samples after 0, 1, 2, 5 and 10
# steps of Adam on five support images, with the wall time that they take, of
#   deform      the deformation model, which makes no steps
#   bend        a GAN over the deformation model, trained without inner steps
#   meta        a set-conditional GAN with all its parts (ablation.sh's `all`), the same
#   pretrained  a GAN without encoder, trained on all classes as long (its `none`)
#   scratch     the network of `meta` with initial values
# on unseen alphabets, and on MNIST's test digits when PROTEAN_TEST_DATA holds them.
#
#   tests/accuracy/adaptation.sh WORK FEATURES DEFORM BEND
#
# WORK is ablation.sh's, FEATURES a run whose network judges images, DEFORM and BEND
# the runs of configs/omniglot/deform.ini and metagan-deform.ini without their seed
# (runs/deform-seed). SEEDS ("0 1 2"), ARMS (all five) and NAME (adaptation) can be set.
# The rate of an arm is the one of RATES ("0.0002 0.0005 0.002 0.008") with the least
# Frechet distance after five steps on the validation alphabets, first seed. Rows go to
# results/NAME.csv. About 20 minutes of a core.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
work=${1:?usage: adaptation.sh WORK FEATURES DEFORM BEND}
features=${2:?a run whose network judges images}
deform=${3:?runs of deform.ini without their seed}
bend=${4:?runs of metagan-deform.ini without their seed}
protean=${PROTEAN_BIN:-$top/build/protean}
out=$work/adaptation
read -ra seeds <<<"${SEEDS:-0 1 2}"
arms=${ARMS:-deform bend meta pretrained scratch}

run_of() {
  case $1 in
    deform) echo "$deform$2" ;;
    bend) echo "$bend$2" ;;
    meta) echo "$work/all-seed$2" ;;
    pretrained) echo "$work/none-seed$2" ;;
    scratch) echo "$work/scratch-seed$2" ;;
  esac
}

# judge ARM SEED STEPS RATE NAME flags...
judge() {
  local run file steps=$3 rate=$4
  run=$(run_of "$1" "$2")
  file=$out/$1-seed$2-$5-$rate.json
  local adapt=(--learner.inner_steps "$steps" --learner.inner_optimizer adam --learner.inner_lr "$rate")
  [ "$1" != deform ] || adapt=()
  shift 5
  [ -s "$file" ] || "$protean" eval --run "$run" --eval.tasks 10 --eval.shots 5 \
    --eval.features "$features" --json --run.threads 1 "${adapt[@]}" "$@" >"$file.tmp"
  [ -s "$file" ] || mv "$file.tmp" "$file"
}

mkdir -p "$out"
for seed in "${seeds[@]}"; do
  [[ $arms = *scratch* ]] || break
  # One step of a rate that moves nothing: initial values with a checkpoint.
  [ -e "$work/scratch-seed$seed/DONE" ] ||
    "$protean" train --config "$work/all-seed$seed/config.ini" --run.dir "$work/scratch-seed$seed" \
      --run.steps 1 --optim.lr 1e-12 --optim.lr_end 1e-12 --run.quiet true
done
for arm in ${arms/deform/}; do
  for rate in ${RATES:-0.0002 0.0005 0.002 0.008}; do
    judge "$arm" "${seeds[0]}" 5 "$rate" validation --eval.stream validation
  done
done
digits=${PROTEAN_TEST_DATA:-}/mnist/mnist_test.zip
for arm in $arms; do
  rate=none
  [ "$arm" = deform ] || rate=$(python3 -c 'import json, sys
print(min((json.load(open(f))["quality"][0]["samples"]["frechet"], f) for f in sys.argv[1:])[1])' \
    "$out/$arm-seed${seeds[0]}-validation-"*.json)
  rate=${rate##*-} rate=${rate%.json}
  for seed in "${seeds[@]}"; do
    judge "$arm" "$seed" 10 "$rate" alphabets
    [ ! -f "$digits" ] ||
      judge "$arm" "$seed" 10 "$rate" digits --data.source auto --data.path "$digits" --data.split test
  done
done

python3 - "$out" "$top/tests/accuracy/results/${NAME:-adaptation}.csv" <<'PY'
import glob, json, os, re, sys
out, csv = sys.argv[1:]
order = "deform bend meta pretrained scratch".split()
rows = []
for path in glob.glob(f"{out}/*.json"):
    arm, seed, data, rate = re.fullmatch(r"(\w+)-seed(\d+)-(\w+)-(.*)\.json", os.path.basename(path)).groups()
    if data == "validation":
        continue
    q = json.load(open(path))["quality"][0]
    floor = f"{q['real']['frechet']:.4f}"
    for s in q["steps"][-1:] if arm == "deform" else q["steps"]:
        x = s["samples"]
        rows.append((data, order.index(arm), seed, 0 if arm == "deform" else s["step"], arm, rate,
                     *(f"{x[m]:.4f}" for m in "frechet coverage fidelity one_nn".split()),
                     f"{s['adapt_s']:.4f}", floor))
with open(csv, "w") as f:
    print("data,arm,rate,seed,steps,frechet,coverage,fidelity,one_nn,adapt_s,real_frechet", file=f)
    for data, _, seed, steps, arm, rate, *rest in sorted(rows):
        print(data, arm, rate, seed, steps, *rest, sep=",", file=f)
PY
echo "kept tests/accuracy/results/${NAME:-adaptation}.csv"
