#!/usr/bin/env bash
# own_data.sh GROUP: images and tables as users have them.
support=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../support")
# shellcheck source=tests/support/cli.sh
source "$support/cli.sh"

accepted() {
  row="$*"
  protean "$@"
  expect_code 0
}
refused() {  # REGEX WORDS...
  local regex=$1
  shift
  row="$*"
  protean "$@"
  expect_code 1 2
  expect_error "$regex"
  [ ! -s "$scratch/out" ] || fail "output although it failed"
}
out_json() { json "$scratch/out" "$1"; }
images() { python3 "$support/make_images.py" "$@"; }
dress() { python3 "$support/dress_images.py" "$@"; }

short=(--run.steps 2 --run.quiet true --eval.every 0 --task.ways 3 --task.shots 1
  --task.queries 2 --task.meta_batch 2)
proto=("${short[@]}" --model.filters 4 --learner.name protonet)

# What a viewer shows the same is read the same, by whatever reads images.
reader() {
  local vae=("${short[@]}" --learner.name setvae --generator.filters 2 --generator.hidden 8
    --generator.code 4 --task.ways 1 --task.shots 2 --task.queries 2)
  images plain 20 5 1
  accepted train --run.dir plain-run --data.path plain "${proto[@]}"
  accepted train --run.dir plain-vae --data.path plain "${vae[@]}"
  local all="plain large rgb alpha palette deep deep10 turned" kind what
  for kind in $all; do
    [ $kind = plain ] || dress plain $kind $kind
    mkdir -p "$kind-query"
    cp $kind/class00[012]/004.png "$kind-query" 2>/dev/null || true
    cp $kind/class000/003.png "$kind-query/a.png"
    cp $kind/class001/003.png "$kind-query/b.png"
    mkdir -p "$kind-support"
    cp -r $kind/class00[012] "$kind-support"
    accepted train --run.dir "$kind-trained" --data.path $kind "${proto[@]}"
    hashes "$kind-trained" >$kind.train
    accepted pack --in $kind --out $kind.pack --json
    out_json '[d["shape"], d["images"]]' >$kind.pack.json
    rm $kind.pack
    accepted eval --run plain-run --data.path $kind --data.split test --eval.tasks 5 --strict false --json
    out_json '[d["loss"], d["accuracy"]]' >$kind.eval
    accepted adapt --run plain-run --support $kind-support --query $kind-query --json
    out_json '[p["probabilities"] for p in d["predictions"]]' >$kind.adapt
    accepted generate --run plain-vae --support $kind-support/class000 --count 2 --out $kind-made
    sha256sum <"$kind-made/grid.png" >$kind.generate
    for what in train pack.json eval adapt generate; do
      cmp plain.$what $kind.$what || fail "$kind: $what differs from plain"
    done
    rm -rf "$kind-trained"
  done
}

# A path is enough; the run says what it holds.
folder() {
  images photos 24 6 1
  printf x >photos/class000/x.webp
  printf x >photos/class001/y.WEBP
  mkdir photos/unlabelled photos/__MACOSX
  accepted train --run.dir run --data.path photos "${proto[@]}"
  expect_line '^\[info\] photos: 24 classes \(14/5/5\), 144 images 1 x 28 x 28, 2 files skipped: \.webp; 1 folder without images: unlabelled$'
  accepted eval --run run --eval.tasks 5
  # Folders of a split, whatever their case.
  mkdir -p Split/Train Split/VAL Split/testing
  cp -r photos/class00* Split/Train
  cp -r photos/class01* Split/VAL
  cp -r photos/class02* Split/testing
  accepted train --run.dir split --data.path Split "${proto[@]}"
  expect_line 'Split: 24 classes \(10/10/4\), 144 images'
  (cd Split && python3 -m zipfile -c ../split.zip Train VAL testing)
  accepted train --run.dir zipped --data.path split.zip "${proto[@]}"
  expect_line 'split\.zip: 24 classes \(10/10/4\), 144 images'
  expect_equal "a zip trains as its folder" "$(hashes zipped)" "$(hashes split)"
  # What does not fit is said, with what would.
  refused 'eval\.ways = 6, but of 4 test classes only 4 .*what would fit: ways = 4, or more test classes \(data\.split_test\)' \
    eval --run split --eval.ways 6
  refused 'task\.shots \+ task\.queries = 9 examples.*what would fit: shots \+ queries = 6' \
    train --run.dir new --data.path Split "${proto[@]}" --task.queries 8
  # Nothing to be seen.
  mkdir -p black/a black/b
  python3 - <<'PY'
import struct, zlib
def chunk(kind, data):
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))
for name in ("black/a/1.png", "black/b/1.png"):
    open(name, "wb").write(b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 9, 7, 8, 0, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress((b"\0" + bytes(9)) * 7)) + chunk(b"IEND", b""))
PY
  refused 'black: 2 of 2 images are of one colour once they are read: black/a/1\.png' \
    train --run.dir new --data.path black "${proto[@]}"
  rmdir photos/unlabelled
  refused '2 of 2 images are of one colour' adapt --run run --support black --query black/a
  refused '1 of 1 images are of one colour' adapt --run run --support photos --query black/a
  [ ! -e new ] || fail "a refused run left its folder"
  # Everything that data.path takes can be looked at.
  accepted inspect photos
  grep -q '24 classes, 144 images' "$scratch/out" || fail "no counts"
  grep -q 'skipped: 2 files skipped: \.webp' "$scratch/out" || fail "nothing of what was skipped"
  accepted inspect split.zip --json
  expect_equal "splits" "$(out_json '[d["splits"][s]["classes"] for s in ("train", "validation", "test")]')" \
    '[10, 10, 4]'
}

# Columns are taken by name, in files that lay them out in any way.
columns() {
  local csv=$support/../../configs/table/devices.csv
  accepted train --run.dir run --config "$support/../../configs/table/maml.ini" --run.steps 100 \
    --run.quiet true --eval.every 0
  expect_line 'devices\.csv: 1000 rows in 40 tasks \(column task\), features voltage, temperature, load; target reading: a number'
  accepted eval --run run --eval.tasks 20 --json
  python3 - "$csv" <<'PY'
import csv, sys
rows = [r for r in csv.DictReader(open(sys.argv[1])) if r["task"] == "device39"]
support, query = rows[:8], rows[8:20]
def write(name, rows, columns, separator=",", comma=False, head=None, index=False):
    with open(name, "w") as f:
        lines = [head or columns] + [[r[c] for c in columns] for r in rows]
        if index:
            lines = [[""] + lines[0]] + [[str(i)] + l for i, l in enumerate(lines[1:])]
        for l in lines:
            f.write(separator.join(v.replace(".", ",") if comma else v for v in l) + "\n")
usual = ["voltage", "temperature", "load", "reading"]
kinds = {
    "plain": dict(columns=usual),
    "swapped": dict(columns=["load", "temperature", "voltage", "reading"]),
    "first": dict(columns=["reading", "load", "voltage", "temperature"]),
    "whole": dict(columns=["task", "split"] + usual),
    "index": dict(columns=usual, index=True),
    "german": dict(columns=usual, separator=";", comma=True),
    "tabs": dict(columns=usual[::-1], separator="\t"),
}
for name, how in kinds.items():
    write(f"{name}-s.csv", support, **how)
    write(f"{name}-q.csv", query, **how)
write("blind-q.csv", query, usual[:3])
write("renamed.csv", support, usual, head=["volts", "temperature", "load", "reading"])
write("less.csv", support, ["voltage", "load", "reading"])
write("bare.csv", support[1:], usual, head=[support[0][c] for c in usual])
write("more-s.csv", [dict(r, note="fine") for r in support], usual + ["note"])
write("two.csv", support[:7] + [dict(support[7], task="device38")], ["task"] + usual)
write("other.csv", [dict(r, task="device38") for r in query], ["task"] + usual)
write("broken.csv", [dict(support[0], load="full")] + support[1:], usual)
PY
  local kind
  for kind in plain swapped first whole index german tabs more; do
    local query=$kind-q.csv
    [ $kind != more ] || query=plain-q.csv
    accepted adapt --run run --support $kind-s.csv --query $query --json
    out_json '[[p["prediction"] for p in d["predictions"]], d["errors"]]' >$kind.json
    cmp plain.json $kind.json || fail "$kind: other predictions"
  done
  # The figures, once more from the predictions.
  accepted adapt --run run --support plain-s.csv --query blind-q.csv --json --out blind.csv
  expect_equal header "$(head -1 blind.csv)" line,prediction_reading
  python3 - plain.json plain-q.csv "$scratch/out" <<'PY'
import csv, json, math, sys
predictions, errors = json.load(open(sys.argv[1]))
truth = [float(r["reading"]) for r in csv.DictReader(open(sys.argv[2]))]
blind = json.load(open(sys.argv[3]))
assert [p["prediction"] for p in blind["predictions"]] == predictions
assert blind["loss"] is None and blind["errors"][0]["rows"] == 0
off = [p[0] - t for p, t in zip(predictions, truth)]
mean = sum(truth) / len(truth)
squares = sum(o * o for o in off)
told = errors[0]
want = dict(rmse=math.sqrt(squares / len(off)), mae=sum(map(abs, off)) / len(off),
            r2=1 - squares / sum((t - mean) ** 2 for t in truth))
for key, value in want.items():
    assert abs(told[key] - value) < 1e-9 * max(1, abs(value)), (key, told[key], value)
assert told["target"] == "reading" and told["rows"] == 12
assert told["rmse"] < 3, told  # in the target's unit, which spans 9
PY
  adapt() { refused "$1" adapt --run run --support "$2" --query "${3:-plain-q.csv}"; }
  adapt "renamed\\.csv: no column voltage; its columns are volts, temperature, load, reading; expected the run's, voltage, temperature, load and the target reading" renamed.csv
  adapt 'less\.csv: no column temperature' less.csv
  adapt 'blind-q\.csv: no column reading' blind-q.csv
  adapt 'bare\.csv:1: holds values, such as ".*"; expected a line of column names' bare.csv
  adapt 'two\.csv:9: column task is "device38"; expected "device39" as in line 2: the rows of one task' two.csv
  adapt 'other\.csv: rows of task device38; expected device39 as in whole-s\.csv' whole-s.csv other.csv
  adapt 'broken\.csv:2: column load is "full"; expected a number' broken.csv
  [ -z "$(find . -name '*.tmp')" ] || fail "something is left"
}

# Labels that are numbers, words or decimals of them; tables of classes adapt.
labels() {
  python3 - <<'PY'
import random
draw = random.Random(1)
rows = []
for site in range(15):
    for r in range(24):
        kind = r % 3
        rows.append((f"s{site}", round(draw.gauss(kind - 1, .2), 4), round(draw.gauss(site, 1), 4), kind))
def write(name, rows, label, columns=("task", "u", "v", "target")):
    with open(name, "w") as f:
        f.write(",".join(columns) + "\n")
        for r in rows:
            cells = dict(task=r[0], u=r[1], v=r[2], target=label(r[3]))
            f.write(",".join(str(cells[c]) for c in columns) + "\n")
for name, label in (("numbers", str), ("ones", lambda k: k + 1), ("decimals", lambda k: f"{k}.0"),
                    ("letters", lambda k: "abc"[k])):
    write(name + ".csv", rows, label)
write("s.csv", rows[:6], lambda k: "abc"[k], ("target", "v", "u"))
write("n.csv", rows[:6], str, ("u", "v", "target"))
write("q.csv", rows[6:12], lambda k: "abc"[k], ("u", "v", "target"))
write("blind.csv", rows[6:12], str, ("v", "u"))
write("new.csv", rows[:6], lambda k: "abd"[k], ("u", "v", "target"))
write("one.csv", [r for r in rows[:6] if r[3] == 0], str, ("u", "v", "target"))
text = open("numbers.csv").read().splitlines()
for name, cell in (("nan", "NaN"), ("inf", "inf"), ("grouped", '"1,234.5"')):
    cells = text[100].split(",")
    open(name + ".csv", "w").write("\n".join(text[:100] + [",".join(cells[:3] + [cell])] + text[101:]) + "\n")
PY
  local learn=(--model.name mlp --run.steps 40 --run.quiet true --task.ways 3 --task.shots 2
    --task.queries 4 --learner.inner_steps 2 --task.meta_batch 4 --eval.every 0 --optim.lr 0.01)
  local name
  for name in letters numbers ones decimals; do
    accepted train --run.dir $name --data.path $name.csv "${learn[@]}"
    case $name in
      letters) expect_line 'target target: 3 labels \(a, b, c\) \(data\.target_kind\)' ;;
      ones) expect_line 'target target: 3 labels \(1, 2, 3\)' ;;
      *) expect_line 'target target: 3 labels \(0, 1, 2\)' ;;
    esac
    expect_equal "$name trains as letters" "$(hashes $name)" "$(hashes letters)"
  done
  accepted train --run.dir values --data.path numbers.csv --data.target_kind number "${learn[@]}"
  expect_line 'target target: a number \(data\.target_kind\)'
  for name in nan inf grouped; do
    refused "$name\\.csv:101: column target is .*; expected a number, as in 359 of 360 rows" \
      train --run.dir new --data.path $name.csv "${learn[@]}"
  done
  accepted adapt --run letters --support s.csv --query q.csv --json --out out.csv
  out_json '[p["probabilities"] for p in d["predictions"]]' >s.json
  expect_equal "rows" "$(out_json '[d["classes"], d["accuracy"] == sum(p["class"] == p["true"] for p in d["predictions"]) / 6 >= 0.5, [p["line"] for p in d["predictions"]],
    [p["true"] for p in d["predictions"]], [sum(c) for c in d["confusion"]]]')" \
    '[["a", "b", "c"], true, [2, 3, 4, 5, 6, 7], ["a", "b", "c", "a", "b", "c"], [2, 2, 2]]'
  expect_equal header "$(head -1 out.csv)" line,class,true,probability,a,b,c
  accepted adapt --run letters --support n.csv --query blind.csv --json
  expect_equal "other names, same rows" "$(out_json '[list(p["probabilities"].values()) for p in d["predictions"]]')" \
    "$(json s.json '[list(p.values()) for p in d]')"
  expect_equal "nothing known" "$(out_json '[d["accuracy"], "confusion" in d]')" '[null, false]'
  refused 'q\.csv:4: column target is "c"; expected a label of --support: a, b, d' \
    adapt --run letters --support new.csv --query q.csv
  refused 'one\.csv: one label, 0; expected two or more' adapt --run letters --support one.csv --query q.csv
}

# A transductive run asked for one image at a time.
moments() {
  images photos 20 6 3
  accepted train --run.dir run --data.path photos --run.steps 30 --run.quiet true --eval.every 0 \
    --task.ways 4 --task.shots 1 --task.queries 3 --task.meta_batch 2 --model.filters 4 \
    --learner.inner_steps 1
  mkdir query one
  local c
  for c in 0 1 2 3; do
    mkdir -p "support/class00$c"
    cp "photos/class00$c/000.png" "support/class00$c"
    cp "photos/class00$c/001.png" "query/$c.png"
  done
  cp query/2.png one
  accepted adapt --run run --support support --query query --json
  expect_equal mode "$(out_json 'd["mode"]')" '"inductive"'
  out_json '[p["probabilities"] for p in d["predictions"] if p["file"] == "2.png"]' >together
  accepted adapt --run run --support support --query one --json
  out_json '[p["probabilities"] for p in d["predictions"]]' >alone
  python3 - <<'PY'
import json
a, b = (json.load(open(n))[0] for n in ("together", "alone"))
assert all(abs(a[k] - b[k]) < 1e-6 for k in a), (a, b)
PY
  accepted adapt --run run --support support --query query --json --learner.query_norm batch
  expect_equal mode "$(out_json 'd["mode"]')" '"transductive"'
  expect_other "own moments" "$(out_json \
    '[p["probabilities"] for p in d["predictions"] if p["file"] == "2.png"]')" "$(cat together)"
  # eval tells both.
  accepted eval --run run --eval.tasks 20 --json
  cp "$scratch/out" both.json
  accepted eval --run run --eval.tasks 20 --json --learner.query_norm support
  expect_equal "eval's second figure" "$(json both.json '[d["mode"], d["inductive"]["accuracy"], d["inductive"]["loss"]]')" \
    "$(out_json '["transductive", d["accuracy"], d["loss"]]')"
  expect_equal "no second figure" "$(out_json '"inductive" in d')" false
  accepted eval --run run --eval.tasks 20
  local told
  told=$(python3 -c 'import json
d = json.load(open("both.json"))["inductive"]
print("%.2f %% +- %.2f" % (100 * d["accuracy"], 100 * d["ci95"]))')
  grep -qF "adapt uses): $told" "$scratch/out" || fail "eval does not tell $told"
}

"$1"
