#!/usr/bin/env bash
# evaluation.sh GROUP: what `protean eval` and `protean adapt` say, write and
# refuse.
support=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../support")
# shellcheck source=tests/support/cli.sh
source "$support/cli.sh"

accepted() {
  row="$*"
  protean "$@"
  expect_code 0
}
# refused CODE REGEX WORDS...: one error line that matches, nothing on stdout.
refused() {
  local want=$1 regex=$2
  shift 2
  row="$*"
  protean "$@"
  expect_code "$want"
  expect_error "$regex"
  [ ! -s "$scratch/out" ] || fail "output although it failed"
}
out_json() { json "$scratch/out" "$1"; }

# A trained run of a fraction of a second: 24 classes of 6 images.
images() { python3 "$support/make_images.py" "$@"; }
train_run() {  # FOLDER WORDS...
  local dir=$1
  shift
  accepted train --run.dir "$dir" --data.source pack --data.path sound.pack \
    --data.split random --data.split_validation 0.2 --data.split_test 0.5 --run.steps 3 \
    --run.quiet true --model.filters 4 --task.ways 3 --task.shots 1 --task.queries 2 \
    --task.meta_batch 2 --learner.inner_steps 2 --eval.every 0 "$@"
}
prepare() {
  images images 24 6 1
  accepted pack --in images --out sound.pack
  train_run run
}

tasks() {
  prepare
  # Any number of ranks, threads or processes: the same numbers, to the last
  # digit.
  accepted eval --run run --eval.tasks 17 --json --per-task one.csv
  cp "$scratch/out" one.json
  local ranks
  for ranks in 2 3; do
    accepted eval --run run --eval.tasks 17 --json --per-task many.csv --comm.ranks $ranks
    cmp "$scratch/out" one.json || fail "$ranks ranks give other results"
    cmp one.csv many.csv || fail "$ranks ranks give other tasks"
  done
  mpi 2 eval --run run --eval.tasks 17 --json --per-task many.csv
  expect_code 0
  cmp "$scratch/out" one.json || fail "2 processes give other results"
  cmp one.csv many.csv || fail "2 processes give other tasks"
  expect_equal "what is stated" "$(json one.json \
    '[d["ways"], d["shots"], d["queries"], d["tasks"], d["mode"], len(d["per_step"]), 0 <= d["ece"] <= 1]')" \
    '[3, 1, 2, 17, "transductive", 3, true]'
  # The single tasks make the mean, its interval and the last step's.
  expect_equal "means of the tasks" "$(python3 - one.json one.csv <<'PY'
import csv, json, math, sys
d = json.load(open(sys.argv[1]))
rows = list(csv.DictReader(open(sys.argv[2])))
a = [float(r["accuracy"]) for r in rows]
mean = sum(a) / len(a)
ci = 2.1199 * math.sqrt(sum((x - mean) ** 2 for x in a) / 16 / 17)  # Student, 16 of freedom
first = sum(float(r["accuracy_0"]) for r in rows) / len(rows)
loss = sum(float(r["loss"]) for r in rows) / len(rows)
print(len(a) == 17, abs(mean - d["accuracy"]) < 1e-9, abs(ci - d["ci95"]) < 1e-9,
      abs(first - d["per_step"][0]["accuracy"]) < 1e-9, abs(loss - d["loss"]) < 1e-9,
      all(len(r["classes"].split()) == 3 for r in rows),
      all(r["accuracy"] == r["accuracy_2"] for r in rows))
PY
)" "True True True True True True True"
  accepted eval --run run --eval.tasks 17 --json --per-task one.array.json
  expect_equal "tasks as JSON" "$(json one.array.json \
    '[len(d), len(d[0]["accuracy_per_step"]), len(d[0]["classes"])]')" '[17, 3, 3]'
  # The same tasks from a file.
  accepted eval --run run --eval.tasks 17 --json --save-task-list tasks.jsonl
  cmp "$scratch/out" one.json || fail "writing the tasks changes the result"
  accepted eval --run run --json --task-list tasks.jsonl
  cmp "$scratch/out" one.json || fail "frozen tasks give another result"
  sed -i '1s/"tasks":17/"tasks":2/; 4,$d' tasks.jsonl
  accepted eval --run run --json --task-list tasks.jsonl --comm.ranks 3
  expect_equal "frozen tasks" "$(out_json 'd["tasks"]')" 2
  sed 's#class0#clazz0#' tasks.jsonl >typo.jsonl
  refused 2 'typo\.jsonl:2: no class "clazz0[0-9]+" in the data' eval --run run --task-list typo.jsonl
  sed '2s/"examples":\[\[[0-9]*/"examples":[[99/' tasks.jsonl >high.jsonl
  refused 2 'high\.jsonl:2: example 99 of class class[0-9]+; expected below 6' \
    eval --run run --task-list high.jsonl
  sed '3d' tasks.jsonl >short.jsonl
  refused 2 'the list ends after 1 tasks; expected 2' eval --run run --task-list short.jsonl
  # Of other data, with the same classes; with other ones; of an earlier build.
  sed '1s/"data":"./"data":"?/' tasks.jsonl >moved.jsonl
  accepted eval --run run --json --task-list moved.jsonl
  sed '3s/"hash":"./"hash":"?/' moved.jsonl >other.jsonl
  refused 2 'other\.jsonl:3: the task was made from other examples than those that its classes have here' \
    eval --run run --task-list other.jsonl
  sed 's/"hash":"[^"]*",//' moved.jsonl >old.jsonl
  refused 2 'old\.jsonl: made from data \?[0-9a-f]+, but data\.source gives [0-9a-f]+' \
    eval --run run --task-list old.jsonl
  refused 2 'one\.csv:1: no JSON object' eval --run run --task-list one.csv
  refused 2 'nosuch: .*No such file' eval --run run --task-list nosuch
  refused 2 'eval\.ways has 5 classes, but the run was trained with 3 outputs' \
    eval --run run --eval.ways 5
}

across() {
  prepare
  images other/part 6 5 9
  (cd other && python3 -m zipfile -c ../digits.zip part)
  accepted eval --run run --eval.tasks 6 --json --csv rows.csv \
    --across test,rotated,inverted,digits=digits.zip,folder=other/part
  expect_equal domains "$(out_json '[r["domain"] for r in d["domains"]]')" \
    '["test", "rotated", "inverted", "digits", "folder"]'
  expect_equal "the zip is the folder" "$(out_json 'd["domains"][3]["loss"] == d["domains"][4]["loss"]')" true
  expect_equal "other tasks" "$(out_json 'len({r["loss"] for r in d["domains"]})')" 4
  expect_equal rows "$(wc -l <rows.csv)" 6
  accepted eval --run run --eval.tasks 6 --json
  expect_equal "test is what eval gives" "$(out_json 'd["loss"]')" \
    "$(python3 -c 'import csv; print(next(csv.DictReader(open("rows.csv")))["loss"])')"
  accepted eval --run run --eval.tasks 6 --json --data.path digits.zip --data.source folder \
    --data.split test
  refused 2 '--across nosuch: no such file or folder nosuch; expected test, rotated' \
    eval --run run --across nosuch
  images small 2 5 9
  refused 2 'task\.ways = 3, but of 2 small classes only 2 hold' \
    eval --run run --across test,small
  refused 2 '--task-list does not go with --across' \
    eval --run run --across test --task-list x
  refused 2 '--csv goes with --across' eval --run run --csv x
}

adaptation() {
  prepare
  train_run prototypes --learner.name protonet --learner.inner_steps 5
  train_run firstorder --learner.name reptile --learner.inner_optimizer adam
  images mine 3 3 7
  mkdir -p asked
  local i
  for i in 0 1 2; do cp "mine/class00$i/002.png" "asked/$i.png"; rm "mine/class00$i/002.png"; done
  cp -r mine uneven
  rm uneven/class001/001.png
  local run
  for run in run prototypes firstorder; do
    accepted adapt --run $run --support mine --query asked --json --out out.csv
    expect_equal "$run: probabilities" "$(out_json '[len(d["predictions"]), d["classes"],
      all(abs(sum(p["probabilities"].values()) - 1) < 1e-6 for p in d["predictions"]),
      all(p["probability"] == max(p["probabilities"].values()) for p in d["predictions"]),
      d["accuracy"]]')" '[3, ["class000", "class001", "class002"], true, true, null]'
    expect_equal "$run: CSV" "$(head -1 out.csv) $(wc -l <out.csv)" \
      "file,class,probability,class000,class001,class002 4"
  done
  # Fewer classes than the head has outputs; more are for learners without one.
  images two 2 2 7
  accepted adapt --run run --support two --query asked --json
  expect_equal "two of three outputs" "$(out_json \
    '[d["classes"], abs(sum(d["predictions"][0]["probabilities"].values()) - 1) < 1e-6]')" \
    '[["class000", "class001"], true]'
  images four 4 2 7
  accepted adapt --run prototypes --support four --query asked --json
  refused 2 '--support has 4 classes, but the run was trained with 3 outputs' \
    adapt --run run --support four --query asked
  # Any learner of classes; classes with unequal numbers of images.
  local name
  for name in anil boil metasgd protomaml matching relation siamese; do
    local steps=(--learner.inner_steps 1)
    [[ $name = @(matching|relation|siamese) ]] && steps=()
    protean train --run.dir "run-$name" --learner.name "$name" --data.source pack \
      --data.path sound.pack --data.split random --run.steps 1 --run.quiet true \
      --model.filters 4 --task.ways 3 --task.shots 1 --task.queries 2 --task.meta_batch 1 \
      "${steps[@]}" --eval.every 0 --data.split_validation 0.2 --data.split_test 0.2 \
      --model.pool_blocks 2
    row="train $name"
    expect_code 0
    accepted adapt --run "run-$name" --support uneven --query asked --json
    # Scores of relation and siamese are none.
    case $name in
      relation | siamese) expect_equal "$name: probabilities" "$(out_json \
        '[p["probability"] for p in d["predictions"]]')" '[null, null, null]' ;;
      *) expect_equal "$name: probabilities" "$(out_json \
        '[abs(sum(p["probabilities"].values()) - 1) < 1e-6 for p in d["predictions"]]')" \
        '[true, true, true]' ;;
    esac
  done
  # Queries in folders have labels.
  accepted adapt --run prototypes --support mine --query mine --json
  expect_equal "labelled queries" "$(out_json '[d["queries"], d["accuracy"] > 0.6, d["accuracy"] ==
    sum(p["file"].startswith(p["class"]) for p in d["predictions"]) / 6]')" '[6, true, true]'

  # What can be wrong with a folder.
  mkdir -p one/cat empty/cat empty/dog nothing
  cp asked/0.png one/cat
  refused 2 'one: 1 class folder \(cat\); expected one folder per class, two or more' \
    adapt --run run --support one --query asked
  refused 2 'nothing: 0 class folders; expected' adapt --run run --support nothing --query asked
  refused 2 'empty/cat: holds no image; expected' adapt --run run --support empty --query asked
  refused 2 'nothing: holds no image; expected' adapt --run run --support mine --query nothing
  refused 2 'nosuch: no such file or folder' adapt --run run --support nosuch --query asked
  refused 2 'nosuch: no such file or folder' adapt --run run --support mine --query nosuch
  refused 2 'two: has no class class002|mine/class002: two has no class class002' \
    adapt --run run --support two --query mine
  cp -r mine broken
  printf 'no image' >broken/class001/000.png
  refused 2 'broken/class001/000\.png: neither PNG nor JPEG' \
    adapt --run run --support broken --query asked
  head -c 40 asked/0.png >broken/class001/000.png
  refused 2 'broken/class001/000\.png: unreadable PNG' adapt --run run --support broken --query asked
  cp -r mine mixed
  python3 - mixed/class001/000.png <<'PY'
import struct, sys, zlib
def chunk(kind, data):
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))
open(sys.argv[1], "wb").write(b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", struct.pack(">IIBBBBB", 9, 7, 8, 0, 0, 0, 0))
    + chunk(b"IDAT", zlib.compress((b"\0" + bytes(9)) * 7)) + chunk(b"IEND", b""))
PY
  accepted adapt --run run --support mixed --query asked --json
  expect_line '--support: 1 of 6 images are of one colour once they are read: class001/000\.png'
  refused 2 '--ink is for runs that were trained on ink' \
    adapt --run run --support mine --query asked --ink dark
  refused 2 '--support is not set' adapt --run run --query asked
  refused 2 '--ink grey; expected one of: auto, dark, light' \
    adapt --run run --support mine --query asked --ink grey
  refused 2 '--support is a file, but the run was trained on classes of images' \
    adapt --run run --support sound.pack --query asked
}

values() {
  accepted train --run.dir run --data.source sinusoid --model.name mlp --run.steps 3 \
    --run.quiet true --task.shots 5 --task.queries 5 --learner.inner_steps 1 \
    --learner.inner_lr 0.01 --task.meta_batch 2 --eval.every 0
  printf 'x,y\n1,0.5\n2, -1\n"-3",1e-1\n' >support.csv
  printf '0.5\n-2\n' >query.csv
  accepted adapt --run run --support support.csv --query query.csv --json --out out.csv
  expect_equal predictions "$(out_json '[d["support"], d["inner_steps"], d["loss"],
    [p["line"] for p in d["predictions"]], [len(p["prediction"]) for p in d["predictions"]]]')" \
    '[3, 1, null, [1, 2], [1, 1]]'
  expect_equal CSV "$(head -1 out.csv) $(wc -l <out.csv)" "line,prediction_1 3"
  printf '0.5,1\n-2,2\n' >known.csv
  accepted adapt --run run --support support.csv --query known.csv --json
  expect_equal "known targets" "$(out_json \
    'abs(d["loss"] - ((d["predictions"][0]["prediction"][0] - 1) ** 2 + (d["predictions"][1]["prediction"][0] - 2) ** 2) / 2) < 1e-9')" true
  printf '1,2\n3,x\n' >word.csv
  refused 2 'word\.csv:2: column 2 is "x"; expected a number' \
    adapt --run run --support word.csv --query query.csv
  printf '1,2\n3\n' >ragged.csv
  refused 2 'ragged\.csv:2: 1 columns; expected 2 as in line 1' \
    adapt --run run --support ragged.csv --query query.csv
  printf '1,2,3\n' >wide.csv
  refused 2 'wide\.csv: 3 columns; expected 1 of input and 1 of target' \
    adapt --run run --support wide.csv --query query.csv
  refused 2 'wide\.csv: 3 columns; expected 1 of input, or these and 1 of target' \
    adapt --run run --support support.csv --query wide.csv
  printf 'x,y\n' >names.csv
  refused 2 'names\.csv: no row of numbers' adapt --run run --support names.csv --query query.csv
  images folder 2 1 1
  refused 2 '--support is a folder, but the run was not trained on images' \
    adapt --run run --support folder --query folder
  refused 2 '--across needs a run on classes of images' eval --run run --across test
}

study() {
  images images 30 6 1
  accepted pack --in images --out sound.pack
  train_run all
  train_run few --data.train_classes 4
  accepted eval --run all,few --study classes --eval.tasks 5 --json --csv rows.csv --svg plot.svg
  cp "$scratch/out" study.json
  expect_equal rows "$(json study.json '[[r["name"], r["x"]] for r in d["rows"]]')" \
    '[["few", 4.0], ["all", 9.0]]'
  expect_equal gap "$(json study.json 'all(abs(r["train"]["accuracy"] - r["test"]["accuracy"] - r["gap"]) < 1e-12
    for r in d["rows"])')" true
  expect_equal "rows of the CSV" "$(wc -l <rows.csv) $(head -c 38 rows.csv)" \
    "3 classes,name,test_accuracy,test_ci95,t"
  python3 -c 'import sys, xml.dom.minidom
t = xml.dom.minidom.parse("plot.svg")
sys.exit(len(t.getElementsByTagName("circle")) != 4)' || fail "plot.svg has not four points"
  accepted eval --run all --study shots --shots 1,3 --eval.tasks 5 --json --comm.ranks 2
  expect_equal shots "$(out_json '[r["test"]["shots"] for r in d["rows"]]')" '[1, 3]'
  expect_equal "one shot is what eval gives" "$(out_json 'd["rows"][0]["test"]["loss"]')" \
    "$(accepted eval --run all --eval.tasks 5 --json >&2; out_json 'd["loss"]')"
  accepted eval --run all --study domains --eval.tasks 5 --svg domains.svg
  grep -q '^inverted: [0-9.]* % +- [0-9.]* held out$' "$scratch/out" || fail "no row of a domain"
  refused 2 '--study weather; expected one of: classes, alphabets, shots, domains' \
    eval --run all --study weather
  refused 2 '--study shots takes one run, got 2' eval --run all,few --study shots
  refused 2 '--run nosuch: no config\.ini there' eval --run all,nosuch --study classes
  refused 2 '--shots 0; expected whole numbers from 1' eval --run all --study shots --shots 0
  refused 2 '--svg goes with --study' eval --run all --svg x
  refused 2 'data\.train_classes = 99, but there are 9 to train on' \
    eval --run all --data.train_classes 99
}

table() {
  accepted train --run.dir run --data.source table --data.target reading --data.split stored \
    --model.name mlp --run.steps 150 --run.quiet true --task.shots 5 --task.queries 10 \
    --learner.inner_steps 2 --learner.inner_lr 0.02 --task.meta_batch 8 --eval.every 0
  accepted eval --run run --eval.tasks 20 --json --per-task tasks.json --save-task-list tasks.jsonl
  cp "$scratch/out" one.json
  expect_equal "regression" "$(json one.json '[d["accuracy"], d["shots"], d["queries"],
    d["per_step"][-1]["loss"] < d["per_step"][0]["loss"]]')" '[null, 5, 10, true]'
  expect_equal "a device per task" "$(json tasks.json 'all(len(t["classes"]) == 1 and
    t["classes"][0].startswith("device") for t in d)')" true
  accepted eval --run run --task-list tasks.jsonl --json --comm.ranks 2
  cmp "$scratch/out" one.json || fail "frozen tasks on two ranks give another result"
  # A user's own readings, in the columns of the table.
  local csv=$support/../../configs/table/devices.csv
  head -1 "$csv" | cut -d, -f3- | tee support.csv >query.csv
  grep '^device39,' "$csv" | cut -d, -f3- | head -8 >>support.csv
  grep '^device39,' "$csv" | cut -d, -f3- | tail -10 >>query.csv
  accepted adapt --run run --support support.csv --query query.csv --json
  expect_equal "readings" "$(out_json '[d["queries"], d["loss"] < 20]')" '[10, true]'
  # Labels: words as targets.
  python3 - <<'PY'
import random
draw = random.Random(1)
with open("kinds.csv", "w") as f:
    f.write("site,u,v,kind\n")
    for site in range(12):
        for row in range(24):
            kind = "abc"[row % 3]
            f.write(f"s{site},{draw.gauss(ord(kind) - 98, .2)},{draw.gauss(site, 1)},{kind}\n")
PY
  accepted train --run.dir kinds --data.source table --data.path kinds.csv --data.group_by site \
    --data.target kind --data.split random --data.split_validation 0.2 --data.split_test 0.3 \
    --model.name mlp --run.steps 60 --run.quiet true --task.ways 3 --task.shots 2 --task.queries 4 \
    --learner.inner_steps 2 --task.meta_batch 4 --eval.every 0 --optim.lr 0.01
  accepted eval --run kinds --eval.tasks 20 --json
  expect_equal "kinds" "$(out_json '[d["ways"], d["shots"], d["accuracy"] > 0.6]')" '[3, 2, true]'
  sed '7s/,[^,]*,/,oops,/' kinds.csv >bad.csv
  refused 2 'bad\.csv:7: column u is "oops"; expected a number' eval --run kinds --data.path bad.csv
  refused 2 'data\.target = "sort", but kinds\.csv has the columns site, u, v, kind' \
    eval --run kinds --data.target sort
  refused 2 'data\.invert = true does nothing with data\.source = table; it is read by: auto, omniglot, pack, folder$' \
    eval --run kinds --data.invert true
  refused 2 'data\.length = 5 does nothing with data\.source = table; it is read by: text$' eval --run kinds --data.length 5
}

# Returns by inner step, of fresh rollouts; what training says of them.
acting() {
  accepted train --config "$support/../../configs/bandit/promp.ini" --run.dir run --run.quiet true \
    --run.steps 40 --task.meta_batch 20 --task.shots 10 --task.queries 10 --optim.lr 0.003 \
    --eval.every 20 --eval.tasks 20 --run.log_every 10
  expect_equal "metrics" "$(python3 -c 'import json
lines = [json.loads(l) for l in open("run/metrics.jsonl")]
steps = [l for l in lines if "return" in l]
checks = [l for l in lines if "validation_return" in l]
print(len(steps), len(checks), all(l["return"] == -l["loss"] for l in steps),
      all(len(l["validation_return"]) == 3 for l in checks),
      all(0 <= l["return_before"] <= 10 for l in steps))')" "4 2 True True True"
  accepted eval --run run --eval.tasks 60 --json --per-task tasks.csv --save-task-list tasks.jsonl
  cp "$scratch/out" one.json
  # Ten pulls at random pay 5.
  expect_equal "returns" "$(json one.json '[[s["return"] == -s["loss"] for s in d["per_step"]],
    abs(d["per_step"][0]["return"] - 5) < 0.6,
    d["per_step"][1]["return"] > d["per_step"][0]["return"] + 0.5,
    d["return"] == d["per_step"][2]["return"], d["per_step"][2]["return_ci95"] == d["ci95"],
    d["accuracy"], d["shots"], d["queries"]]')" \
    '[[true, true, true], true, true, true, true, null, 10, 10]'
  expect_equal "tasks" "$(head -1 tasks.csv; wc -l <tasks.csv)" "task,loss,loss_0,loss_1,loss_2
61"
  accepted eval --run run --task-list tasks.jsonl --json --comm.ranks 2
  cmp "$scratch/out" one.json || fail "frozen tasks on two ranks give another result"
  refused 2 'tasks\.jsonl: made from data [0-9a-f]+, but data\.source gives' eval --run run --task-list tasks.jsonl --data.rewards gaussian
  accepted eval --run run --eval.tasks 10
  grep -Eq '^return -?[0-9.]+ \+- [0-9.]+ \(95 % interval over 10 tasks\), adapted by 10 rollouts per step, judged by 10 others$' \
    "$scratch/out" || fail "no return"
  # A point with a velocity of its own is a world like any other.
  accepted train --config "$support/../../configs/point/mamlpg.ini" --run.dir point \
    --data.family velocity --run.quiet true --run.steps 2 --task.meta_batch 2 --data.horizon 5 \
    --eval.every 0
  accepted eval --run point --eval.tasks 4 --json
  expect_equal "velocity" "$(out_json '[len(d["per_step"]), d["return"] < 0]')" '[3, true]'
}

text() {
  accepted train --run.dir run --data.source text --data.split stored --model.name transformer \
    --model.width 24 --model.layers 1 --run.steps 60 --run.quiet true --task.shots 6 \
    --task.queries 4 --data.length 16 --learner.inner_steps 1 --learner.inner_lr 0.2 \
    --learner.eval_steps 3 --task.meta_batch 4 --eval.every 0 --optim.lr 0.01
  accepted eval --run run --eval.tasks 10 --json
  cp "$scratch/out" one.json
  # Chance is log2 of 68 characters, 6.1 bits.
  expect_equal "bits" "$(json one.json '[d["bits_per_character"] < d["bits_per_character_before"] < 5.5,
    d["shots"], d["queries"], len(d["per_step"])]')" '[true, 6, 4, 4]'
  accepted eval --run run --eval.tasks 10 --json --comm.ranks 2
  cmp "$scratch/out" one.json || fail "two ranks give another result"
  accepted eval --run run --eval.tasks 10
  grep -Eq '^[0-9.]+ bits per character \+- .* before adaptation, from 6 pieces of 16 characters$' \
    "$scratch/out" || fail "no such line"
  local text=$support/../../configs/text/languages/test/language20.txt
  head -n 6 "$text" >few.txt
  tail -n 6 "$text" >rest.txt
  accepted adapt --run run --support few.txt --query rest.txt --json
  expect_equal "held-out lines" "$(out_json \
    'd["bits_per_character"] < d["bits_per_character_before"]')" true
  accepted generate --run run --support few.txt --prompt ab --length 40 --seed 3 --json
  expect_equal "text" "$(out_json '[len(d["text"]), d["text"][:2]]')" '[42, "ab"]'
  cp "$scratch/out" text.json
  accepted generate --run run --support few.txt --prompt ab --length 40 --seed 3 --json
  cmp "$scratch/out" text.json || fail "the same seed writes another text"
  accepted generate --run run --support few.txt --length 40 --seed 4 --out out.txt
  expect_equal "written" "$(cat out.txt)" "$(cat "$scratch/out")"
  accepted train --run.dir context --data.source text --data.split stored --model.name transformer \
    --model.width 24 --model.layers 1 --model.context 8 --learner.name cavia --run.steps 3 \
    --run.quiet true --task.shots 6 --task.queries 4 --data.length 16 --learner.inner_steps 2 \
    --learner.inner_lr 1 --task.meta_batch 2 --eval.every 0
  accepted adapt --run context --support few.txt --query rest.txt --json
  refused 2 'learner\.name = "protonet" needs one label per example, but text has' \
    train --run.dir new --data.source text --data.split stored --model.name transformer \
    --learner.name protonet
  printf abc >short.txt
  refused 2 '--support: 3 characters; expected at least data\.length \+ 1 = 17' \
    generate --run run --support short.txt
  refused 2 '--temperature 0; expected above 0' \
    generate --run run --support few.txt --temperature 0
  printf 'caf\351 au lait, encore un peu' >latin1.txt
  refused 2 '--support: byte 3 is not UTF-8 text' generate --run run --support latin1.txt
  refused 2 'model\.name = "transformer" takes rows of characters' \
    train --run.dir new --data.source omniglot --model.name transformer
}

# The official protocol on a folder of its layout, made of background drawings.
one_shot() {
  python3 - "$support/../../configs/omniglot/background.pack" runs <<'PY'
import json, pathlib, random, struct, sys, zlib
raw = open(sys.argv[1], "rb").read()
length, records, names, payload, stride = struct.unpack_from("<QQQQQ", raw, 24)[0:5]
meta = json.loads(raw[64:64 + length])
def chunk(kind, data):
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))
def png(record):  # 28x28 ink to 105x105 dark on light
    bits = raw[payload + record * stride:payload + (record + 1) * stride]
    ink = lambda i: bits[i // 8] >> (7 - i % 8) & 1
    rows = b"".join(b"\0" + bytes(0 if ink((2 * y + 1) * 28 // 210 * 28 + (2 * x + 1) * 28 // 210)
                                  else 255 for x in range(105)) for y in range(105))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 105, 105, 8, 0, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b""))
draw = random.Random(4)
alphabets, record = [], 0  # first record of each character
for group in meta["groups"]:
    alphabets.append([])
    for cls in group["classes"]:
        alphabets[-1].append(record)
        record += cls["count"]
alphabets = [a for a in alphabets if len(a) >= 20]
for run in range(1, 4):
    first = draw.sample(draw.choice(alphabets), 20)
    top = pathlib.Path(sys.argv[2]) / f"run{run:02}"
    for part in ("training", "test"):
        (top / part).mkdir(parents=True)
    lines = []
    for i, c in enumerate(draw.sample(range(20), 20)):
        (top / f"training/class{c + 1:02}.png").write_bytes(png(first[c] + 3))
        (top / f"test/item{i + 1:02}.png").write_bytes(png(first[c] + 11))
        lines.append(f"{top.name}/test/item{i + 1:02}.png {top.name}/training/class{c + 1:02}.png")
    (top / "class_labels.txt").write_text("\n".join(lines) + "\n")
PY
  # Far from the 95 % of guessing, and far from none.
  accepted eval --protocol omniglot-one-shot --data runs --baseline hausdorff --json
  expect_equal baseline "$(out_json '[d["runs"], d["mode"], 20 < d["error_percent"] < 60]')" \
    '[3, "inductive", true]'
  accepted train --run.dir run --run.steps 40 --run.quiet true --model.filters 16 --task.ways 5 \
    --task.train_ways 20 --task.queries 2 --task.meta_batch 2 --learner.name protonet --learner.norm_momentum 0.5 --eval.every 0
  accepted eval --run run --protocol omniglot-one-shot --data runs --json
  expect_equal "a learner's" "$(out_json \
    '[d["runs"], d["ways"], d["shots"], d["mode"], d["error_percent"] < 80]')" \
    '[3, 20, 1, "inductive", true]'
  local one
  one=$(out_json 'd["error_percent"]')
  accepted eval --run run --protocol omniglot-one-shot --data runs --json --comm.ranks 2
  expect_equal "on two ranks" "$(out_json 'd["error_percent"]')" "$one"
  accepted eval --run run --protocol omniglot-one-shot --data runs
  grep -q "^error [0-9.]* % over 3 runs, 20-way, inductive$" "$scratch/out" || fail "no such line"
  sed -i '3s/class/clazz/' runs/run02/class_labels.txt
  refused 2 'run02/class_labels\.txt:3: no training item run02/training/clazz' \
    eval --run run --protocol omniglot-one-shot --data runs
  sed -i '3s/.*/run02/' runs/run02/class_labels.txt
  refused 2 'run02/class_labels\.txt:3: "run02"; expected a test item and a training item' \
    eval --run run --protocol omniglot-one-shot --data runs
  rm runs/run02/class_labels.txt
  refused 2 'run02/class_labels\.txt: .*No such file' \
    eval --run run --protocol omniglot-one-shot --data runs
  refused 2 'run: no folder run01' eval --run run --protocol omniglot-one-shot --data run
  refused 2 '--protocol goes with --data' eval --run run --protocol omniglot-one-shot
  refused 2 '--protocol lake; expected one of: omniglot-one-shot, meta-dataset' eval --run run --protocol lake --data runs
}

"$1"
