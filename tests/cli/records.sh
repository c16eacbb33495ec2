#!/usr/bin/env bash
# records.sh GROUP: Meta-Dataset's records from made-up files to a gradient,
# through the program.
support=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../support")
# shellcheck source=tests/support/cli.sh
source "$support/cli.sh"
configs=$(realpath "$support/../../configs/meta-dataset")

accepted() {
  row="$*"
  protean "$@"
  expect_code 0
}
refused() {  # CODE REGEX WORDS...
  local want=$1 regex=$2
  shift 2
  row="$*"
  protean "$@"
  expect_code "$want"
  expect_error "$regex"
}
spec() { echo "$configs/specs/$1_dataset_spec.json"; }

# Three sources, one of each kind of spec but the graph, 20 images a class.
synthesise() {  # SIDE
  accepted pack --synthesise "$(spec dtd),$(spec omniglot),$(spec traffic_sign)" \
    --out records --scale 0.001 --side "$1" --json
}
pack_all() {  # FOLDER SIDE WORDS...
  local folder=$1 side=$2 set
  shift 2
  mkdir "$folder"
  for set in dtd omniglot traffic_sign; do
    accepted pack --in "records/$set" --out "$folder/$set.pack" --side "$side" --json "$@"
  done
}
train() {  # RUN WORDS...
  local run=$1
  shift
  accepted train --config "$configs/protonet-small.ini" --run.dir "$run" --run.quiet true \
    --model.filters 8 --data.side 16 "$@"
}

# Records, raw and encoded packs, each way to read them, any number of ranks
# and threads, any depth of prefetching, a stop in between: one result.
bits() {
  synthesise 20
  pack_all raw 16
  pack_all encoded 16 --encoded
  local base=(--run.steps 6 --comm.reduction exact --task.meta_batch 3)
  train first --data.path records "${base[@]}"
  local expected n
  expected=$(hashes first)
  same() {  # WORDS...: as `first`
    rm -rf other
    train other "${base[@]}" "$@"
    expect_equal "bits with $*" "$(hashes other)" "$expected"
  }
  same --data.path raw
  same --data.path raw --data.prefetch 0
  same --data.path encoded --data.prefetch 7
  for n in 2 3; do
    same --data.path raw --comm.ranks $n
  done
  rm -rf other
  mpi 3 train --config "$configs/protonet-small.ini" --run.dir other --run.quiet true \
    --model.filters 8 --data.side 16 --data.path records "${base[@]}"
  expect_code 0
  expect_equal "bits of 3 processes" "$(hashes other)" "$expected"
  # Three steps, then on from there, from a pack and on two ranks.
  rm -rf other
  train other "${base[@]}" --run.steps 3 --data.path raw
  train other "${base[@]}" --data.path raw --comm.ranks 2 --resume auto
  expect_equal "bits after a stop" "$(hashes other)" "$expected"
  expect_other "bits of another seed" "$(train other2 "${base[@]}" --data.path raw \
    --run.seed 1 && hashes other2)" "$expected"
}

# The shipped small configuration learns, and is judged source by source.
learns() {
  synthesise 28
  pack_all raw 28
  accepted train --config "$configs/protonet-small.ini" --run.dir before --run.quiet true \
    --data.path raw --run.steps 1 --optim.lr 1e-9
  accepted train --config "$configs/protonet-small.ini" --run.dir run --run.quiet true \
    --data.path raw
  # Omniglot's and dtd's training classes; traffic_sign has none.
  accepted eval --protocol meta-dataset --run before --json --csv before.csv
  cp "$scratch/out" before.json
  accepted eval --protocol meta-dataset --run run --json --csv run.csv --with before.csv \
    --markdown run.md --latex run.tex
  cp "$scratch/out" run.json
  expect_equal sources "$(json run.json '[s["name"] for s in d["sources"]]')" \
    '["dtd", "omniglot", "traffic_sign"]'
  local s
  for s in 0 1 2; do
    python3 - "$s" before.json run.json <<'P' || fail "source $s is not learnt"
import json, sys
before, after = (json.load(open(f))["sources"][int(sys.argv[1])] for f in sys.argv[2:])
gain = after["accuracy"] - before["accuracy"]
print(before["name"], before["accuracy"], after["accuracy"], before["ci95"], after["ci95"])
sys.exit(gain <= before["ci95"] + after["ci95"])
P
  done
  expect_equal ranks "$(json run.json 'd["average_rank"]')" '{"before": 2.0, "run": 1.0}'
  grep -q '^| Average rank | 1.00 | 2.00 |$' run.md || fail "no ranks in run.md"
  grep -q 'traffic\\_sign' run.tex || fail "no source in run.tex"
  # The table is the same on any ranks.
  accepted eval --protocol meta-dataset --run run --csv two.csv --comm.ranks 2
  cmp run.csv two.csv || fail "2 ranks give other accuracies"
}

# What is wrong is refused by name.
bad() {
  synthesise 16
  accepted inspect records --json
  expect_equal "what is there" "$(json "$scratch/out" \
    '[d["classes"], d["images"], d["splits"]["train"], [s["name"] for s in d["sets"]]]')" \
    '[1713, 34260, {"classes": 916, "images": 18320}, ["dtd", "omniglot", "traffic_sign"]]'
  accepted inspect records/dtd --verify --json
  expect_equal verified "$(json "$scratch/out" '[d["verified"], d["damage"]]')" '[true, []]'
  printf 'x' | dd of=records/dtd/7.tfrecords bs=1 seek=100 conv=notrunc status=none
  refused 1 'records/dtd: damaged, as listed above' inspect records/dtd --verify
  expect_line '^records/dtd/7\.tfrecords: record 0 at byte 0: damaged payload'
  refused 1 '7\.tfrecords: record 0 at byte 0: damaged payload' \
    pack --in records/dtd --out dtd.pack --side 16
  [ ! -e dtd.pack ] || fail "a pack of broken records"
  refused 2 'there is a data set already' pack --synthesise "$(spec dtd)" --out records
  refused 2 '--scale 2; expected above 0, up to 1' pack --synthesise "$(spec dtd)" --out x --scale 2
  refused 2 '--scale goes with --synthesise' pack --in records/omniglot --out x --scale 0.5
  accepted pack --in records/omniglot --out o.pack --side 16 --json
  refused 2 'data\.side = 20, but .*o\.pack holds images of 16x16' \
    train --config "$configs/protonet-small.ini" --run.dir run --data.path o.pack --data.side 20
  refused 2 'task\.ways = 7 does nothing with data\.source = records' \
    train --config "$configs/protonet-small.ini" --run.dir run --data.path o.pack --data.side 16 \
    --task.ways 7
  refused 2 'records makes unequal tasks, which learner\.name = snail does not take' \
    train --config "$configs/protonet-small.ini" --run.dir run --data.path o.pack --data.side 16 \
    --learner.name snail --task.stack_overhead 0
  refused 2 'no dataset_spec\.json or pack of records' \
    train --config "$configs/protonet-small.ini" --run.dir run --data.path /
  refused 2 'records, or --data' eval --protocol meta-dataset --run "$(omniglot_run)"
  [ ! -e run ] || fail "a run although it failed"
}
# What the keys of sampling do to tasks, seen in lists of them.
sampler() {
  synthesise 16
  listed() {  # WORDS...: tasks.jsonl of a run with these keys
    rm -rf run
    train run --run.steps 1 --data.path records --eval.tasks 60 "$@"
    accepted eval --run run --save-task-list tasks.jsonl --json
  }
  expect_tasks() {  # WHAT EXPRESSION EXPECTED; tasks, sets, alphabets, ways, shots, queries
    expect_equal "$1" "$(python3 - "$2" <<'PY'
import json, sys
tasks = [json.loads(l) for l in open("tasks.jsonl")][1:]
names = [t["classes"] for t in tasks]
sets = sorted({c.split("/")[0] for n in names for c in n})
alphabets = [len({c.rsplit("/", 1)[0] for c in n}) for n in names]
ways = [len(n) for n in names]
shots = [x for t in tasks for x in t["support"]]
queries = [x for t in tasks for x in t["query"]]
print(json.dumps(eval(sys.argv[1])))
PY
)" "$3"
  }
  listed --data.sets omniglot
  expect_tasks "one data set" sets '["omniglot"]'
  expect_tasks "one alphabet" 'max(alphabets)' 1
  expect_tasks "drawn ways, shots and queries" \
    '[min(ways) >= 5, len(set(ways)) > 3, len(set(shots)) > 3, max(queries)]' '[true, true, true, 10]'
  listed --data.sets omniglot --task.sampler flat --task.fixed_ways 6 --task.fixed_shots 3 \
    --task.max_queries 4
  expect_tasks "mixed alphabets" 'max(alphabets) > 2' true
  expect_tasks "fixed counts" '[sorted(set(x)) for x in (ways, shots, queries)]' '[[6], [3], [4]]'
  listed --data.sets omniglot --task.ignore_hierarchy 0.5
  expect_tasks "half of them mixed" '15 <= sum(a > 1 for a in alphabets) <= 45' true
  listed --data.sets omniglot --task.min_ways 7 --task.max_ways 8 --task.max_support 40 \
    --task.max_class_support 2
  expect_tasks "ranges" '[sorted(set(ways)), max(sum(t["support"]) for t in tasks) <= 16]' '[[7, 8], true]'
  listed --data.weights 0,1,0 --task.max_ways 6
  expect_tasks "the second set alone" sets '["omniglot"]'
  listed --data.sets omniglot,dtd --task.max_ways 6
  expect_tasks "two sets" sets '["dtd", "omniglot"]'
  local base=(train --config "$configs/protonet-small.ini" --run.dir bad --data.path records --data.side 16)
  refused 2 'task\.fixed_ways = 6, but classes of omniglot have an order above them; expected 0, or task\.sampler = flat' \
    "${base[@]}" --task.fixed_ways 6
  refused 2 'task\.min_ways = 6 does nothing with task\.fixed_ways = 5' \
    "${base[@]}" --task.min_ways 6 --task.fixed_ways 5
  refused 2 'data\.weights: 2 weights that sum to 2 for 3 sources' "${base[@]}" --data.weights 1,1
  refused 2 'data\.io = pread is for packs' "${base[@]}" --data.io pread
  refused 2 'no data set birds' "${base[@]}" --data.sets birds
  refused 2 'task\.sampler = "flat" does nothing with data\.source = auto' \
    train --run.dir bad --task.sampler flat
  refused 2 'task\.within = "group" does nothing with data\.source = records' \
    "${base[@]}" --task.within group
  [ ! -e bad ] || fail "a run although it failed"
  # Evaluation within alphabets of a run that was trained on all of them.
  local omniglot
  omniglot=$(omniglot_run)
  accepted eval --run "$omniglot" --eval.tasks 20 --eval.within group --save-task-list tasks.jsonl --json
  expect_tasks "within alphabets" 'max(alphabets)' 1
  accepted eval --run "$omniglot" --eval.tasks 20 --save-task-list tasks.jsonl --json
  expect_tasks "over alphabets" 'max(alphabets) > 1' true
}
omniglot_run() {
  "$PROTEAN_BIN" train --run.dir omniglot --run.steps 1 --run.quiet true --model.filters 4 \
    --task.meta_batch 1 --learner.inner_steps 1 --eval.every 0 >/dev/null 2>&1
  echo omniglot
}

"$1"
