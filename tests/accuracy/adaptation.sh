#!/usr/bin/env bash
# How fast a generator adapts to a class: quality of samples after 0, 1, 2, 5 and 10
# steps of Adam on five support images, of
#   meta        a meta-learnt GAN with all its parts (ablation.sh's `all`)
#   pretrained  a GAN without encoder, trained on all classes as long (its `none`)
#   scratch     the first one's network with initial values
# on unseen alphabets, and on other data where DIGITS names MNIST's test digits.
#
#   tests/accuracy/adaptation.sh WORK FEATURES
#
# WORK is ablation.sh's. The rate of each arm is the one of RATES ("0.0005 0.002
# 0.008") with the least Frechet distance after five steps on the validation
# alphabets, seed 0. Rows go to results/adaptation.csv. About 40 minutes of a core.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
work=${1:?usage: adaptation.sh WORK FEATURES}
features=${2:?a run whose network judges images}
protean=${PROTEAN_BIN:-$top/build/protean}
csv=$top/tests/accuracy/results/adaptation.csv

run_of() {
  case $1 in
    meta) echo "$work/all-seed$2" ;;
    pretrained) echo "$work/none-seed$2" ;;
    scratch) echo "$work/scratch-seed$2" ;;
  esac
}

# judged ARM SEED STEPS RATE NAME flags...: the file with the quality.
judged() {
  local run file steps=$3 rate=$4
  run=$(run_of "$1" "$2")
  file=$work/adaptation/$1-seed$2-$5-$steps-$rate.json
  shift 5
  if [ ! -s "$file" ]; then
    "$protean" eval --run "$run" --eval.tasks 10 --eval.features "$features" --json --run.threads 1 \
      --learner.inner_steps 10 --learner.eval_steps "$steps" --learner.inner_optimizer adam \
      --learner.inner_lr "$rate" "$@" >"$file.tmp" && mv "$file.tmp" "$file"
  fi
  echo "$file"
}
value() {
  python3 -c 'import json, sys
print(json.load(open(sys.argv[1]))["quality"][0]["samples"][sys.argv[2]])' "$@"
}

mkdir -p "$work/adaptation"
seeds=${SEEDS:-0 1 2}
for seed in $seeds; do
  # One step of a rate that moves nothing: initial values with a checkpoint.
  [ -e "$work/scratch-seed$seed/DONE" ] ||
    "$protean" train --config "$work/all-seed$seed/config.ini" --run.dir "$work/scratch-seed$seed" \
      --run.steps 1 --optim.lr 1e-12 --optim.lr_end 1e-12 --run.quiet true
done
declare -A rate
for arm in meta pretrained scratch; do
  best=inf
  for r in ${RATES:-0.0005 0.002 0.008}; do
    frechet=$(value "$(judged $arm 0 5 "$r" validation --eval.stream validation)" frechet)
    if python3 -c "import sys; sys.exit(not $frechet < float('$best'))"; then
      best=$frechet
      rate[$arm]=$r
    fi
  done
done
echo "arm,rate,data,seed,steps,frechet,coverage,fidelity,one_nn" >"$csv.tmp"
for data in alphabets ${DIGITS:+digits}; do
  where=()
  [ "$data" = alphabets ] || where=(--data.source auto --data.path "$DIGITS" --data.split test)
  for arm in meta pretrained scratch; do
    for seed in $seeds; do
      for steps in 0 1 2 5 10; do
        file=$(judged $arm "$seed" $steps "${rate[$arm]}" "$data" "${where[@]}")
        row=$arm,${rate[$arm]},$data,$seed,$steps
        for metric in frechet coverage fidelity one_nn; do row+=,$(value "$file" $metric); done
        echo "$row" >>"$csv.tmp"
      done
    done
  done
done
mv "$csv.tmp" "$csv"
echo "kept tests/accuracy/results/adaptation.csv"
