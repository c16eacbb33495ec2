#!/usr/bin/env bash
# What keeps a set-conditional GAN stable: none, each and all of the task encoder, the
# discriminator's regularisation (R1, LeCam), the generator's (mode seeking) and
# norms that the class's code scales, by quality of samples, by copying, and by
# what they are worth to a classifier with five real images of each class.
#
#   tests/accuracy/ablation.sh WORK FEATURES [train flags...]
#   START=runs/setvae tests/accuracy/ablation.sh WORK FEATURES
#
# WORK keeps the runs, so that a later call goes on; FEATURES is a run whose
# network judges the images (prototypical, of the training alphabets). SEEDS
# ("0 1 2") can be set, and START: a run of setvae.ini with features = 128, code = 64
# and latent = 16, whose layers all generators start from, with smaller steps. Every
# run has the same steps; every generator is judged as trained (0 steps) and after
# five steps of Adam on the support images. Rows go to results/ablation-metagan.csv,
# with START to results/ablation-started.csv; a run that ends by an error has one
# without figures. Three to five minutes of a core for each of the 18 runs.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
work=${1:?usage: ablation.sh WORK FEATURES [train flags]}
features=${2:?a run whose network judges images}
shift 2
protean=${PROTEAN_BIN:-$top/build/protean}
name=ablation-metagan
inner_rate=0.001
start=(--generator.filters 16)
if [ -n "${START:-}" ]; then
  name=ablation-started
  inner_rate=0.0002
  start=(--generator.filters 32 --model.init_from "$START" --optim.lr 0.0002)
fi
csv=$top/tests/accuracy/results/$name.csv
adapt=(--learner.inner_steps 5 --learner.inner_optimizer adam --learner.inner_lr "$inner_rate")

without_encoder=(--generator.encoder false --generator.task_code false)
without_discriminator=(--generator.r1 0 --generator.anchor 0)
without_generator=(--generator.mode_seeking 0)
with_norm=(--generator.task_norm true)
flags_of() {
  case $1 in
    none) flags=("${without_encoder[@]}" "${without_discriminator[@]}" "${without_generator[@]}") ;;
    encoder) flags=("${without_discriminator[@]}" "${without_generator[@]}") ;;
    discriminator) flags=("${without_encoder[@]}" "${without_generator[@]}") ;;
    generator) flags=("${without_encoder[@]}" "${without_discriminator[@]}") ;;
    norm) flags=("${without_encoder[@]}" "${without_discriminator[@]}" "${without_generator[@]}" "${with_norm[@]}") ;;
    all) flags=("${with_norm[@]}") ;;
  esac
}

# judge RUN STEPS flags...: quality of samples after so many steps.
judge() {
  local run=$1 steps=$2
  shift 2
  [ -s "$run.quality$steps.json" ] ||
    "$protean" eval --run "$run" --eval.tasks 10 --eval.features "$features" --json \
      --run.threads 1 "$@" >"$run.quality$steps.json" || rm -f "$run.quality$steps.json"
}

mkdir -p "$work"
# Runs of one start and of another are not to be mixed.
[ -e "$work/start" ] || echo "${START:-}" >"$work/start"
[ "$(cat "$work/start")" = "${START:-}" ] ||
  { echo "$work holds runs of START=$(cat "$work/start"); expected another WORK" >&2; exit 2; }
for seed in ${SEEDS:-0 1 2}; do
  for arm in none encoder discriminator generator norm all; do
    flags_of "$arm"
    run=$work/$arm-seed$seed
    code=0
    [ -e "$run/DONE" ] || "$protean" train --config "$top/configs/omniglot/metagan.ini" --run.dir "$run" --resume auto \
      --run.seed "$seed" --run.threads 1 --run.quiet true --run.steps 700 --eval.every 0 \
      --task.shots 5 --task.queries 5 --task.meta_batch 20 "${start[@]}" \
      --generator.features 128 --generator.code 64 --generator.latent 16 "${flags[@]}" "$@" || code=$?
    [ $code -le 1 ] || exit $code
    if [ $code = 1 ]; then
      echo "$arm, seed $seed: training ended by an error" >&2
      continue
    fi
    judge "$run" 0
    judge "$run" 5 "${adapt[@]}"
    [ -s "$run.worth.json" ] ||
      "$protean" eval --run "$run" --study augmentation --arms none,generated --shots 5 --repeats 1 \
        --model.filters 32 --model.pool_blocks 3 --model.init torch --run.threads 1 --json "${adapt[@]}" \
        >"$run.worth.json" || rm -f "$run.worth.json"
  done
done

python3 - "$work" "$csv" <<'PY'
import glob, json, os, sys
work, csv = sys.argv[1:]
metrics = "frechet coverage precision recall fidelity one_nn".split()
with open(csv, "w") as out:
    print("arm", "seed", "steps", *metrics, "copying_ratio", "copying_share", "worth", "commit", sep=",", file=out)
    for arm in "none encoder discriminator generator norm all".split():
        for run in sorted(glob.glob(f"{work}/{arm}-seed*[0-9]")):
            seed = run.rsplit("seed")[-1]
            if not os.path.exists(f"{run}/summary.json"):
                print(arm, seed, "diverged", *[""] * 10, sep=",", file=out)
                continue
            commit = json.load(open(f"{run}/summary.json"))["provenance"]["commit"][:8]
            for steps in (0, 5):
                path = f"{run}.quality{steps}.json"
                if not os.path.exists(path):
                    print(arm, seed, steps, *[""] * 9, commit, sep=",", file=out)
                    continue
                q = json.load(open(path))["quality"][0]
                worth = ""
                if steps == 5 and os.path.exists(f"{run}.worth.json"):
                    none, made = (r["accuracy"] for r in json.load(open(f"{run}.worth.json"))["rows"])
                    worth = f"{100 * (made - none):.2f}"
                print(arm, seed, steps, *(f"{q['samples'][m]:.4f}" for m in metrics),
                      f"{q['copying']['distance_ratio']:.3f}", f"{q['copying']['share_closer']:.3f}",
                      worth, commit, sep=",", file=out)
print(f"kept {csv}")
PY
