#!/usr/bin/env bash
# same_bits.sh OLD NEW [CASE...]: two builds of protean train to the same bits.
#
# Each case is trained for 20 steps by both, in one stack a step and in several,
# and once for 10 steps by OLD and on to 20 by NEW: theta_sha256 and
# state_sha256 must agree. By hand, whenever a change is meant to keep the bits
# of existing runs; both builds on one machine, from one LibTorch.
#
# Every case sets keys that it reads, and no other: builds that refuse what does
# nothing take them too.
set -euo pipefail
export LC_ALL=C
[ $# -ge 2 ] || {
  sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0" >&2
  exit 2
}
old=$(realpath "$1") new=$(realpath "$2")
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

images="--task.ways 5 --task.shots 1 --task.queries 3 --task.meta_batch 6"
images+=" --model.filters 8 --model.pool stride"
sets="--task.ways 1 --task.shots 4 --task.queries 2 --task.meta_batch 6"
sets+=" --generator.filters 4 --generator.hidden 16 --generator.code 8"
inner="--learner.inner_steps 2"

# CASE|KEYS; the first column is its name on the command line.
cases="
maml|$images $inner
fomaml|$images $inner --learner.name fomaml --optim.schedule step --optim.decay_steps 5
reptile|$images $inner --learner.name reptile --learner.inner_optimizer adam --learner.inner_lr 0.001 --learner.inner_batch 3 --optim.name sgd --optim.lr 0.5
protonet|$images --learner.name protonet
mamlpp|$images $inner --learner.name mamlpp --learner.multi_loss_steps 10 --learner.first_order_steps 5
imaml|$images $inner --learner.name imaml --learner.proximal 2 --learner.inner_lr 0.1
baseline|$images --learner.name baseline --task.flat_batch 15
unequal|--task.ways 2 --task.shots 1 --task.queries 3 --task.meta_batch 6 --model.filters 8 --model.pool stride $inner --task.train_ways_max 6 --task.train_shots_max 3 --task.curriculum_accuracy 0.1 --eval.every 4 --eval.tasks 20
setvae|$sets --learner.name setvae
metagan|$sets --learner.name metagan --learner.inner_steps 1 --learner.inner_lr 0.001 --generator.r1_every 2
metagan-first|$sets --learner.name metagan --learner.inner_steps 2 --learner.inner_lr 0.001 --learner.second_order false --generator.variance 0.3 --generator.image_variance 0.2 --generator.proximal 0.1
metagan-reptile|$sets --learner.name metagan --learner.inner_steps 2 --learner.inner_lr 0.001 --learner.inner_optimizer adam --generator.meta reptile --generator.loss wasserstein --generator.r1_every 1
metagan-joint|$sets --learner.name metagan --learner.inner_steps 0 --generator.loss bce --generator.reconstruct mse --generator.code_cycle 0.5 --generator.variance 0.3
metavae|$sets --learner.name metavae $inner --learner.inner_lr 0.001
metavae-first|$sets --learner.name metavae $inner --learner.inner_lr 0.001 --learner.second_order false --learner.adapt film
metavae-reptile|$sets --learner.name metavae $inner --learner.inner_lr 0.001 --generator.meta reptile
deform|$(sed 's/ --generator.code 8//' <<<"$sets") --learner.name deform
promp|--data.source point --data.horizon 8 --task.shots 3 --task.queries 3 --task.meta_batch 6 --model.name mlp --model.hidden 8,8 --learner.name promp --learner.inner_steps 1 --learner.inner_lr 0.1
sinusoid|--data.source sinusoid --task.shots 10 --task.queries 10 --task.meta_batch 6 --model.name mlp --model.hidden 40,40 --model.init torch --learner.inner_steps 1 --learner.inner_lr 0.01
text|--data.source text --data.split stored --data.length 16 --task.shots 4 --task.queries 4 --task.meta_batch 6 --model.name transformer --model.width 16 --model.layers 1 --learner.inner_steps 1 --learner.inner_lr 0.2
table|--data.source table --data.target reading --data.split stored --task.shots 5 --task.queries 10 --task.meta_batch 6 --model.name mlp --model.hidden 20,20 $inner --learner.inner_lr 0.02
mixed|$images $inner --generator.from generator --task.mix real=1,generated=2,clustered=1 --generator.clusters 100 --generator.partitions 2 --generator.rule ro
shots|$images $inner --generator.from generator --task.generated_shots 1 --task.generated_as class --task.generated_queries 1 --task.generated_weight 0.3
refreshed|$images $inner --generator.from generator --task.mix real=1,generated=3 --task.mix_to real=1,generated=0 --task.mix_steps 40 --generator.refresh 4 --generator.refresh_steps 2 --checkpoint.every 3
interpolated|$images $inner --task.interpolate 0.5
"

# train BINARY FOLDER STEPS KEYS...
train() {
  local binary=$1 folder=$2 steps=$3
  shift 3
  "$binary" train --run.quiet true --eval.every 0 "$@" --run.dir "$folder" \
    --run.steps "$steps" >out 2>&1 || {
    echo "$binary train $* ended with code $?:" >&2
    tail -n 20 out >&2
    return 1
  }
}
hashes() {
  python3 -c 'import json, sys
d = json.load(open(sys.argv[1] + "/summary.json"))
print(d["steps"], d["theta_sha256"][:16], d["state_sha256"][:16])' "$1"
}

# shellcheck disable=SC2086  # keys are words
train "$old" generator 5 $sets --learner.name setvae
failed=0
while IFS='|' read -r name keys; do
  [ -n "$name" ] || continue
  [ $# = 0 ] || [[ " $* " = *" $name "* ]] || continue
  for stack in 6 2; do
    # shellcheck disable=SC2086  # keys are words
    words="$keys --task.stack $stack"
    verdict=same
    if train "$old" old 20 $words && train "$new" new 20 $words &&
      train "$old" resumed 10 $words && train "$new" resumed 20 $words --resume auto; then
      [ "$(hashes old)" = "$(hashes new)" ] || verdict="OTHER BITS: $(hashes new)"
      [ "$(hashes old)" = "$(hashes resumed)" ] || verdict+=" OTHER BITS RESUMED: $(hashes resumed)"
    else
      verdict=FAILED
    fi
    [ "$verdict" = same ] || failed=1
    echo "$name, stacks of $stack: $(hashes old) $verdict"
    rm -rf old new resumed
  done
done <<<"$cases"
exit $failed
