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

"${1/export/export_}"
