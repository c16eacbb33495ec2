#!/usr/bin/env bash
# stored.sh GROUP: a run stands by itself: its split and scales are those it was made
# with, whatever became of the data, and predicting needs none of them.
support=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../support")
# shellcheck source=tests/support/cli.sh
source "$support/cli.sh"
# shellcheck source=tests/support/recomputed.sh
source "$support/recomputed.sh"

refused() {  # REGEX WORDS...
  local regex=$1
  shift
  row="$*"
  protean "$@"
  expect_code 2
  expect_error "$regex"
  [ ! -s "$scratch/out" ] || fail "output although it failed"
}
# What the command prints is what FILE holds.
same() {  # FILE WORDS...
  local file=$1
  shift
  accepted "$@"
  cmp "$file" "$scratch/out" >&2 || fail "another result than $file: $(cat "$file")"
}

few=(--run.quiet true --run.steps 3 --run.threads 1 --task.ways 3 --task.shots 1 --task.queries 2
  --task.meta_batch 2 --eval.every 0)
folder=(--data.source folder --data.split random --data.split_validation 0.2 --data.split_test 0.4)
net=(--learner.name protonet --model.filters 4)

# A random split is the run's: classes that come are in none of it, one that is gone or
# has other images is named, wherever the command is given.
split() {
  python3 "$support/make_images.py" images 24 6 1
  python3 "$support/make_images.py" others 24 6 2
  accepted train "${few[@]}" "${folder[@]}" "${net[@]}" --data.path images --run.dir run
  accepted train "${few[@]}" "${folder[@]}" "${net[@]}" --data.path images --run.dir turned \
    --data.rotations classes --data.rotate_eval true
  accepted eval --run run --eval.tasks 40 --json
  cp "$scratch/out" own.json
  accepted eval --run turned --eval.tasks 20 --json
  cp "$scratch/out" turned.json
  python <<'PY'
run, turned = (json.load(open(f"{r}/data.json")) for r in ("run", "turned"))
expect("path", run["path"], str(pathlib.Path("images").resolve()))
expect("sizes", [len(run["split"][k]) for k in ("train", "validation", "test", "unused")], [9, 5, 10, 0])
expect("upright classes", turned["split"], run["split"])
expect("their examples", turned["classes"], run["classes"])
expect("images of a class", {size for size, _ in run["classes"].values()}, {6})
expect("hashes differ", len({h for _, h in run["classes"].values()}), 24)
PY
  local train test
  train=$(json run/data.json 'd["split"]["train"][0]' | tr -d '"')
  test=$(json run/data.json 'd["split"]["test"][0]' | tr -d '"')
  # Three that came, one of them first by name.
  cp -r others/class001 images/a-new
  cp -r others/class002 images/class005b
  cp -r others/class003 images/z-new
  same own.json eval --run run --eval.tasks 40 --json
  expect_line '^\[warning\] data\.path = images: of the classes that came .* none is evaluated: 3 classes are new \(a-new, class005b, z-new\)$'
  same turned.json eval --run turned --eval.tasks 20 --json
  refused 'data\.path = images: not the data that the run was split from: 3 classes are new \(a-new, class005b, z-new\); expected that data \(a new run\.dir' \
    train "${few[@]}" "${folder[@]}" "${net[@]}" --data.path images --run.dir run --resume auto --run.steps 4
  rm -r images/a-new images/class005b images/z-new
  # One that is gone.
  mv "images/$train" gone
  refused "data\\.path = images: not the data that the run was split from: 1 class is missing \\($train\\); expected that data, or for other data --data\\.split test, .* or --across NAME=PATH" \
    eval --run run --eval.tasks 40
  accepted eval --run run --eval.tasks 10 --data.split test --strict false
  mv gone "images/$train"
  # Another image, and one more.
  mv "images/$test/003.png" kept.png
  cp others/class000/000.png "images/$test/003.png"
  refused "1 class has other examples \\($test\\)" eval --run run --eval.tasks 40
  mv kept.png "images/$test/003.png"
  cp others/class000/000.png "images/$test/more.png"
  refused "1 class has other examples \\($test\\)" eval --run run --eval.tasks 40
  rm "images/$test/more.png"
  # A pack of other images with the same names; the same images in a pack.
  accepted pack --in others --out others.pack
  accepted pack --in images --out same.pack
  refused '24 classes have other examples \(class000, class001, class002, class003, class004, \.\.\.\)' \
    eval --run run --data.path others.pack --data.source pack
  same own.json eval --run run --eval.tasks 40 --json --data.path same.pack --data.source pack
  # Another working directory, with other images where the run's were from here.
  mkdir elsewhere
  cp -r others elsewhere/images
  cd elsewhere
  same ../own.json eval --run ../run --eval.tasks 40 --json
  mv ../images ../moved
  refused 'data\.path = images: not the data .*: 24 classes have other examples' eval --run ../run
  rm -r images
  refused 'data\.path = .*/images: no such file or folder, which the run was split from, 24 classes \(9 train, 5 validation, 10 test\); expected it there or where --data\.path says; adapt, generate and export need none of it$' \
    eval --run ../run
  same ../own.json eval --run ../run --eval.tasks 40 --json --data.path ../moved
}

# Two data sets, each split at random.
also() {
  python3 "$support/make_images.py" one 12 6 1
  python3 "$support/make_images.py" two 12 6 2
  accepted train "${few[@]}" "${folder[@]}" "${net[@]}" --data.path one --data.also two --run.dir run
  accepted eval --run run --eval.tasks 40 --json
  cp "$scratch/out" own.json
  expect_equal "classes of two sets" "$(json run/data.json \
    'len({c for k in d["split"].values() for c in k if c.startswith("two/")})')" 12
  mkdir away
  cd away
  same ../own.json eval --run ../run --eval.tasks 40 --json
  cp -r ../one/class000 ../two/another
  same ../own.json eval --run ../run --eval.tasks 40 --json
  expect_line '1 class is new \(two/another\)'
  rm -r ../two/class004
  refused '1 class is missing \(two/class004\)' eval --run ../run
  # Sets that overlap.
  cd ..
  mkdir third
  cp -r one/class001 third/x
  cp -r one/class005 third/y
  python3 "$support/make_images.py" third 5 6 3
  accepted train "${few[@]}" "${folder[@]}" "${net[@]}" --data.path one --data.also third --run.dir both
  expect_line '^\[warning\] data: 2 classes are there twice \(third/x is class001\)'
  refused 'data: 2 classes are there twice \(third/x is class001\): .*; expected each once, or --strict false$' \
    train "${few[@]}" "${folder[@]}" "${net[@]}" --data.path one --data.also third --run.dir new --strict true
  [ ! -e new ] || fail "a folder of what was refused"
}

# Means, scales and label numbers of a table are those of the run.
table() {
  cp "$support/../../configs/table/devices.csv" devices.csv
  head -1 devices.csv | cut -d, -f3- | tee support.csv >query.csv
  grep '^device39,' devices.csv | cut -d, -f3- | head -8 >>support.csv
  grep '^device39,' devices.csv | cut -d, -f3- | tail -10 >>query.csv
  accepted train --run.dir run --data.source table --data.path devices.csv --data.target reading \
    --data.split stored --model.name mlp --run.steps 100 --run.quiet true --task.shots 5 \
    --task.queries 10 --learner.inner_steps 2 --learner.inner_lr 0.02 --task.meta_batch 8 --eval.every 0
  accepted adapt --run run --support support.csv --query query.csv --json
  cp "$scratch/out" adapted.json
  accepted eval --run run --eval.tasks 20 --json
  cp "$scratch/out" own.json
  local row
  for row in $(seq 25); do echo "device99,train,$((100 * row)),-40,$row,3"; done >>devices.csv
  same adapted.json adapt --run run --support support.csv --query query.csv --json
  same own.json eval --run run --eval.tasks 20 --json
  expect_line '1 class is new \(device99\)$'
  # Other readings, scaled as the run's own.
  accepted eval --run run --eval.tasks 20 --json --data.path devices.csv --data.split stored
  expect_equal "the same test devices" "$(json "$scratch/out" 'd["loss"]')" "$(json own.json 'd["loss"]')"
  rm devices.csv
  same adapted.json adapt --run run --support support.csv --query query.csv --json
  refused 'devices\.csv: no such file or folder, which the run was split from' eval --run run
}

# Copied to an empty place, with its data gone, a run does all but split them.
alone() {
  mkdir made there
  python3 "$support/make_images.py" made/images 24 6 1
  python3 "$support/make_images.py" mine 3 2 7
  python3 "$support/make_languages.py" made/languages
  cd made
  accepted train "${few[@]}" "${folder[@]}" "${net[@]}" --data.path images --run.dir ../first
  accepted train "${few[@]}" "${folder[@]}" --data.path images --run.dir ../maker --learner.name setvae \
    --generator.filters 4 --generator.features 8 --generator.hidden 8 --generator.code 4 \
    --generator.latent 4 --task.ways 1
  accepted train --run.quiet true --run.steps 3 --data.source text --data.path languages \
    --data.split random --data.split_test 0.3 --data.length 8 --task.shots 2 --task.queries 2 \
    --task.meta_batch 2 --model.name transformer --model.width 8 --model.layers 1 --model.heads 2 \
    --eval.every 0 --run.dir ../writer
  accepted "${waves[@]}" --run.steps 3 --eval.every 0 --run.dir ../waves
  cd ..
  printf 'one two one two one two one two one two' >words.txt
  accepted eval --run first --eval.tasks 20 --save-task-list list.jsonl --json
  cp "$scratch/out" listed.json
  accepted eval --run waves --eval.tasks 20 --save-task-list waves.jsonl --json
  cp "$scratch/out" waves.json
  accepted adapt --run first --support mine --query mine/class000 --json
  cp "$scratch/out" adapted.json
  accepted generate --run maker --support mine/class000 --count 3 --out drawn
  accepted generate --run writer --support words.txt --length 20 --json
  cp "$scratch/out" written.json
  accepted adapt --run writer --support words.txt --query words.txt --json
  cp "$scratch/out" scored.json
  # The images of the test classes alone.
  mkdir tests
  local name
  for name in $(json first/data.json '" ".join(d["split"]["test"])' | tr -d '"'); do
    cp -r "made/images/$name" tests
  done
  rm -r made
  mv first maker writer waves list.jsonl waves.jsonl mine words.txt tests there
  cd there
  same ../adapted.json adapt --run first --support mine --query mine/class000 --json
  accepted generate --run maker --support mine/class000 --count 3 --out drawn
  diff -r drawn ../drawn >&2 || fail "other images"
  same ../written.json generate --run writer --support words.txt --length 20 --json
  same ../scored.json adapt --run writer --support words.txt --query words.txt --json
  accepted export first exported
  [ -s exported/model.safetensors ] || fail "nothing exported"
  same ../waves.json eval --run waves --task-list waves.jsonl --json
  accepted eval --run first --across other=mine --eval.tasks 4 --eval.shots 1 --eval.queries 1
  same ../listed.json eval --run first --task-list list.jsonl --data.path tests --json
  refused 'made/images: no such file or folder; expected the images that --task-list names, there or where --data\.path says' \
    eval --run first --task-list list.jsonl
  refused 'made/images: no such file or folder, which the run was split from, 24 classes \(9 train, 5 validation, 10 test\)' \
    eval --run first
  refused 'data\.path = tests: not the data that the run was split from: 14 classes are missing' \
    eval --run first --data.path tests
  refused 'data\.path = tests does nothing here' adapt --run first --support mine --query mine \
    --data.path tests
  # Listed images must be those.
  name=$(ls tests | head -1)
  for image in tests/"$name"/*; do cp mine/class000/000.png "$image"; done
  refused 'list\.jsonl:[0-9]+: the task was made from other examples than those that its classes have here' \
    eval --run first --task-list list.jsonl --data.path tests
  rm -r "tests/$name"
  refused "list\\.jsonl:[0-9]+: no class \"$name\" in the data" \
    eval --run first --task-list list.jsonl --data.path tests
}

# --checkpoint of every command that uses a run.
checkpoint() {
  python3 "$support/make_images.py" mine 3 2 7
  local words=("${few[@]}" --run.steps 6 --run.seed 2 --eval.every 1 --eval.tasks 12 --optim.lr 0.02 --checkpoint.every 1
    --checkpoint.keep 9)
  accepted train "${words[@]}" "${net[@]}" --run.dir run
  python <<'PY'
v = validations("run")
best = max(v, key=lambda l: (l["validation_accuracy"], -l["step"]))["step"]
if best == v[-1]["step"]:
    sys.exit("the last validation is the best one")
print(best)
PY
  local best
  best=$(cat "$scratch/python")
  accepted eval --run run --checkpoint best --json --eval.stream validation
  expect_equal "the best step and its accuracy" "$(json "$scratch/out" '[d["step"], d["accuracy"]]')" \
    "$(python3 -c 'import json, sys
lines = [json.loads(l) for l in open("run/metrics.jsonl")]
print(json.dumps([int(sys.argv[1]), [l["validation_accuracy"] for l in lines
    if l["step"] == int(sys.argv[1]) and "validation_accuracy" in l][0]]))' "$best")"
  local step
  for step in 2 latest; do
    accepted eval --run run --checkpoint $step --json
    json "$scratch/out" 'd["step"]' >>steps
    accepted adapt --run run --checkpoint $step --support mine --query mine --json
    cp "$scratch/out" adapted-$step.json
    accepted export run exported-$step --checkpoint $step
    json exported-$step/config.json 'd["step"]' >>steps
    accepted train "${words[@]}" "${net[@]}" --run.steps 8 --run.dir on-$step --resume run --checkpoint $step
    json on-$step/summary.json 'd["resumed_from"]' >>steps
  done
  expect_equal steps "$(xargs <steps)" "2 2 2 6 6 6"
  ! cmp -s adapted-2.json adapted-latest.json || fail "both steps adapt alike"
  refused '--checkpoint 7: there is none of step 7; expected latest, best or a step of 1, 2, 3, 4, 5, 6$' \
    eval --run run --checkpoint 7
  refused '--checkpoint newest: no such name; expected latest, best or a step of 1, ' \
    export run new --checkpoint newest
  refused '--checkpoint 9: there is none of step 9' \
    train "${words[@]}" "${net[@]}" --run.dir new --resume run --checkpoint 9
  refused '--checkpoint 2, but --resume auto; expected --resume DIR' \
    train "${words[@]}" "${net[@]}" --run.dir run --resume auto --checkpoint 2
  [ ! -e new ] || fail "a folder of what was refused"
  accepted train "${few[@]}" --learner.name setvae --generator.filters 4 --generator.features 8 \
    --generator.hidden 8 --generator.code 4 --generator.latent 4 --task.ways 1 --run.dir maker \
    --checkpoint.every 1
  accepted generate --run maker --support mine/class000 --count 1 --out a --checkpoint 1 --json
  expect_equal "generated at" "$(json "$scratch/out" 'd["step"]')" 1
  accepted latent --run maker --out b --checkpoint 2 --classes 2
  refused '--checkpoint best: no validation has chosen one \(eval\.every\); expected latest, best or a step of 1, 2, 3$' \
    latent --run maker --out c --checkpoint best
  refused 'resume: optim\.lr = "0\.1", but the run was started with "0\.02"; expected the same value \(a new run\.dir with --model\.init_from RUN goes on from these weights with another\)$' \
    train "${words[@]}" "${net[@]}" --run.dir run --resume auto --optim.lr 0.1
  accepted train "${words[@]}" "${net[@]}" --run.dir again --model.init_from run --optim.lr 0.1
}

# Too few classes are in the way of those who need them alone.
too_few() {
  python3 "$support/make_images.py" images 15 6 1
  local words=(train "${few[@]}" "${folder[@]}" "${net[@]}" --data.path images --data.split_validation 0.1)
  accepted "${words[@]}" --run.dir run
  accepted eval --run run --eval.tasks 4
  refused 'task\.ways = 3, but of 2 validation classes only 2 hold task\.shots \+ task\.queries = 3 ' \
    eval --run run --eval.stream validation
  refused 'task\.ways = 3, but of 2 validation classes only 2 hold' "${words[@]}" --run.dir new --eval.every 2
  [ ! -e new ] || fail "a folder of what was refused"
  refused 'eval\.ways = 7, but of 6 test classes only 6 hold task\.shots \+ task\.queries = 3 ' \
    eval --run run --eval.ways 7
  refused 'task\.ways = 3, but of 6 test classes only 0 hold task\.shots \+ eval\.queries = 7 ' \
    eval --run run --eval.queries 6
  refused 'task\.train_ways = 8, but of 7 train classes only 7 hold' "${words[@]}" --run.dir new --task.train_ways 8
}

"$1"
