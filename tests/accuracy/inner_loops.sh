#!/usr/bin/env bash
# What it is worth to learn with inner steps: a set VAE that was trained as it is to
# be used, by steps of Adam on the support images (meta-VAE, first-order MAML), beside
# the same set VAE trained on without them and then fine-tuned in the same way, and a
# network with initial values; with LEARNER=metagan the same of a set-conditional GAN:
#   steps       from START, META_STEPS of 8 classes with inner steps (5; of a GAN 2 of
#               each network)
#   longer      from START, STEPS of 40 classes (of a GAN 20) without, which takes more
#               time
#   pretrained  of a GAN: as longer, but without encoder: a plain GAN of all classes
#   scratch     initial values
# Bound in nats and quality of samples after 0 to 10 steps on five drawings of each
# class of held-out alphabets.
#
#   tests/accuracy/inner_loops.sh WORK START FEATURES
#   tests/accuracy/inner_loops.sh runs/steps runs/setvae-seed runs/features-seed0
#   LEARNER=metagan tests/accuracy/inner_loops.sh runs/gan-steps runs/setvae-seed \
#     runs/features-seed0
#
# WORK keeps the runs, so that a later call goes on; START is a run of setvae.ini
# without its seed; FEATURES are runs whose networks judge images, separated by commas.
# SEEDS ("0 1 2"), META_STEPS (300; of a GAN 500) and STEPS (1000) can be set. The rate
# of an arm is the one of RATES ("0.0001 0.0003 0.001") with the least bound, of a GAN
# the least Frechet distance, after five steps on the validation alphabets, first seed.
# Rows go to results/inner-loops.csv, of a GAN to results/inner-loops-gan.csv; those of
# runs that WORK lacks stay. About five to ten minutes of a core for each seed.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
usage="usage: inner_loops.sh WORK START FEATURES"
work=${1:?$usage} start=${2:?$usage} features=${3:?$usage}
protean=${PROTEAN_BIN:-$top/build/protean}
read -ra seeds <<<"${SEEDS:-0 1 2}"
learner=${LEARNER:-metavae}
inner=(--learner.name "$learner" --learner.inner_optimizer adam)
with_steps=(--learner.second_order false --task.meta_batch 8 --task.stack 8)
case $learner in
  metavae)
    name=inner-loops config=setvae arms="steps longer scratch"
    inner+=(--learner.adapt head)
    with_steps+=("${inner[@]}" --learner.inner_steps 5 --learner.inner_lr 0.0003)
    without_steps=()
    ;;
  metagan)
    name=inner-loops-gan config=metagan arms="steps longer pretrained scratch"
    with_steps+=("${inner[@]}" --learner.inner_steps 2 --learner.inner_lr 0.0002)
    without_steps=(--task.meta_batch 20)
    META_STEPS=${META_STEPS:-500}
    ;;
  *)
    echo "LEARNER=$learner; expected metavae or metagan" >&2
    exit 2
    ;;
esac

train() {  # arm, seed, flags...
  local run=$work/$1-seed$2 seed=$2
  shift 2
  [ -e "$run/DONE" ] || "$protean" train --config "$top/configs/omniglot/$config.ini" --run.dir "$run" \
    --resume auto --run.seed "$seed" --run.threads 1 --run.quiet true --eval.every 0 \
    --task.shots 5 --task.queries 5 "$@"
}

# judge ARM SEED RATE NAME STEPS flags...
judge() {
  local run=$work/$1-seed$2 file=$work/$1-seed$2.$4-$3.json rate=$3 steps=$5
  shift 5
  [ ! -s "$file" ] || return 0
  "$protean" eval --run "$run" --run.threads 1 --json "${inner[@]}" --learner.inner_steps "$steps" \
    --learner.inner_lr "$rate" "$@" >"$file.new"
  mv "$file.new" "$file"
}

mkdir -p "$work"
for seed in "${seeds[@]}"; do
  from=(--optim.lr 0.0002 --model.init_from "$start$seed")
  train steps "$seed" "${from[@]}" "${with_steps[@]}" --run.steps "${META_STEPS:-300}"
  train longer "$seed" "${from[@]}" "${without_steps[@]}" --run.steps "${STEPS:-1000}"
  [[ $arms != *pretrained* ]] || train pretrained "$seed" "${from[@]}" "${without_steps[@]}" \
    --run.steps "${STEPS:-1000}" --generator.encoder false --generator.task_code false
  # One step of a rate that moves nothing: initial values with a checkpoint.
  train scratch "$seed" --optim.lr 1e-12 --optim.lr_end 1e-12 --run.steps 1
done
validation=(--eval.stream validation --eval.tasks 40)
[ "$learner" = metavae ] || validation=(--eval.stream validation --eval.tasks 10 --eval.features "$features")
for arm in $arms; do
  for rate in ${RATES:-0.0001 0.0003 0.001}; do
    judge "$arm" "${seeds[0]}" "$rate" validation 5 "${validation[@]}"
  done
  rate=$(python3 -c 'import json, sys
def score(path):
    d = json.load(open(path))
    return d["quality"][0]["samples"]["frechet"] if "quality" in d else d["loss"]
print(min((score(f), f) for f in sys.argv[1:])[1])' "$work/$arm-seed${seeds[0]}.validation-"*.json)
  rate=${rate##*-} rate=${rate%.json}
  for seed in "${seeds[@]}"; do
    judge "$arm" "$seed" "$rate" test 10 --eval.tasks 100 --eval.features "$features"
  done
done

PYTHONPATH=$top/tests/accuracy python3 - "$work" "$top/tests/accuracy/results/$name.csv" <<'PY'
import glob, json, os, re, sys
from rows import store
work, csv = sys.argv[1:]
rows = []
def nats(d, step):
    loss = d["per_step"][step]["loss"]
    return "" if loss is None else f"{loss:.2f}"
for path in glob.glob(f"{work}/*.test-*.json"):
    arm, seed, rate = re.fullmatch(r"(\w+)-seed(\d+)\.test-(.*)\.json", os.path.basename(path)).groups()
    d = json.load(open(path))
    s = json.load(open(f"{work}/{arm}-seed{seed}/summary.json"))
    for i, q in enumerate(d["quality"]):
        for at in q["steps"]:
            x = at["samples"]
            rows.append((i, arm, rate, seed, at["step"], nats(d, at["step"]),
                         *(f"{x[m]:.4f}" for m in "frechet coverage fidelity one_nn".split()),
                         f"{q['real']['frechet']:.4f}", s["steps"], s["provenance"]["commit"][:8]))
columns = "features,arm,rate,seed,steps,nats,frechet,coverage,fidelity,one_nn,real_frechet,trained_steps,commit"
store(csv, columns.split(","), rows, ["features", "arm", "seed", "steps"])
PY
echo "kept tests/accuracy/results/$name.csv"
