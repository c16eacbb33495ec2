#!/usr/bin/env bash
# What keeps a set-conditional GAN stable: none, each and all of
#   encoder        the class's code comes from its images, and D is told it
#   discriminator  R1 and LeCam
#   generator      mode seeking
#   norm           layers normalised as the class's code says
# and other forms of the second and third,
#   variance       of D's mean outputs over tasks
#   images         variance over tasks of what fixed noise makes
#   cycle          the code is found again in what is made from it
#   proximal       inner steps are held to where they start
# alone or several at once (encoder+norm), by quality of samples, by copying, and by
# what they are worth to a classifier with five real images of each class.
#
#   tests/accuracy/ablation.sh WORK FEATURES [train flags...]
#   START=runs/setvae-seed0 tests/accuracy/ablation.sh WORK FEATURES
#
# WORK keeps the runs, so that a later call goes on; FEATURES is a run whose
# network judges the images (prototypical, of the training alphabets). SEEDS
# ("0 1 2") and ARMS ("none encoder discriminator generator norm all") can be set, and
# START: a run of setvae.ini, whose layers all generators start from, with smaller
# steps and its sizes. Every run has the same steps; every generator is judged as
# trained (0 steps) and after five steps of Adam on the support images. Rows go to
# results/ablation-metagan.csv, with START to results/ablation-started.csv. `ended` says
# how training did: well, by an error, or collapsed: samples of a class differ by less
# than a tenth of what real ones do. Two to five minutes of a core for each run.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
work=${1:?usage: ablation.sh WORK FEATURES [train flags]}
features=${2:?a run whose network judges images}
shift 2
protean=${PROTEAN_BIN:-$top/build/protean}
name=ablation-metagan
inner_rate=0.001
start=(--generator.filters 16 --generator.features 128 --generator.code 64 --generator.latent 16)
if [ -n "${START:-}" ]; then
  name=ablation-started
  inner_rate=0.0002
  start=(--model.init_from "$START" --optim.lr 0.0002)
fi
csv=$top/tests/accuracy/results/$name.csv
adapt=(--learner.inner_steps 5 --learner.inner_optimizer adam --learner.inner_lr "$inner_rate")

flags_of() {
  local parts=+$1+
  [ "$1" != all ] || parts=+encoder+discriminator+generator+norm+
  flags=() inner=("${adapt[@]}")
  [[ $parts = *+encoder+* ]] || flags+=(--generator.encoder false --generator.task_code false)
  [[ $parts = *+discriminator+* ]] || flags+=(--generator.r1 0 --generator.anchor 0)
  [[ $parts = *+generator+* ]] || flags+=(--generator.mode_seeking 0)
  [[ $parts != *+norm+* ]] || flags+=(--generator.task_norm true)
  [[ $parts != *+variance+* ]] || flags+=(--generator.variance 0.1)
  [[ $parts != *+images+* ]] || flags+=(--generator.image_variance 0.1)
  [[ $parts != *+cycle+* ]] || flags+=(--generator.code_cycle 0.1)
  [[ $parts != *+proximal+* ]] || inner+=(--generator.proximal 1)
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
  for arm in ${ARMS:-none encoder discriminator generator norm all}; do
    flags_of "$arm"
    run=$work/$arm-seed$seed
    code=0
    [ -e "$run/DONE" ] || "$protean" train --config "$top/configs/omniglot/metagan.ini" --run.dir "$run" --resume auto \
      --run.seed "$seed" --run.threads 1 --run.quiet true --run.steps 700 --eval.every 0 \
      --task.shots 5 --task.queries 5 --task.meta_batch 20 "${start[@]}" "${flags[@]}" "$@" || code=$?
    [ $code -le 1 ] || exit $code
    if [ $code = 1 ]; then
      echo "$arm, seed $seed: training ended by an error" >&2
      continue
    fi
    judge "$run" 0
    judge "$run" 5 "${inner[@]}"
    [ -s "$run.worth.json" ] ||
      "$protean" eval --run "$run" --study augmentation --arms none,generated --shots 5 --repeats 1 \
        --model.filters 32 --model.pool_blocks 3 --model.init torch --run.threads 1 --json "${inner[@]}" \
        >"$run.worth.json" || rm -f "$run.worth.json"
  done
done

python3 - "$work" "$csv" <<'PY'
import glob, json, os, re, sys
work, csv = sys.argv[1:]
metrics = "frechet coverage precision recall fidelity diversity one_nn".split()
order = "none encoder discriminator generator norm all".split()
found = {}
for run in glob.glob(f"{work}/*-seed*/config.ini"):
    run = os.path.dirname(run)
    arm, seed = re.fullmatch(r"(.*)-seed(\d+)", os.path.basename(run)).groups()
    if arm != "scratch":  # of adaptation.sh
        found[order.index(arm) if arm in order else len(order), arm, int(seed)] = run
with open(csv, "w") as out:
    print("arm", "seed", "steps", "ended", *metrics, "copying_ratio", "copying_share", "worth", "commit", sep=",",
          file=out)
    for (_, arm, seed), run in sorted(found.items()):
        if not os.path.exists(f"{run}/summary.json"):
            print(arm, seed, "", "error", *[""] * (len(metrics) + 4), sep=",", file=out)
            continue
        commit = json.load(open(f"{run}/summary.json"))["provenance"]["commit"][:8]
        for steps in (0, 5):
            path = f"{run}.quality{steps}.json"
            if not os.path.exists(path):
                print(arm, seed, steps, "unjudged", *[""] * (len(metrics) + 3), commit, sep=",", file=out)
                continue
            q = json.load(open(path))["quality"][0]
            worth = ""
            if steps == 5 and os.path.exists(f"{run}.worth.json"):
                none, made = (r["accuracy"] for r in json.load(open(f"{run}.worth.json"))["rows"])
                worth = f"{100 * (made - none):.2f}"
            ended = "well" if q["samples"]["diversity"] > 0.1 else "collapsed"
            print(arm, seed, steps, ended, *(f"{q['samples'][m]:.4f}" for m in metrics),
                  f"{q['copying']['distance_ratio']:.3f}", f"{q['copying']['share_closer']:.3f}",
                  worth, commit, sep=",", file=out)
print(f"kept {csv}")
PY
