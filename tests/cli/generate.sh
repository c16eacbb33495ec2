#!/usr/bin/env bash
# generate.sh GROUP [ARGUMENTS]: images from a few images; what can be wrong with them is
# told in one line, and leaves nothing behind.
support=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../support")
# shellcheck source=tests/support/cli.sh
source "$support/cli.sh"
cp "$support/../../configs/omniglot/background.pack" sound.pack

small=(--generator.filters 2 --generator.features 8 --generator.hidden 8 --generator.code 4
  --generator.latent 2 --task.ways 1 --task.shots 3 --task.queries 2 --task.meta_batch 4)
tiny=(train --data.path sound.pack --run.steps 2 --run.quiet true --eval.every 0
  --learner.name setvae "${small[@]}")
python3 "$support/make_images.py" images 2 3 1

refused() {  # CODE REGEX WORDS...
  local want=$1 regex=$2
  shift 2
  row="${*: -2}"
  listing . >"$scratch/before"
  protean "$@"
  expect_code "$want"
  expect_error "$regex"
  [ ! -s "$scratch/out" ] || fail "output although it failed"
  listing . >"$scratch/after"
  diff "$scratch/before" "$scratch/after" >&2 || fail "files have changed"
}
accepted() {
  row="$*"
  protean "$@"
  expect_code 0
}
generate() { refused "$1" "$2" generate --run run --support images/class000 --out new "${@:3}"; }
files() { find "$1" -type f | wc -l; }

samples() {
  accepted "${tiny[@]}" --run.dir run
  accepted generate --run run --support images/class000 --count 123 --out a --json
  cp "$scratch/out" "$scratch/a.json"
  expect_equal result "$(json "$scratch/a.json" '[d["images"], d["support"], d["step"]]')" "[123, 3, 2]"
  expect_equal files "$(files a)" 124
  python3 - a/sample-000123.png a/grid.png <<'PY'
import struct, sys
sizes = [struct.unpack(">II", open(p, "rb").read()[16:24]) for p in sys.argv[1:]]
# Ten columns; a row of support images, ten of samples.
assert sizes == [(28, 28), (10 * 30 + 2, 11 * 30 + 2)], sizes
PY
  # The first images do not depend on how many follow, nor on the threads of it.
  accepted generate --run run --support images/class000 --count 5 --out b --run.threads 2
  for i in 1 2 3 4 5; do cmp a/sample-00000$i.png b/sample-00000$i.png || fail "sample $i differs"; done
  accepted generate --run run --support images/class000 --count 5 --out c --seed 1
  ! cmp -s b/sample-000001.png c/sample-000001.png || fail "another seed gives the same image"
  accepted generate --run run --support images/class000 --count 5 --out e --temperature 1.5
  ! cmp -s b/grid.png e/grid.png || fail "another temperature gives the same images"
  # Ink and paper are too coarse for what two steps have learnt of classes.
  accepted "${tiny[@]}" --run.dir grey --generator.binary false
  accepted generate --run grey --support images/class000 --count 1 --out d0
  accepted generate --run grey --support images/class001 --count 1 --out d1
  ! cmp -s d0/sample-000001.png d1/sample-000001.png || fail "another class gives the same image"
  # What ends with a slash is the same folder, and what is beside it stays.
  mkdir .f.0.tmp
  accepted generate --run run --support images/class000 --count 5 --out f/
  cmp b/sample-000001.png f/sample-000001.png || fail "f/ has another image"
  expect_equal hidden "$(echo .*.tmp)" .f.0.tmp
}

bad() {
  accepted "${tiny[@]}" --run.dir run
  refused 2 '--run is not set' generate --support images/class000 --out new
  refused 2 '--support is not set' generate --run run --out new
  refused 2 '--out is not set' generate --run run --support images/class000
  generate 2 '--count 0; expected 1 to 1048576' --count 0
  generate 2 '--count 1048577; expected a whole number up to 1048576' --count 1048577
  generate 2 '--count -1; expected a whole number' --count=-1
  generate 2 '--count many; expected a whole number' --count many
  generate 2 '--temperature 0; expected above 0' --temperature 0
  refused 2 '--out is not set' generate --run run --support images/class000 --out ""
  generate 2 '--ink gold; expected one of: auto, dark, light' --ink gold
  generate 2 '--prompt does nothing here: --run run makes images' --prompt hello
  mkdir empty taken
  refused 2 'empty: holds no PNG or JPEG file' generate --run run --support empty --out new
  refused 2 'nosuch: cannot be listed: No such file' generate --run run --support nosuch --out new
  refused 2 '--out taken: exists; expected a new folder' \
    generate --run run --support images/class000 --out taken
  refused 2 '--out /proc/x/y: cannot be created' \
    generate --run run --support images/class000 --out /proc/x/y
  generate 2 '--resize = "cubic"; expected one of: area, nearest, bilinear' --resize cubic
  generate 2 '--fit = "squeeze"; expected one of: stretch, pad, crop' --fit squeeze
  # Images that do not fit.
  mkdir text half rgb wide
  echo 'no image' >text/a.png
  head -c 60 images/class000/000.png >half/a.png
  python3 - "$support" <<'PY'
import struct, sys, zlib
sys.argv[1:] = sys.argv[1:]
def chunk(kind, data):
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))
def png(width, height, channels):
    raw = b"".join(b"\0" + bytes((8 * x + c) % 256 for x in range(width) for c in range(channels)) for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2 if channels == 3 else 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")
open("rgb/a.png", "wb").write(png(28, 28, 3))
open("wide/a.png", "wb").write(png(30, 20, 1))
PY
  local name
  for name in text half; do
    refused 1 "$name/a\\.png: " generate --run run --support $name --out new
  done
  accepted generate --run run --support rgb --out grey --count 1
  refused 1 'wide/a\.png: 30x20 pixels; expected 28x28' \
    generate --run run --support wide --out new --resize none
  accepted generate --run run --support wide --out fitted --count 1
  accepted generate --run run --support wide --out resized --resize bilinear --count 1
  # Runs that cannot.
  accepted train --run.dir maml --data.path sound.pack --run.steps 1 --run.quiet true \
    --model.filters 2 --task.ways 2 --task.queries 1 --task.meta_batch 2 --eval.every 0
  refused 2 'learner.name = maml makes no images; expected a run of' \
    generate --run maml --support images/class000 --out new
  accepted "${tiny[@]}" --run.dir fixed --generator.random_shots false
  mkdir one
  cp images/class000/000.png one
  refused 2 '--support: 1 image of a class; the model was trained on 3' \
    generate --run fixed --support one --out new
  # One step so long that nothing finite comes out of the parameters it leaves.
  accepted "${tiny[@]}" --run.dir wild --run.steps 1 --optim.lr 1e30 --optim.name sgd
  refused 1 "images are not finite: its training diverged" \
    generate --run wild --support images/class000 --out new
  # Stopped among many images: none is kept.
  local signal
  for signal in INT TERM; do
    start env --default-signal=INT "$PROTEAN_BIN" generate --run run --support images/class000 \
      --count 1048576 --out many
    until_true 30 test -e .many.0.tmp/sample-000001.png || fail "no image within 30 s"
    kill -$signal "$job"
    finish 20
    expect_code 1
    expect_error 'many: stopped by a signal after'
    expect_equal "what is left" "$(find . -name '*many*')" ""
  done
}

keys() {
  train() { refused 2 "$1" "${tiny[@]}" --run.dir new "${@:2}"; }
  train 'task\.ways = 5; a generative learner takes one class at a time' --task.ways 5
  train 'generator\.code = 0; expected at least 1' --generator.code 0
  train 'generator\.code_weight = -1; expected at least 0' --generator.code_weight -1
  train 'generator\.pooling = "median"; expected one of: moments, attention' \
    --generator.pooling median
  train 'generator\.filters = 2 does nothing with learner\.name = maml; it is read by: setvae, metavae, metagan, deform' \
    --learner.name maml --task.ways 2
  train 'generator\.adversary = 1 does nothing with learner\.name = setvae; it is read by: metagan' \
    --generator.adversary 1
  train 'learner\.inner_lr = 5 does nothing with learner\.name = setvae; it is read by: .* metavae, metagan' \
    --learner.inner_lr 5
  train 'learner\.truncate = 1 does nothing with learner\.name = metavae' --learner.name metavae \
    --learner.truncate 1
  train 'learner\.proximal = 5 does nothing with learner\.name = metagan' --learner.name metagan \
    --learner.proximal 5
  train 'learner\.eval_steps = 10 does nothing with learner\.inner_steps = 0; expected its default, -1, or learner\.inner_steps above 0' \
    --learner.name metagan --learner.inner_steps 0 --learner.eval_steps 10
  train 'generator\.meta = "reptile" does nothing with learner\.inner_steps = 0' \
    --learner.name metagan --learner.inner_steps 0 --generator.meta reptile
  train 'learner\.inner_lr = -0\.1; expected a value above 0' --learner.name metagan \
    --learner.inner_steps 2 --learner.inner_lr=-0.1
  train 'generator\.pooling = "attention" does nothing with learner\.name = deform; it is read by: setvae, metavae, metagan$' \
    --learner.name deform --generator.code 64 --generator.pooling attention
  train 'generator\.code_weight = 7 does nothing with generator\.network = deform' --learner.name metagan \
    --generator.network deform --generator.code 64 --generator.code_weight 7
  train 'learner\.adapt = "code": the generator has no such part; expected all' --learner.name metavae \
    --learner.adapt code --generator.encoder false
  train 'data\.also_split = "test" does nothing with data\.also = ""; expected its default, random, or more data sets' --data.also_split test
  train 'a generative learner takes images' --data.source sinusoid --data.path '' --task.ways 5
}

tiny_net=(train --data.path sound.pack --run.steps 2 --run.quiet true --eval.every 0
  --model.filters 2 --task.ways 2 --task.queries 1 --task.meta_batch 2)

# A learner starts from what a generative model has learnt.
init_from() {
  accepted "${tiny[@]}" --run.dir run
  local net=(--learner.name protonet --model.name encoder --model.filters 2 --model.width 8)
  accepted "${tiny_net[@]}" "${net[@]}" --run.dir from --optim.lr 1e-12 --model.init_from run \
    --model.init_part encoder
  expect_line 'starting from 8 of 8 parameters of run'
  python3 - run/checkpoints/step-2/model.safetensors from/checkpoints/step-2/model.safetensors <<'PY'
import json, struct, sys
def read(path):
    data = open(path, "rb").read()
    (size,) = struct.unpack_from("<Q", data)
    values = memoryview(data[8 + size:]).cast("f")
    return {name: [values[i] for i in range(v["data_offsets"][0] // 4, v["data_offsets"][1] // 4)]
            for name, v in json.loads(data[8:8 + size]).items() if name != "__metadata__"}
run, start = (read(path) for path in sys.argv[1:])
same = [name for name, values in start.items() for other in run
        if other.endswith("encoder." + name.removeprefix("theta."))
        and max((abs(a - b) for a, b in zip(values, run[other])), default=1) < 1e-9]
assert len(same) == 8, (same, list(start), list(run))
PY
  refused 2 'model\.init_from = nowhere: no checkpoint there' "${tiny_net[@]}" "${net[@]}" \
    --run.dir new --model.init_from nowhere
  refused 2 'no parameter fits; it has encoder.conv1.weight 2x1x3x3.*; expected' \
    "${tiny_net[@]}" "${net[@]}" --run.dir new --model.init_from run --model.init_part encoder \
    --model.filters 3 --model.width 9
}

# One generator of two data sets.
joined() {
  python3 "$support/make_images.py" more 4 6 2
  accepted "${tiny[@]}" --run.dir both --data.also more
  accepted "${tiny[@]}" --run.dir one
  accepted "${tiny[@]}" --run.dir even --data.also more --data.weights 1,1
  [ "$(json even/summary.json 'd["theta_sha256"]')" != \
    "$(json both/summary.json 'd["theta_sha256"]')" ] || fail "weights change nothing"
  [ "$(json both/summary.json 'd["data_checksum"]')" != \
    "$(json one/summary.json 'd["data_checksum"]')" ] || fail "the same data"
  refused 2 'data\.also: more has examples of another shape than sound\.pack' "${tiny[@]}" \
    --run.dir new --data.also more --data.channels 3
  refused 2 'nowhere: no such file or folder' "${tiny[@]}" --run.dir new --data.also more,nowhere
  refused 2 'data\.weights: 3 weights that sum to 3 for 2 sources' "${tiny[@]}" --run.dir new \
    --data.also more --data.weights 1,1,1
  refused 2 'data\.also = "more" does nothing with data\.source = table; it is read by: auto, omniglot, pack, folder$' \
    "${tiny_net[@]}" --run.dir new --data.source table --data.path table --data.also more
}

latent() {
  accepted "${tiny[@]}" --run.dir run
  accepted latent --run run --out pictures --classes 3 --json
  cp "$scratch/out" "$scratch/latent.json"
  cmp "$scratch/latent.json" <(python3 -c 'import json; print(json.dumps(json.load(open("pictures/latent.json")), separators=(",", ":")))') ||
    fail "latent.json is not what was printed"
  expect_equal measures "$(json "$scratch/latent.json" \
    '[d["classes"], d["images"] > 1000, 0 < d["purity"] < 1, 0 < d["plane_variance"] <= 1]')" \
    "[94, true, true, true]"
  expect_equal groups "$(json "$scratch/latent.json" \
    '[sorted(d["groups"]), all(0 < g["purity"] < 1 and -0.1 < g["rand_index"] < 1 for g in d["groups"].values()), d["groups"]["k_means"]["purity"] == d["purity"]]')" \
    '[["k_means", "mixture", "random_partitions"], true, true]'
  # Ten of a class are pictures, the other 17 of 47 dots; three more in the list.
  local map
  for map in map map-tsne; do
    expect_equal "points of $map.svg" \
      "$(grep -c '<image' pictures/$map.svg) $(grep -c '<circle' pictures/$map.svg)" "30 20"
  done
  ! cmp -s pictures/map.svg pictures/map-tsne.svg || fail "both maps are one"
  expect_equal files "$(ls pictures | tr '\n' ' ')" \
    "characters.png curve.csv curve.svg latent.json map-tsne.svg map.svg "
  # Both paths begin in the class: the same images.
  expect_equal curve "$(python3 - <<'PY'
import csv
rows = list(csv.DictReader(open("pictures/curve.csv")))
at = {(r["path"], r["factor"]): r for r in rows}
print(len(rows), rows[0]["factor"], rows[12]["factor"], {r["images"] for r in rows},
      abs(float(at["code", "0"]["frechet"]) / float(at["latent", "0"]["frechet"]) - 1) < 0.01,
      float(at["real", ""]["frechet"]) < float(at["code", "0.5"]["frechet"]))
PY
)" "27 -0.25 1.25 {'561'} True True"
  accepted latent --run run --out again --classes 3
  for map in pictures/*; do
    cmp "$map" "again/${map#*/}" || fail "$map differs the second time"
  done

  # From one class to another, in the features of a network.
  accepted "${tiny_net[@]}" --run.dir net --learner.name protonet
  local from to
  from=$(sed -n 's/.*<text[^>]*>\([^<]*\)<.*/\1/p' pictures/map.svg | sed -n 2p)
  to=$(sed -n 's/.*<text[^>]*>\([^<]*\)<.*/\1/p' pictures/map.svg | sed -n 3p)
  accepted latent --run run --out moved --classes 3 --from "$from" --to "$to" \
    --strength -1:2 --eval.features net --json
  expect_equal direction "$(json "$scratch/out" \
    '[d["direction"]["strengths"], len(d["direction"]["nearer_to"]), d["direction"]["length"] > 0, d["curve"]["features"]]')" \
    '[[-1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0], 7, true, "net"]'
  cmp pictures/map-tsne.svg moved/map-tsne.svg || fail "a direction changes the map"
  python3 - moved/direction.png <<'PY'
import struct, sys
size = struct.unpack(">II", open(sys.argv[1], "rb").read()[16:24])
assert size == (11 * 30 + 2, 8 * 30 + 2), size
PY

  wrong() { refused 2 "$1" latent --run run --out new "${@:2}"; }
  refused 2 '--out pictures: exists' latent --run run --out pictures
  wrong '--classes 1; expected 2 to 94' --classes 1
  wrong '--classes 95; expected 2 to 94' --classes 95
  wrong '--from goes with --to' --from "$from"
  wrong '--to goes with --from' --to "$to"
  wrong '--strength goes with --from' --strength 0:1
  wrong "--from nosuch; expected a class of eval\.stream: .*, .* and 74 more" \
    --from nosuch --to "$to"
  # The likest names come first.
  wrong "--to ${to}x; expected a class of eval\.stream: $to, " --from "$from" --to "${to}x"
  wrong "--to $from; expected another class than --from" --from "$from" --to "$from"
  local strength
  for strength in 1 1:0 0:0 a:1 0:nan 0:101 -0.25; do
    wrong "--strength $strength; expected LOW:HIGH" --from "$from" --to "$to" --strength=$strength
  done
  wrong 'eval\.features = nosuch: no config\.ini there' --eval.features nosuch
  accepted "${tiny[@]}" --run.dir narrow --generator.code 1
  refused 2 'generator\.code = 1 leaves them one axis; expected a run with 2 or more' \
    latent --run narrow --out new
  accepted "${tiny[@]}" --run.dir many --generator.random_shots false --task.shots 10
  refused 2 'latent: class .*: 5 images of a class; the model was trained on 10, expected at least as many' \
    latent --run many --out new
  wrong 'eval\.features = net,net; latent takes one network' --eval.features net,net
  refused 2 'learner.name = protonet makes no images' latent --run net --out new
}

# quality PROGRAM: it writes a user's own network.
quality() {
  accepted "${tiny[@]}" --run.dir run
  accepted "${tiny_net[@]}" --run.dir net --learner.name protonet
  accepted "${tiny_net[@]}" --run.dir maml
  accepted eval --run run --eval.tasks 3 --eval.shots 4 --eval.features net --json
  cp "$scratch/out" "$scratch/eval.json"
  expect_equal "bounds by support images" "$(json "$scratch/eval.json" \
    '[len(d["per_step"]), all(s["loss"] > 0 for s in d["per_step"]), d["accuracy"]]')" "[5, true, null]"
  expect_equal quality "$(json "$scratch/eval.json" \
    '[(q["classes"], q["shots"], len(q["features_sha256"]), sorted(q["samples"]) == sorted(q["real"]) == sorted(q["copies"])) for q in d["quality"]]')" \
    "[[94, 4, 64, true]]"
  expect_equal "of every adaptation step" "$(json "$scratch/eval.json" \
    '[([s["step"] for s in q["steps"]], q["steps"][-1]["samples"] == q["samples"], 0 <= q["copying"]["membership"] <= 1) for q in d["quality"]]')" \
    "[[[0, 1, 2, 4], true, true]]"
  # Real images are the floor: nearer to real ones than what two steps make.
  expect_equal order "$(json "$scratch/eval.json" \
    '[q["real"]["kernel"] < q["samples"]["kernel"] and q["real"]["frechet"] < q["samples"]["frechet"] for q in d["quality"]]')" "[true]"
  refused 2 'eval\.features = nosuch: no config\.ini there' eval --run run --eval.features nosuch
  refused 2 'eval\.features = nosuch\.pt: cannot be read' eval --run run --eval.features nosuch.pt
  echo text >not.pt
  refused 2 'eval\.features = not\.pt: no TorchScript network' eval --run run --eval.features not.pt
  "$1" features.pt
  accepted eval --run run --eval.tasks 1 --eval.shots 4 --eval.features features.pt,net --json
  expect_equal "a user's network" "$(json "$scratch/out" \
    '[(q["features"], q["real"]["frechet"] < q["samples"]["frechet"]) for q in d["quality"]]')" \
    '[["features.pt", true], ["net", true]]'
  refused 2 'eval\.features = maml: learner maml has no features' eval --run run --eval.tasks 1 --eval.features maml
  refused 2 'eval\.features = net: learner.name = protonet makes no images' \
    eval --run net --eval.tasks 1 --eval.features net
  accepted "${tiny_net[@]}" --run.dir paper --learner.name protonet --data.invert true
  refused 2 'eval\.features = paper: it was trained with data\.invert = true; expected the same' \
    eval --run run --eval.tasks 1 --eval.features paper
  accepted "${tiny_net[@]}" --run.dir normed --learner.name protonet --learner.query_norm support
  refused 2 'eval\.features = normed: its network normalises by a task.s support images' \
    eval --run run --eval.tasks 1 --eval.features normed
  accepted "${tiny[@]}" --run.dir three --generator.random_shots false
  refused 2 'eval\.shots: 2 images of a class; the model was trained on 3, expected at least as many' \
    eval --run three --eval.tasks 1 --eval.shots 2 --eval.features net
  refused 2 '--eval\.features does not go with --study' \
    eval --run run --study augmentation --shots 5 --eval.features nosuch
  refused 2 '--eval\.features does not go with --across' \
    eval --run run --across test --eval.features=nosuch
  # No classes to tell apart.
  accepted eval --run run --across test --eval.tasks 2 --json
  expect_equal "bound across" "$(json "$scratch/out" \
    '[(r["accuracy"], r["loss"] > 0) for r in d["domains"]]')" "[[null, true]]"
  refused 2 '--study shots tells classes apart; run has learner.name = setvae' \
    eval --run run --study shots --shots 1
  accepted eval --run run --eval.shots 2 --eval.tasks 3 --save-task-list two.jsonl
  refused 2 '--task-list has a 1-way task with 2 support images, .* = 3 images' \
    eval --run run --task-list two.jsonl
}

# A learner whose samples are bent drawings.
deform() {
  # It has no code of a class: the default.
  local bent=("${tiny[@]}" --generator.code 64 --run.dir bent --learner.name deform)
  accepted "${bent[@]}" --generator.warm_up 1
  accepted generate --run bent --support images/class000 --count 5 --out a
  accepted eval --run bent --eval.tasks 2 --eval.shots 2 --json
  expect_equal "bounds by support images" "$(json "$scratch/out" 'len(d["per_step"])')" 3
  refused 2 'latent: learner\.name = deform .* draws no class from a code alone' \
    latent --run bent --out new
  refused 2 'generator\.from = bent: learner\.name = deform .* draws no class from a code alone' \
    "${tiny_net[@]}" --run.dir new --task.mix generated --generator.from bent
  accepted "${tiny_net[@]}" --run.dir images --task.mix generated --generator.from bent \
    --generator.rule image
  refused 2 'generator\.from = bent: it was trained with data\.invert = false' \
    "${tiny_net[@]}" --run.dir new --task.mix generated --generator.from bent \
    --generator.rule image --data.invert true
  refused 2 'task\.generated_shots = 2000000; expected 0 to 1000' \
    "${tiny_net[@]}" --run.dir new --task.generated_shots 2000000 --generator.from bent
  refused 2 'model\.norm = "layer" does nothing with learner\.name = deform' \
    "${bent[@]}" --run.dir new --model.norm layer
  refused 2 'generator\.spread = 0\.5 does nothing with generator\.rule = image' \
    "${tiny_net[@]}" --run.dir new --task.mix generated --generator.from bent \
    --generator.rule image --generator.spread 0.5
  refused 2 'generator\.tries = 2 does nothing with generator\.rule = image' \
    "${tiny_net[@]}" --run.dir new --task.mix generated --generator.from bent \
    --generator.rule image --generator.tries 2
  refused 2 'generator\.tries = 2 does nothing with task\.mix = real; expected .* generated in it' \
    "${tiny_net[@]}" --run.dir new --task.generated_shots 2 --generator.from bent --generator.tries 2
  accepted "${tiny_net[@]}" --run.dir shots --task.generated_shots 2 --generator.from bent
  refused 2 'generator\.warm_up = 1 does nothing with learner\.name = setvae' \
    "${tiny[@]}" --run.dir new --generator.warm_up 1
  refused 2 'generator\.meta = "reptile" does nothing with learner\.name = deform' \
    "${bent[@]}" --generator.meta reptile
}

# A classifier of few real images, and of others made from them.
augmentation() {
  accepted "${tiny[@]}" --run.dir run
  study() { accepted eval --run run --study augmentation --shots 5,15 --repeats 2 --steps 3 \
    --generated 4 --model.filters 2 --json "$@"; }
  study --csv rows.csv
  cp "$scratch/out" one.json
  expect_equal arms "$(json one.json '[(r["shots"], r["arm"]) for r in d["rows"]]')" \
    '[[5, "none"], [5, "copies"], [5, "classical"], [5, "generated"], [5, "both"], [5, "alone"], [5, "oracle"], [5, "ceiling"], [15, "none"], [15, "copies"], [15, "classical"], [15, "generated"], [15, "both"], [15, "alone"], [15, "oracle"], [15, "ceiling"]]'
  expect_equal "classes and what they are judged on" "$(json one.json \
    '[(r["classes"], r["test_images"], len(r["by_repeat"])) for r in d["rows"][::8]]')" \
    '[[94, 440, 2], [24, 120, 2]]'
  # Fifteen of twenty drawings are all that the test leaves.
  expect_equal "the oracle of 15 is 15" "$(json one.json 'd["rows"][8]["by_repeat"] == d["rows"][14]["by_repeat"]')" true
  expect_equal rows "$(wc -l <rows.csv)" 17
  study --comm.ranks 3
  cmp "$scratch/out" one.json || fail "3 ranks give other results"
  study --arms none,generated --shots 5 --temperature 2
  changed=$(json "$scratch/out" '[r["by_repeat"] for r in d["rows"]]')
  expect_equal "what is made of nothing" "${changed%%]*}" "$(json one.json '[d["rows"][0]["by_repeat"]]' | sed 's/].*//')"
  [ "$changed" != "$(json one.json '[d["rows"][i]["by_repeat"] for i in (0, 3)]')" ] ||
    fail "another temperature makes no difference"
  study --arms both,none
  expect_equal "arms asked for" \
    "$(json "$scratch/out" '[(r["arm"], r["by_repeat"]) for r in d["rows"]]')" \
    "$(json one.json '[(d["rows"][i]["arm"], d["rows"][i]["by_repeat"]) for i in (4, 0, 12, 8)]')"
  accepted "${tiny[@]}" --run.dir fixed --generator.random_shots false
  refused 2 '--shots: 1 image of a class; the model was trained on 3' \
    eval --run fixed --study augmentation --shots 1
  refused 2 '--arms "all"; expected some of: none, copies' \
    eval --run run --study augmentation --arms all
  refused 2 '--shots 30: 0 classes of eval.stream = test have so many images' \
    eval --run run --study augmentation --shots 30
  refused 2 '--generated 0; expected 1 or above' \
    eval --run run --study augmentation --generated 0
  refused 2 '--temperature -1; expected above 0' \
    eval --run run --study augmentation --temperature=-1
  refused 2 '--temperature = 2 does nothing with --arms that make no images' \
    eval --run run --study augmentation --arms none --temperature 2
  refused 2 '--arms: none stands there twice' eval --run run --study augmentation --arms none,none
  refused 2 '--generated 1000000: 94 classes .* do not fit in memory; expected at most [0-9]+$' \
    eval --run run --study augmentation --generated 1000000
  refused 1 '/proc/x\.csv\.tmp: cannot create' eval --run run --study augmentation --csv /proc/x.csv
  refused 2 '--repeats goes with --study augmentation' eval --run run --repeats 2
  refused 2 '--svg does not go with --study augmentation' \
    eval --run run --study augmentation --svg x.svg
  accepted "${tiny_net[@]}" --run.dir net --learner.name protonet
  refused 2 'learner.name = protonet makes no images' eval --run net --study augmentation
}

mix() {
  accepted "${tiny[@]}" --run.dir run
  train() { refused 2 "$1" "${tiny_net[@]}" --run.dir new "${@:2}"; }
  local mix
  for mix in unreal real=0 real=x real=inf real,real; do
    train "task\.mix = \"$mix\"; expected sources with weights" --task.mix "$mix"
  done
  train 'need generator\.from; expected the run' --task.mix generated
  train 'need generator\.from; expected the run' --task.generated_shots 2
  train 'generator\.from = "run" does nothing with task\.mix = real; expected .* task\.generated_shots above 0' \
    --generator.from run
  train 'generator\.from = nosuch: no config\.ini there' --task.mix generated --generator.from nosuch
  train 'generator\.rule = "x"; expected one of: class, n, ro, oc, image' \
    --task.mix generated --generator.from run --generator.rule x
  train "generator\.clusters = 1000000; expected 2, a task's classes, to" \
    --task.mix clustered --generator.from run --generator.clusters 1000000
  train "generator\.clusters = 4; expected 5, a task's classes, to" \
    --task.mix clustered --generator.from run --task.ways 5 --generator.clusters 4
  train 'generator\.clusters = 20 does nothing with task\.mix = generated; expected .* clustered in it' \
    --task.mix generated --generator.from run --generator.clusters 20
  train 'generator\.rule = "n" does nothing with task\.mix' \
    --task.mix clustered --generator.from run --generator.rule n
  train 'generator\.spread = 0\.1 does nothing with generator\.rule = class' \
    --task.mix generated --generator.from run --generator.spread 0.1
  accepted "${tiny[@]}" --run.dir blind --learner.name metagan --learner.inner_steps 1 \
    --generator.encoder false --generator.task_code false
  train 'generator\.separability = 0\.6 .*: learner\.name = metagan with generator\.encoder = false finds no' \
    --task.mix generated --generator.from blind
  train 'generator\.from = blind: .* finds no image.s code' --task.mix clustered --generator.from blind
  accepted "${tiny_net[@]}" --run.dir unjudged --task.mix generated --generator.from blind \
    --generator.separability 0 --generator.rule ro --generator.tries 2
  # A GAN that no bound trained has none to tell.
  accepted "${tiny[@]}" --run.dir plain --learner.name metagan --learner.inner_steps 0 \
    --generator.reconstruct none --eval.every 1 --eval.tasks 2
  accepted eval --run plain --eval.tasks 2 --eval.shots 2 --json
  expect_equal bound "$(json "$scratch/out" 'd["loss"]')" null
  accepted eval --run plain --eval.tasks 2 --eval.shots 2
  grep -q '^no loss: ' "$scratch/out" || fail "a loss is told"
  train 'generator\.refresh_steps = 5 does nothing with generator\.refresh = 0' --task.mix generated \
    --generator.from run --generator.refresh_steps 5
  accepted "${tiny_net[@]}" --run.dir other
  train 'learner.name = maml makes no images' --task.mix generated --generator.from other
  # Generated images as a class, and their weight.
  local shots=(--generator.from run --task.generated_shots 2)
  train 'task\.generated_as = "classes"; expected one of: shots, class' "${shots[@]}" \
    --task.generated_as classes
  train 'task\.generated_weight = 0; expected a value in \(0, 1\]' "${shots[@]}" \
    --task.generated_weight 0
  train 'task\.generated_queries = 1 does nothing with task\.generated_as = shots; expected its default, 0, or task\.generated_as = class' "${shots[@]}" \
    --task.generated_queries 1
  train 'task\.generated_as = "class" does nothing with task\.generated_shots = 0' \
    --task.generated_as class
  train 'learner\.name = snail takes tasks of one size alone; expected shots' "${shots[@]}" \
    --task.generated_as class --learner.name snail
  train 'learner\.name = mann .*knows no weights of support images; expected 1' "${shots[@]}" \
    --task.generated_weight 0.5 --learner.name mann
  accepted "${tiny_net[@]}" --run.dir class "${shots[@]}" --task.generated_as class \
    --task.generated_queries 1 --task.generated_weight 0.5 --task.interpolate 1
  accepted eval --run class --eval.tasks 2 --json
  expect_equal "classes and shots" "$(json "$scratch/out" '[d["ways"], d["shots"]]')" "[2, 1]"
  accepted "${tiny_net[@]}" --run.dir light "${shots[@]}" --task.generated_weight 0.5
  accepted eval --run light --eval.tasks 2 --json
  expect_equal shots "$(json "$scratch/out" '[d["shots"], d["generated_shots"]]')" "[1, 2]"
  # A list holds the tasks alone, for any run.
  accepted eval --run light --eval.tasks 4 --save-task-list light.jsonl --json
  cp "$scratch/out" light.json
  accepted eval --run light --task-list light.jsonl --json
  cmp "$scratch/out" light.json || fail "another result on the tasks of a list"
  # What evaluation has no use for may be gone.
  mv run gone
  accepted eval --run class --eval.tasks 4 --save-task-list class.jsonl
  mv gone run
  cmp light.jsonl class.jsonl || fail "generated shots are in the list"
  sed '2s/}$/,"latent":[0]}/' class.jsonl >bent.jsonl
  refused 2 'bent\.jsonl:2: "latent" is for computed tasks' eval --run class --task-list bent.jsonl
  accepted eval --run light --across test --eval.tasks 2 --json
  expect_equal "shots across" "$(json "$scratch/out" \
    '[[r["shots"], r["generated_shots"]] for r in d["domains"]]')" "[[1, 2]]"
  refused 2 '--study shots makes no generated shots' eval --run light --study shots --shots 1
  # A learner of generated tasks alone, with generated shots, is evaluated on
  # real ones.
  accepted "${tiny_net[@]}" --run.dir made --task.mix generated=2,augmented=1 --generator.from run \
    --task.generated_shots 3
  accepted eval --run made --eval.tasks 2 --json
  expect_equal shots "$(json "$scratch/out" '[d["shots"], d["generated_shots"]]')" "[1, 3]"
  # The discriminator's choice among several images.
  local tries
  accepted "${tiny[@]}" --run.dir gan --learner.name metagan --learner.inner_steps 0
  for tries in 1 2; do
    accepted "${tiny_net[@]}" --run.dir "tries$tries" --task.mix generated --generator.from gan \
      --generator.tries "$tries" --json
    json "$scratch/out" 'd["theta_sha256"]' >"theta$tries"
  done
  ! cmp -s theta1 theta2 || fail "two tries make the tasks of one"
  train 'generator\.tries = 2 chooses by a discriminator, and learner\.name = setvae has none' \
    --task.mix generated --generator.from run --generator.tries 2
  # Other weights are other tasks.
  cp -r run moved
  accepted train --run.dir made --resume auto --run.steps 3 --generator.from moved --run.quiet true
  accepted "${tiny[@]}" --run.dir changed --run.seed 1
  refused 2 'resume: data checksum' train --run.dir made --resume auto --run.steps 4 \
    --generator.from changed
}

"$@"
