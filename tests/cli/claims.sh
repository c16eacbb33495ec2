#!/usr/bin/env bash
# claims.sh GROUP: what a figure claims to be: of classes that are new, of how many
# shots, of images prepared as they were in training, of scores that are probabilities.
support=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../support")
# shellcheck source=tests/support/cli.sh
source "$support/cli.sh"
# shellcheck source=tests/support/recomputed.sh
source "$support/recomputed.sh"

# Small classes of images for what follows: 24 of 6 images, split by a seed.
small=(--data.source pack --data.path sound.pack --data.split random --data.split_validation 0.2
  --data.split_test 0.4 --run.quiet true --run.steps 2 --run.threads 1 --task.ways 3 --task.shots 1
  --task.queries 2 --task.meta_batch 2 --eval.every 0)
pack_images() {
  python3 "$support/make_images.py" images 24 6 1
  accepted pack --in images --out sound.pack
}

refused() {  # REGEX WORDS...
  local regex=$1
  shift
  row="$*"
  protean "$@"
  expect_code 2
  expect_error "$regex"
}

# A run knows what it and what it stands on were trained on; no evaluation takes
# such a class for a new one without saying so.
held_out() {
  pack_images
  local net=(--learner.name protonet --model.filters 4)
  accepted train "${small[@]}" "${net[@]}" --run.dir one --data.split_seed 1
  accepted train "${small[@]}" "${net[@]}" --run.dir two --data.split_seed 2
  accepted eval --run one --eval.tasks 20 --json --save-task-list one.jsonl
  cp "$scratch/out" own.json
  accepted eval --run two --json --task-list one.jsonl
  expect_line '^\[warning\] --task-list: [0-9]+ of [0-9]+ evaluated classes were trained on: [0-9]+ by this run \('
  cp "$scratch/out" listed.json
  refused '--task-list: [0-9]+ of [0-9]+ evaluated classes were trained on' \
    eval --run two --task-list one.jsonl --strict true
  # The other split of the same data: refused, since a held-out figure is claimed.
  refused 'eval\.stream = test: [0-9]+ of [0-9]+ evaluated .*; expected classes that nothing was trained on, or --strict false' \
    eval --run one --data.split_seed 2
  accepted eval --run one --data.split_seed 2 --strict false --eval.tasks 60 --json
  cp "$scratch/out" other.json
  # Turned upside down and inverted, a class is the same one.
  accepted eval --run one --data.split_seed 2 --data.invert true --data.rotations classes \
    --data.rotate_eval true --strict false --eval.tasks 60 --json
  cp "$scratch/out" turned.json
  refused '--study one: [0-9]+ of' eval --run one --study shots --shots 1 --data.split_seed 2
  accepted eval --run one --across test --data.split_seed 2 --eval.tasks 60 --json --csv across.csv
  cp "$scratch/out" across.json
  python <<'PY'
one, two = (json.load(open(f"{run}/data.json")) for run in ("one", "two"))
expect("path", one["path"], str(pathlib.Path("sound.pack").resolve()))
for run in (one, two):
    learnt = run["trained_on"]
    expect("who", [l["what"] for l in learnt], ["this run"])
    expect("classes", sorted(n for n, _ in learnt[0]["classes"]), sorted(run["split"]["train"]))
    expect("all classes", len({h for l in learnt for _, h in l["classes"]}), len(run["split"]["train"]))
    expect("24 classes", sum(map(len, run["split"].values())), 24)
    expect("held out", run["held_out"], {"classes": 15, "trained_on": 0, "by": {}})
def counted(evaluated, known):
    both = set(evaluated) & set(known)
    return {"classes": len(set(evaluated)), "trained_on": len(both), "by": {"this run": len(both)} if both else {}}
train, test = ([set(r["split"][k]) for r in (one, two)] for k in ("train", "test"))
listed = {c for l in list(open("one.jsonl"))[1:] for c in json.loads(l)["classes"]}
expect("own test classes", json.load(open("own.json"))["trained_on"], counted(listed, train[0]))
expect("own test classes known", json.load(open("own.json"))["trained_on"]["trained_on"], 0)
expect("another's test classes", json.load(open("listed.json"))["trained_on"], counted(listed, train[1]))
expected = counted(test[1], train[0])
if not 0 < expected["trained_on"] < expected["classes"]:
    sys.exit("the splits show nothing")
expect("other split", json.load(open("other.json"))["trained_on"], expected)
expect("turned and inverted", json.load(open("turned.json"))["trained_on"], expected)
expect("across", json.load(open("across.json"))["domains"][0]["trained_on"], expected)
row = next(csv.DictReader(open("across.csv")))
expect("across, CSV", [int(row["test_classes"]), int(row["trained_on"])], [expected["classes"], expected["trained_on"]])
PY
  # Through a generator, and through a start.
  local vae=(--learner.name setvae --generator.filters 4 --generator.features 8 --generator.hidden 8
    --generator.code 4 --generator.latent 4)
  accepted train "${small[@]}" "${vae[@]}" --task.ways 1 --run.dir maker --data.split_seed 1
  local made=(train "${small[@]}" "${net[@]}" --data.split_seed 2 --task.mix real=1,generated=1
    --generator.from maker)
  refused 'data\.split: [0-9]+ of 15 evaluated classes were trained on: [0-9]+ by generator\.from = maker \(' \
    "${made[@]}" --run.dir mixed --strict true
  [ ! -e mixed ] || fail "a folder of a run that was refused"
  accepted "${made[@]}" --run.dir mixed
  expect_line '^\[warning\] data\.split: [0-9]+ of 15 evaluated .*generator\.from = maker'
  accepted train "${small[@]}" "${net[@]}" --run.dir started --data.split_seed 2 --model.init_from mixed
  accepted eval --run started --strict false --eval.tasks 60 --json
  cp "$scratch/out" started.json
  # What a run of an earlier build was trained on follows from its configuration.
  rm two/data.json
  accepted eval --run two --json --task-list one.jsonl
  cmp "$scratch/out" listed.json || fail "without data.json another count"
  python <<'PY'
maker, mixed, started = (json.load(open(f"{run}/data.json")) for run in ("maker", "mixed", "started"))
known = set(maker["split"]["train"])
held = set(mixed["split"]["validation"]) | set(mixed["split"]["test"])
expect("by the generator", mixed["held_out"]["by"], {"generator.from = maker": len(held & known)})
expect("who", [l["what"] for l in started["trained_on"]],
       ["this run", "model.init_from = mixed", "model.init_from = mixed, its generator.from = maker"])
test = set(started["split"]["test"]) & known
expect("through the start", json.load(open("started.json"))["trained_on"]["by"],
       {"model.init_from = mixed, its generator.from = maker": len(test)})
PY
}

# Generated shots are not real ones.
shots() {
  pack_images
  accepted train "${small[@]}" --learner.name setvae --generator.filters 4 --generator.features 8 \
    --generator.hidden 8 --generator.code 4 --generator.latent 4 --task.ways 1 --run.dir maker
  accepted train "${small[@]}" --learner.name protonet --model.filters 4 --run.dir run \
    --task.generated_shots 3 --generator.from maker --eval.every 2 --eval.tasks 4
  expect_equal "of validation" "$(json run/summary.json '[d["validation"][k] for k in ("ways", "shots", "generated_shots", "queries")]')" \
    '[3, 1, 3, 2]'
  accepted eval --run run --eval.tasks 4 --json
  expect_equal "of the test" "$(json "$scratch/out" '[d[k] for k in ("ways", "shots", "generated_shots", "queries")]')" \
    '[3, 1, 3, 2]'
  accepted eval --run run --eval.tasks 4
  grep -q ', 3-way 1-shot and 3 generated, 2 queries per class, ' "$scratch/out" || fail "not told apart"
  accepted eval --run run --eval.tasks 4 --across test --csv rows.csv
  python <<'PY'
row = next(csv.DictReader(open("rows.csv")))
expect("row", [row["shots"], row["generated_shots"]], ["1", "3"])
PY
}

# Another set of images is prepared as the run's own was; rows of one table are of
# upright classes, but for the one that turns them.
prepared() {
  python3 "$support/make_images.py" images 24 6 1
  local words=(train "${small[@]}" --data.source folder --data.path images --learner.name protonet
    --model.filters 4)
  accepted "${words[@]}" --run.dir dark --data.invert true
  accepted eval --run dark --across images=images --eval.tasks 9 --json
  cp "$scratch/out" path.json
  accepted eval --run dark --data.split test --across test --eval.tasks 9 --json
  cp "$scratch/out" own.json
  accepted eval --run dark --data.split test --data.invert false --across test --eval.tasks 9 --json
  cp "$scratch/out" plain.json
  accepted "${words[@]}" --run.dir turned --data.rotations classes --data.rotate_eval true
  accepted eval --run turned --across test,rotated --eval.tasks 9 --json --csv rows.csv
  cp "$scratch/out" turned.json
  accepted eval --run turned --data.rotate_eval false --across test,rotated --eval.tasks 9 --json
  cp "$scratch/out" upright.json
  python <<'PY'
rows = {f: json.load(open(f"{f}.json"))["domains"] for f in ("path", "own", "plain", "turned", "upright")}
expect("a set by its path", rows["path"][0]["loss"], rows["own"][0]["loss"])
if rows["plain"][0]["loss"] == rows["own"][0]["loss"]:
    sys.exit("inverted images make no difference: the test shows nothing")
for a, b in zip(rows["turned"], rows["upright"], strict=True):
    expect(a["domain"], [a["loss"], a["turns"], a["trained_on"]["classes"]],
           [b["loss"], b["turns"], b["trained_on"]["classes"]])
expect("turns", [r["turns"] for r in rows["turned"]], ["none", "random"])
expect("turns, CSV", [r["turns"] for r in csv.DictReader(open("rows.csv"))], ["none", "random"])
PY
  local domain
  for domain in alphabet rotation; do
    refused "task\\.domain = $domain turns images, but data\\.rotations = classes .*; expected data\\.rotations = none" \
      train --run.dir new --task.domain $domain --data.rotations classes --task.ways 4
  done
}

# Scores that were not trained as probabilities are not told as such.
scores() {
  pack_images
  local words
  for words in "relation --model.pool_blocks 2" siamese "baseline --learner.readout neighbour --task.flat_batch 8"; do
    rm -rf run
    # shellcheck disable=SC2086
    accepted train "${small[@]}" --run.dir run --model.filters 4 --eval.every 2 --eval.tasks 4 --learner.name $words
    accepted eval --run run --eval.tasks 4 --json --per-task tasks.csv
    cp "$scratch/out" told.json
    accepted eval --run run --eval.tasks 4
    cp "$scratch/out" told.txt
    python3 "$support/make_images.py" mine 3 2 7
    accepted adapt --run run --support mine --query mine --json --out out.csv
    cp "$scratch/out" adapted.json
    python <<'PY'
d = json.load(open("told.json"))
expect("loss and calibration", [d["loss"], d["ece"], d["per_step"][0]["loss"]], [None] * 3)
a = [float(r["accuracy"]) for r in csv.DictReader(open("tasks.csv"))]
expect("accuracy", d["accuracy"], sum(a) / 4)
expect("losses of tasks", {r["loss"] for r in csv.DictReader(open("tasks.csv"))}, {""})
expect("validation", [validations("run")[0]["validation_loss"], validations("run")[0]["validation_accuracy"] >= 0], [None, True])
line = open("told.txt").read()
if not re.match(rf"accuracy {100 * d['accuracy']:.2f} % .*, by scores that are no probabilities$", line.splitlines()[0]):
    sys.exit(f"told: {line}")
p = json.load(open("adapted.json"))
expect("probabilities", {q["probability"] for q in p["predictions"]}, {None})
rows = list(csv.DictReader(open("out.csv")))
expect("probabilities, CSV", {r["probability"] for r in rows}, {""})
expect("classes", [r["class"] for r in rows], [q["class"] for q in p["predictions"]])
expect("accuracy", p["accuracy"], sum(r["file"].startswith(r["class"]) for r in rows) / 6)
PY
    rm -rf mine
  done
}

"$1"
