#!/usr/bin/env bash
# toolbox.sh GROUP: what other programs read of a run.
support=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../support")
# shellcheck source=tests/support/cli.sh
source "$support/cli.sh"
words=(train --run.threads 1 --run.log_every 1 --run.steps 4 --eval.every 2 --eval.tasks 3
  --run.quiet true --task.ways 2 --task.shots 1 --task.queries 1 --task.meta_batch 4
  --task.stack 1 --model.filters 2 --learner.inner_steps 1)

report() {
  row=report
  protean "${words[@]}" --run.dir a
  expect_code 0
  protean "${words[@]}" --run.dir b --run.seed 1
  expect_code 0
  protean report a b --out page.html
  expect_code 0
  local hash
  hash=$(json b/summary.json 'd["theta_sha256"]' | tr -d '"')
  grep -Fq "$hash" page.html || fail "the hash of b is not in the page"
  grep -Fq '>run.seed<' page.html || fail "the key that differs is not in the page"
  row="bad input"
  protean report --out page.html
  expect_code 2
  expect_line 'report: no run is named'
  protean report nowhere --out other.html
  expect_code 2
  expect_line 'report nowhere: no config.ini there'
  [ ! -e other.html ] || fail "a page was written all the same"
  protean report a
  expect_code 2
  expect_line '[-][-]out is not set'
}

export_() {
  row=export
  protean "${words[@]}" --run.dir a
  expect_code 0
  protean export a out --license mit
  expect_code 0
  cmp a/checkpoints/step-4/model.safetensors out/model.safetensors || fail "other weights"
  expect_equal "its hash" "$(json out/config.json 'd["theta_sha256"]')" \
    "$(json a/summary.json 'd["theta_sha256"]')"
  grep -q '^license: mit$' out/README.md || fail "no licence in the card"
  row="bad input"
  protean export a out
  expect_code 2
  expect_line 'export out: exists; expected a new folder'
  protean export a
  expect_code 2
  expect_line 'export takes a run.s folder and a new folder, got 1'
  mkdir empty
  protean export empty other
  expect_code 2
  [ ! -e other ] || fail "a folder was made all the same"
}

# Read back by the real package, also after a kill: what was logged beyond the
# checkpoint is made again, and shown once.
tensorboard() {
  export PYTHONPATH=${PROTEAN_TEST_SITE:-}
  python3 -c 'import tensorboard' 2>/dev/null || {
    echo "skipped: python3 has no package tensorboard (PROTEAN_TEST_SITE names a folder of it)"
    exit 77
  }
  row=TensorBoard
  PROTEAN_FAULT=trainer.step:kill:4 protean "${words[@]}" --run.dir a --run.tensorboard true \
    --checkpoint.every 2
  expect_code 137
  sleep 1 # files are told apart by their second
  protean train --run.dir a --resume auto
  expect_code 0
  python3 - a <<'END' || fail "TensorBoard reads something else"
import json, math, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
run = sys.argv[1]
seen = EventAccumulator(run, size_guidance={"scalars": 0})
seen.Reload()
lines = [json.loads(line) for line in open(run + "/metrics.jsonl")]
for key in ("loss", "accuracy", "grad_norm", "validation_accuracy"):
    want = [(l["step"], l[key]) for l in lines if key in l]
    got = [(e.step, e.value) for e in seen.Scalars(key)]
    assert len(want) >= 2 and len(got) == len(want), (key, got, want)
    for (a, x), (b, y) in zip(got, want):
        assert a == b and math.isclose(x, y, rel_tol=1e-6), (key, got, want)
text = seen.Tensors("config.ini")[0].tensor_proto.string_val[0].decode()
assert "    ways = 2" in text, text
END
}

# The file of tasks, against the images that they are of.
tasks() {
  export PYTHONPATH=${PROTEAN_TEST_SITE:-}
  python3 -c 'import numpy, PIL' 2>/dev/null || {
    echo "skipped: python3 has no packages numpy and PIL (PROTEAN_TEST_SITE names a folder of them)"
    exit 77
  }
  python3 "$support/make_images.py" images 12 6 5
  local from=(tasks --data.source folder --data.path images --data.split random
    --data.split_validation 0.25 --data.split_test 0.25 --task.shots 2 --task.queries 2
    --task.meta_batch 4)
  row="equal tasks"
  protean "${from[@]}" --task.ways 3 --count 9 --out all.npz
  expect_code 0
  protean "${from[@]}" --task.ways 3 --count 9 --out ranks.npz --comm.ranks 3 --task.stack 1
  expect_code 0
  cmp all.npz ranks.npz || fail "other bytes on three ranks"
  protean "${from[@]}" --task.ways 3 --count 3 --first-step 1 --out later.npz
  expect_code 0
  protean "${from[@]}" --task.ways 3 --eval.tasks 5 --stream test --count 5 --out test.npz
  expect_code 0
  row="unequal tasks"
  protean "${from[@]}" --task.ways 3 --task.train_ways 2 --task.train_ways_max 4 --count 12 --out unequal.npz
  expect_code 0
  protean "${from[@]}" --task.ways 3 --task.train_ways 2 --task.train_ways_max 4 --count 12 \
    --out apart.npz --task.stack_overhead 0
  expect_code 0
  cmp unequal.npz apart.npz || fail "other bytes where tasks of one size alone meet"
  row=values
  protean tasks --data.source sinusoid --model.name mlp --task.shots 5 --task.queries 7 \
    --task.meta_batch 2 --count 3 --out sine.npz
  expect_code 0
  python3 - <<'END' || fail "the tasks are others"
import pathlib
import numpy as np
from PIL import Image

files = {np.asarray(Image.open(p), np.float32).tobytes(): p for p in pathlib.Path("images").glob("*/*")}
assert len(files) == 72

def check(x, y, weight, seen, classes):
    for image, label, w in zip(x, y, weight):
        if w == 0:
            assert not image.any() and label == 0
            continue
        path = files[np.round(image[0] * 255).astype(np.float32).tobytes()]
        assert path not in seen, "an image twice in a task"
        seen.add(path)
        assert classes.setdefault(int(label), path.parent) == path.parent, "a label of two classes"

def load(name):
    d = np.load(name)
    n = len(d["step"])
    used = set()
    for t in range(n):
        seen, classes = set(), {}
        for part in ("support", "query"):
            x, y = d[part + "_x"][t], d[part + "_y"][t]
            weight = d[part + "_weight"][t] if part + "_weight" in d else np.ones(len(y))
            check(x, y, weight, seen, classes)
        assert len(set(classes.values())) == len(classes) and set(classes) == set(range(len(classes)))
        used.update(classes.values())
        yield len(classes), len(seen)
    load.used = used

assert list(load("all.npz")) == [(3, 12)] * 9
train = load.used
assert len(train) == 6
assert list(load("test.npz")) == [(3, 12)] * 5
assert len(load.used) == 3 and not load.used & train
sizes = list(load("unequal.npz"))
assert {w for w, _ in sizes} == {2, 3, 4} and all(n == 4 * w for w, n in sizes)
a, b = np.load("all.npz"), np.load("later.npz")
assert a["step"].tolist() == [0] * 4 + [1] * 4 + [2] and a["index"].tolist() == [0, 1, 2, 3, 0, 1, 2, 3, 0]
assert a["support_x"].shape == (9, 6, 1, 28, 28) and "support_weight" not in a
for key in a:
    assert (a[key][4:7] == b[key]).all(), key
s = np.load("sine.npz")
assert s["query_x"].shape == (3, 7, 1) and s["query_y"].shape == (3, 7, 1) and s["query_y"].dtype == np.float32
# One sinusoid through both parts: y = A sin(x + b), linear in sin x and cos x.
for t in range(3):
    x = np.concatenate([s["support_x"][t], s["query_x"][t]])[:, 0].astype(float)
    y = np.concatenate([s["support_y"][t], s["query_y"][t]])[:, 0]
    basis = np.stack([np.sin(x), np.cos(x)], 1)
    fit, *_ = np.linalg.lstsq(basis, y, rcond=None)
    assert np.abs(basis @ fit - y).max() < 1e-4
END
  row="bad input"
  protean "${from[@]}" --task.ways 3 --count 0 --out none.npz
  expect_code 2
  expect_line '[-][-]count 0; expected at least 1'
  protean "${from[@]}" --task.ways 3 --count 1 --out none.npz --format hdf
  expect_code 2
  expect_line '[-][-]format hdf; expected npz'
  protean "${from[@]}" --task.ways 3 --out none.npz
  expect_code 2
  expect_line '[-][-]count is not set; expected a number of tasks'
  protean "${from[@]}" --task.ways 3 --count 1 --out nowhere/none.npz
  expect_code 2
  expect_line 'nowhere/none.npz'
  protean tasks --data.source point --learner.name promp --model.name mlp --count 1 --out none.npz
  expect_code 2
  expect_line 'data.source = point is acted in; expected tasks of examples'
  [ ! -e none.npz ] || fail "a file was written all the same"
}

"${1/export/export_}"
