#!/usr/bin/env bash
# What a learner gains by starting from the encoder of a set VAE or from the trunk of
# a GAN's discriminator: 5-way accuracy with 1, 5 and 10 drawings of held-out
# characters, of
#   pixels               the nearest drawing
#   random|vae|judge-0   prototypes of a network's features as it starts
#   random|vae|judge-N   the same after N steps on 50 characters
#
#   tests/accuracy/transfer.sh WORK VAE JUDGE
#
# WORK keeps the runs, so that a later call goes on. VAE and JUDGE: runs of setvae and
# metagan; the VAE saw the drawings of all training characters, grouped. SEEDS ("0 1
# 2") and STEPS ("300") can be set. Rows go to results/transfer.csv. About ten
# minutes of a core.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
work=${1:?usage: transfer.sh WORK VAE JUDGE}
vae=${2:?a run of setvae}
judge=${3:?a run of metagan}
protean=${PROTEAN_BIN:-$top/build/protean}
steps=${STEPS:-300}
mkdir -p "$work"

# of RUN KEY: of the section generator.
of() { sed -n '/^\[generator\]/,/^\[optim\]/p' "$1/config.ini" | sed -n "s/^$2 = //p"; }
# train NAME flags...
train() {
  local run=$work/$1
  shift
  [ -e "$run/DONE" ] || "$protean" train --config "$top/configs/omniglot/protonet-5w1s.ini" \
    --run.dir "$run" --run.threads 1 --run.quiet true --eval.every 0 --data.train_classes 50 \
    --task.train_ways 20 --resume auto "$@"
}
judge_at() { # NAME
  for shots in 1 5 10; do
    local file=$work/$1.$shots.json
    [ -s "$file" ] || "$protean" eval --run "$work/$1" --json --run.threads 1 --eval.tasks 400 \
      --eval.shots "$shots" --eval.queries 2 >"$file.tmp"
    [ -s "$file" ] || mv "$file.tmp" "$file"
  done
}

train pixels-0-seed0 --learner.name baseline --learner.readout pixels --task.flat_batch 20 \
  --run.steps 1 --optim.lr 1e-12
judge_at pixels-0-seed0
for seed in ${SEEDS:-0 1 2}; do
  for arm in random vae judge; do
    from=$vae start=() leak=0
    case $arm in
      vae) start=(--model.init_from "$vae" --model.init_part encoder) ;;
      judge) from=$judge leak=0.1 start=(--model.init_from "$judge" --model.init_part discriminator) ;;
    esac
    net=(--model.name encoder --model.filters "$(of "$from" filters)"
      --model.width "$(of "$from" features)" --model.leak "$leak" --run.seed "$seed")
    train "$arm-0-seed$seed" "${net[@]}" "${start[@]}" --run.steps 1 --optim.lr 1e-12
    train "$arm-$steps-seed$seed" "${net[@]}" "${start[@]}" --run.steps "$steps" --optim.lr 0.001
    judge_at "$arm-0-seed$seed"
    judge_at "$arm-$steps-seed$seed"
  done
done

python3 - "$work" "$top/tests/accuracy/results/transfer.csv" <<'PY'
import glob, json, os, re, sys
work, csv = sys.argv[1:]
rows = []
for path in glob.glob(f"{work}/*.json"):
    arm, steps, seed, shots = re.fullmatch(r"(\w+)-(\d+)-seed(\d+)\.(\d+)\.json", os.path.basename(path)).groups()
    r = json.load(open(path))
    rows.append((int(steps), arm, int(shots), int(seed), r["accuracy"], r["ci95"]))
with open(csv, "w") as f:
    print("start,steps,shots,seed,accuracy,interval", file=f)
    for steps, arm, shots, seed, accuracy, interval in sorted(rows):
        print(arm, steps, shots, seed, f"{accuracy:.4f}", f"{interval:.4f}", sep=",", file=f)
PY
echo "kept tests/accuracy/results/transfer.csv"
