#!/usr/bin/env bash
# python.sh GROUP: the Python module beside the program that it is of.
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
# shellcheck source=tests/support/cli.sh
source "$here/../support/cli.sh"
export PYTHONPATH=$PROTEAN_PYTHON_PATH:${PROTEAN_TEST_SITE:-} OMP_NUM_THREADS=1
python() { run "$PROTEAN_PYTHON" "$here/checks.py" "$@"; }
needs() { # a package, or the test is skipped
  "$PROTEAN_PYTHON" -c "import $1" 2>/dev/null || {
    echo "skipped: $PROTEAN_PYTHON has no package $1 (PROTEAN_TEST_SITE names a folder of it)"
    exit 77
  }
}
needs sklearn # as the module itself does
python3 "$here/../support/make_images.py" images 12 8 5
words=(train --data.source folder --data.path "$work/images" --data.split random
  --data.split_validation 0.25 --data.split_test 0.25 --run.threads 1 --run.log_every 1
  --run.steps 2 --eval.every 0 --task.ways 3 --task.shots 2 --task.queries 2
  --task.meta_batch 4 --task.stack 3 --model.filters 4 --run.quiet true)

# What the program says of a folder, and what the module says of the same pixels.
predictions() {
  needs PIL
  mkdir -p support query
  local c more
  for c in 000 001 002; do
    mkdir "support/$c"
    cp "images/class$c/000.png" "images/class$c/001.png" "support/$c/"
    cp "images/class$c/002.png" "query/$c-2.png"
    cp "images/class$c/003.png" "query/$c-3.png"
  done
  # siamese and relation have no probabilities: their choices are compared.
  for row in maml fomaml anil boil metasgd mamlpp metalstm protomaml imaml cavia reptile \
    protonet matching relation siamese snail mann baseline; do
    more=()
    [ $row != imaml ] || more=(--learner.proximal 2)
    [ $row != cavia ] || more=(--model.context 8)
    [ $row != baseline ] || more=(--task.flat_batch 8)
    [ $row != relation ] || more=(--model.pool_blocks 2)
    protean "${words[@]}" --learner.name $row --run.dir "runs/$row" "${more[@]}"
    expect_code 0
    protean adapt --run "runs/$row" --support support --query query --json
    expect_code 0
    mv "$scratch/out" "$row.json"
  done
  row=predictions
  python predictions
  expect_code 0
  cat "$scratch/out"
}

tasks() {
  row=tasks
  # What trains and what evaluates then normalise alike.
  words+=(--learner.query_norm support)
  protean "${words[@]}" --learner.name protonet --run.dir a --run.steps 2
  expect_code 0
  protean "${words[@]}" --learner.name protonet --run.dir b --run.steps 3 --comm.ranks 2
  expect_code 0
  protean eval --run a --eval.tasks 7 --json
  expect_code 0
  mv "$scratch/out" eval.json
  python tasks
  expect_code 0
}

samples() {
  row=samples
  protean train --config "$here/../../configs/omniglot/setvae.ini" --run.dir a --run.steps 2 \
    --run.quiet true --eval.every 0 --task.meta_batch 2
  expect_code 0
  python samples
  expect_code 0
}

estimator() {
  row=estimator
  protean "${words[@]}" --learner.name protonet --run.dir a
  expect_code 0
  python estimator
  expect_code 0
  cat "$scratch/out"
}

onnx() {
  needs onnxruntime
  needs onnx.checker
  row=onnx
  protean "${words[@]}" --learner.name protonet --run.dir protonet
  expect_code 0
  protean "${words[@]}" --learner.name protonet --run.dir support --learner.query_norm support
  expect_code 0
  protean "${words[@]}" --learner.name matching --run.dir matching --learner.temperature 0.005 --model.pool stride \
    --model.pool_blocks 3
  expect_code 0
  protean "${words[@]}" --learner.name maml --run.dir maml
  expect_code 0
  python onnx
  expect_code 0
  cat "$scratch/out"
}

bad() {
  row="bad input"
  protean "${words[@]}" --learner.name protonet --run.dir a
  expect_code 0
  protean "${words[@]}" --learner.name maml --run.dir m
  expect_code 0
  python bad
  expect_code 0
}

frames() {
  needs pandas
  row=frames
  protean "${words[@]}" --learner.name protonet --run.dir a
  expect_code 0
  python frames
  expect_code 0
}

"$1"
