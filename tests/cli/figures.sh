#!/usr/bin/env bash
# figures.sh GROUP: the numbers that are printed and stored, worked out again here from
# other output of the program.
support=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../support")
# shellcheck source=tests/support/cli.sh
source "$support/cli.sh"
# shellcheck source=tests/support/recomputed.sh
source "$support/recomputed.sh"

# The numbers of metrics.jsonl and summary.json.
figures() {
  local words=("${few[@]}" --run.quiet true --eval.every 0 --task.meta_batch 6 --task.stack 2)
  accepted "${words[@]}" --run.dir run --run.steps 5 --run.log_every 2
  accepted "${words[@]}" --run.dir run --run.steps 7 --run.log_every 2 --resume auto
  cat >parts.py <<'PY'
# Parameters of a checkpoint, flat float32, in the order of its layout.
import array, hashlib, struct
def tensors(path):
    raw = open(path, "rb").read()
    n = struct.unpack("<Q", raw[:8])[0]
    head = json.loads(raw[8:8 + n])
    return {k: raw[8 + n + v["data_offsets"][0]:8 + n + v["data_offsets"][1]]
            for k, v in head.items() if k != "__metadata__"}
def checkpoint(run, step):
    folder = f"{run}/checkpoints/step-{step}"
    state = json.load(open(f"{folder}/state.json"))
    model, rest = tensors(f"{folder}/model.safetensors"), tensors(f"{folder}/optimizer.safetensors")
    theta = b"".join(model[p["name"]] for p in state["theta"])
    meta = b"".join(model["state/" + p["name"]] for p in state["state"])
    buffers = b"".join(rest[f"{b}/{p['name']}"] for b in state["optimiser"] for p in state["theta"])
    return state, theta, meta + buffers
PY
  python <<'PY'
exec(open("parts.py").read())
state, theta, rest = checkpoint("run", 7)
s = summary("run")
expect("theta_sha256", hashlib.sha256(theta).hexdigest(), s["theta_sha256"])
expect("state_sha256", hashlib.sha256(rest).hexdigest(), s["state_sha256"])
# Every second one, and the last of each stretch.
expect("steps with metrics", [l["step"] for l in lines("run")], [2, 4, 5, 6, 7])
values = array.array("f", theta)
expect("theta_norm", lines("run")[-1]["theta_norm"], math.sqrt(sum(v * v for v in values)))
expect("tasks_seen", s["tasks_seen"], 7 * 6)
expect("updates of the optimiser", state["optimiser_updates"], 7)
expect("resumed_from", s["resumed_from"], 5)
expect("tasks_per_s", s["tasks_per_s"], 7 * 6 / s["wall_s"])
expect("tasks_by_rank", [s["tasks_by_rank"], s["stacks_per_step"], s["ranks"]], [[6], 3, 1])
PY
  # What a step was like does not depend on who computed what.
  local ranks stack
  for ranks in 1 3; do
    for stack in 1 2 6; do
      accepted "${words[@]}" --run.dir "by-$ranks-$stack" --run.steps 3 --run.log_every 1 \
        --comm.ranks $ranks --task.stack $stack
    done
  done
  python <<'PY'
first = lines("by-1-1")
if {l["worst_task"] for l in first} <= {0, 1}:
    sys.exit("the worst tasks are the first ones: the test shows less than it should")
for run in ("by-1-2", "by-1-6", "by-3-1", "by-3-2", "by-3-6"):
    for a, b in zip(first, lines(run), strict=True):
        for key in ("loss", "accuracy", "worst_loss", "grad_norm", "theta_norm"):
            if not near(a[key], b[key], 1e-4):
                sys.exit(f"{run}, step {a['step']}: {key} {b[key]}; expected {a[key]}")
        expect(f"{run}: worst task", b["worst_task"], a["worst_task"])
        if not b["loss"] < b["worst_loss"] or not 0 <= b["accuracy"] <= 1:
            sys.exit(f"{run}: loss {b['loss']}, worst {b['worst_loss']}, accuracy {b['accuracy']}")
        if not 1 <= b["imbalance"] <= 3.001:
            sys.exit(f"{run}: imbalance {b['imbalance']}; expected 1 to 3")
# One rank of three has all the work.
for l in lines("by-3-6"):
    expect("imbalance", round(l["imbalance"], 1), 3.0)
PY
}

# What eval and adapt print are the numbers that they store.
printed() {
  python3 "$support/make_images.py" images 24 6 1
  accepted pack --in images --out sound.pack
  accepted train --run.dir run --data.source pack --data.path sound.pack --data.split random \
    --data.split_validation 0.2 --data.split_test 0.5 --run.steps 3 --run.quiet true \
    --model.filters 4 --task.ways 3 --task.shots 1 --task.queries 2 --task.meta_batch 2 \
    --learner.inner_steps 2 --eval.every 0
  accepted eval --run run --eval.tasks 17 --per-task tasks.csv
  cp "$scratch/out" told.txt
  accepted eval --run run --eval.tasks 17 --json --per-task tasks.json
  cp "$scratch/out" told.json
  python <<'PY'
rows = list(csv.DictReader(open("tasks.csv")))
a = [float(r["accuracy"]) for r in rows]
mean = sum(a) / 17
interval = interval95(a)
got = json.load(open("told.json"))
line, after, alone = open("told.txt").read().splitlines()
told = re.match(r"accuracy (\S+) % \+- (\S+) \(95 % interval over 17 tasks\), 3-way 1-shot, 2 queries "
                r"per class, transductive, calibration error (\S+) %$", line)
for what, number, value in (("accuracy", told[1], mean), ("interval", told[2], interval),
                            ("calibration error", told[3], got["ece"])):
    expect(what, number, f"{100 * value:.2f}")
expect("stored", [got["accuracy"], got["ci95"]] == [mean, interval] or near(got["ci95"], interval), True)
by_step = [sum(float(r[f"accuracy_{k}"]) for r in rows) / 17 for k in range(3)]
if len({f"{x:.2f}" for x in by_step}) < 2:
    sys.exit("adaptation changes nothing: the test shows less than it should")
expect("each step", after, "after each step of adaptation:" + "".join(f" {100 * x:.2f} %" for x in by_step))
inductive = got["inductive"]
expect("by moments of the support set", re.search(r": (\S+) % \+- (\S+)$", alone).groups(),
       tuple(f"{100 * inductive[key]:.2f}" for key in ("accuracy", "ci95")))
losses = sorted(float(r["loss"]) for r in rows)
expect("loss", got["loss"], sum(losses) / 17)
expect("median", got["loss_median"], losses[8])
for r, t in zip(rows, json.load(open("tasks.json")), strict=True):
    expect("a task's accuracy", [float(r["accuracy"]), float(r["accuracy_2"])], [t["accuracy"]] * 2)
    expect("a task's accuracies", [float(r[f"accuracy_{k}"]) for k in range(3)], t["accuracy_per_step"])
    expect("a task's loss", [float(r["loss"]), float(r["loss_2"])], [t["loss"]] * 2)
    expect("a task's losses", [float(r[f"loss_{k}"]) for k in range(3)], t["loss_per_step"])
if all(r["loss"] == r["loss_0"] or r["accuracy"] == r["accuracy_0"] for r in rows):
    sys.exit("no task is adapted")
PY
  # Of a user's images.
  python3 "$support/make_images.py" mine 3 4 7
  mkdir -p asked/class000 asked/class001
  mv mine/class000/003.png asked/class000/a.png
  mv mine/class001/003.png asked/class001/b.png
  mv mine/class002/003.png asked/c.png
  accepted adapt --run run --support mine --query asked --out out.csv
  cp "$scratch/out" told.txt
  accepted adapt --run run --support mine --query asked --json
  cp "$scratch/out" told.json
  python <<'PY'
d = json.load(open("told.json"))
told = open("told.txt").read().splitlines()
rows = list(csv.DictReader(open("out.csv")))
expect("files", [r["file"] for r in rows], ["c.png", "class000/a.png", "class001/b.png"])
right = 0
for line, r, p in zip(told, rows, d["predictions"]):
    of = {c: float(r[c]) for c in d["classes"]}
    best = max(of, key=of.get)
    expect("probabilities", of, p["probabilities"])
    expect("choice", [r["class"], p["class"], float(r["probability"]), p["probability"]],
           [best, best, of[best], of[best]])
    expect("told", line, f"{r['file']}: {best} ({100 * of[best]:.1f} %)")
    right += r["file"].startswith(best)
expect("accuracy of the two that have a label", d["accuracy"], right / 2)
expect("told", told[3].split("accuracy ")[1], f"{100 * right / 2:.2f} %")
PY
  # Values: errors of the targets that are known.
  accepted "${waves[@]}" --run.dir values --run.steps 2 --eval.every 0
  printf '1,0.5\n2,-1\n-3,0.1\n' >support.csv
  printf '0.5,1\n-2,2\n1,-3\n' >query.csv
  accepted adapt --run values --support support.csv --query query.csv --out out.csv
  cp "$scratch/out" told.txt
  python <<'PY'
targets = [1, 2, -3]
got = [float(r["prediction_1"]) for r in csv.DictReader(open("out.csv"))]
off = [a - b for a, b in zip(got, targets)]
squares = sum(o * o for o in off)
told = open("told.txt").read().splitlines()
for line, number, value in zip(told, (1, 2, 3), got):
    expect("prediction", line, f"line {number}: {value:.6g}")
r2 = 1 - squares / sum(t * t for t in targets)  # their mean is 0
expect("errors", told[4], f"target 1: RMSE {math.sqrt(squares / 3):.4g}, MAE {sum(map(abs, off)) / 3:.4g}, "
       f"R2 {r2:.4g} over 3 rows")
PY
  accepted eval --run values --eval.tasks 12 --per-task tasks.csv
  cp "$scratch/out" told.txt
  python <<'PY'
losses = sorted(float(r["loss"]) for r in csv.DictReader(open("tasks.csv")))
mean = sum(losses) / 12
interval = interval95(losses)
expect("told", open("told.txt").read().splitlines()[0],
       f"loss {mean:.4f} +- {interval:.4f} (median {losses[6]:.4f}) over 12 tasks")
PY
}

# Text is told in bits, a policy by its return.
other_units() {
  accepted train --run.dir text --data.source text --data.split stored --model.name transformer \
    --model.width 16 --model.layers 1 --run.steps 3 --run.quiet true --task.shots 4 \
    --task.queries 3 --data.length 16 --learner.inner_steps 1 --learner.inner_lr 0.2 \
    --task.meta_batch 2 --eval.every 0
  accepted eval --run text --eval.tasks 7 --per-task tasks.csv
  cp "$scratch/out" told.txt
  accepted eval --run text --eval.tasks 7 --json
  cp "$scratch/out" told.json
  python <<'PY'
rows = list(csv.DictReader(open("tasks.csv")))
bits = [float(r["loss"]) / math.log(2) for r in rows]
mean = sum(bits) / 7
before = sum(float(r["loss_0"]) for r in rows) / 7 / math.log(2)
interval = interval95(bits)
d = json.load(open("told.json"))
expect("bits", d["bits_per_character"], mean)
expect("bits before", d["bits_per_character_before"], before)
expect("told", open("told.txt").read().splitlines()[0],
       f"{mean:.4f} bits per character +- {interval:.4f} (95 % interval over 7 tasks), "
       f"{before:.4f} before adaptation, from 4 pieces of 16 characters")
PY
  local text=$support/../../configs/text/languages/test/language20.txt
  head -n 6 "$text" >few.txt
  tail -n 6 "$text" >rest.txt
  accepted adapt --run text --support few.txt --query rest.txt --json
  cp "$scratch/out" told.json
  # An untrained guess of 68 characters takes log2(68) = 6.1 bits and not much
  # more; 6.1 nats would be 8.8.
  python <<'PY'
d = json.load(open("told.json"))
before, after = d["bits_per_character_before"], d["bits_per_character"]
if not 5.2 < before < 7 or after == before:
    sys.exit(f"{before} and {after} bits; expected about 6.1, and another value after adaptation")
PY
  accepted train --config "$support/../../configs/bandit/promp.ini" --run.dir run --run.quiet true \
    --run.steps 2 --task.meta_batch 4 --task.shots 4 --task.queries 4 --eval.every 0 --run.log_every 1
  accepted eval --run run --eval.tasks 9 --per-task tasks.csv
  cp "$scratch/out" told.txt
  accepted eval --run run --eval.tasks 9 --json
  cp "$scratch/out" told.json
  python <<'PY'
returns = [-float(r["loss"]) for r in csv.DictReader(open("tasks.csv"))]
mean = sum(returns) / 9
interval = interval95(returns)
d = json.load(open("told.json"))
expect("return", [round(d["return"], 9), round(d["per_step"][-1]["return_ci95"], 9)],
       [round(mean, 9), round(interval, 9)])
if not 0 < mean <= 10:
    sys.exit(f"return {mean}: ten pulls pay 0 to 10")
expect("told", open("told.txt").read().splitlines()[0],
       f"return {mean:.4f} +- {interval:.4f} (95 % interval over 9 tasks), adapted by 4 rollouts per step, judged by 4 others")
for l in lines("run"):
    if not 0 < l["return"] <= 10:
        sys.exit(f"return {l['return']} in metrics: ten pulls pay 0 to 10")
PY
}

# Rows of --across and --study: printed, in JSON, in CSV and drawn alike.
studies() {
  local data=(--data.source omniglot --data.split background)
  accepted "${few[@]}" --run.quiet true --eval.every 0 --run.dir all --run.steps 2
  accepted "${few[@]}" --run.quiet true --eval.every 0 --run.dir some --run.steps 2 --data.train_groups 4
  accepted eval --run all,some --study alphabets --eval.tasks 9 --json --csv rows.csv --svg rows.svg
  cp "$scratch/out" rows.json
  accepted eval --run all,some --study alphabets --eval.tasks 9
  cp "$scratch/out" told.txt
  accepted eval --run all --eval.tasks 9 --eval.stream validation --json
  cp "$scratch/out" validation.json
  python <<'PY'
d = json.load(open("rows.json"))
rows = list(csv.DictReader(open("rows.csv")))
expect("training alphabets", [float(r["alphabets"]) for r in rows][0], 4.0)
expect("smallest first", [r["name"] for r in rows], ["some", "all"])
points = [tuple(map(float, m)) for m in re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', open("rows.svg").read())]
bars = [tuple(map(float, m)) for m in re.findall(
    r'<line x1="([\d.]+)" y1="([\d.]+)" x2="[\d.]+" y2="([\d.]+)" stroke="#[0-9A-F]+" stroke-width="1.5"', open("rows.svg").read())]
shown = [(float(r[f"{part}_accuracy"]), float(r[f"{part}_ci95"])) for part in ("test", "train") for r in rows]
expect("points", len(points), 4)
# A straight line from accuracy to height; the bars by the same scale.
(a, _), (b, _) = min(shown), max(shown)
ya, yb = points[shown.index(min(shown))][1], points[shown.index(max(shown))][1]
scale = (ya - yb) / (b - a)
for (x, y), (_, low, high), (value, ci) in zip(points, bars, shown, strict=True):
    if abs(ya - y - scale * (value - a)) > 0.3 or abs(low - y - scale * ci) > 0.3 or abs(y - high - scale * ci) > 0.3:
        sys.exit(f"point {x}, {y} with bar {low} to {high}; expected {value} +- {ci}")
for line, r, j in zip(open("told.txt"), rows, d["rows"], strict=True):
    test, train = float(r["test_accuracy"]), float(r["train_accuracy"])
    expect("JSON", [j["test"]["accuracy"], j["test"]["ci95"], j["train"]["accuracy"], j["train"]["ci95"], j["name"], j["x"]],
           [test, float(r["test_ci95"]), train, float(r["train_ci95"]), r["name"], float(r["alphabets"])])
    expect("gap", float(r["gap"]), train - test)
    expect("gap", j["gap"], train - test)
    if train == json.load(open("validation.json"))["accuracy"] or train == test:
        sys.exit("training accuracy is that of other classes")
    expect("told", line.strip(), f"alphabets {float(r['alphabets']):g} ({r['name']}): {100 * test:.2f} % +- "
           f"{100 * float(r['test_ci95']):.2f} held out, {100 * train:.2f} % +- {100 * float(r['train_ci95']):.2f} "
           f"on training classes, gap {100 * (train - test):.2f}")
PY
  accepted eval --run all --study shots --eval.tasks 4 --json
  expect_equal "usual shots" "$(json "$scratch/out" '[[r["x"], r["test"]["shots"]] for r in d["rows"]]')" \
    '[[1.0, 1], [2.0, 2], [3.0, 3], [5.0, 5], [10.0, 10]]'
  # Turned tasks are turned, inverted ones inverted: other losses on the same classes.
  accepted eval --run all --across test,rotated,inverted,alphabets --eval.tasks 9 --json --csv across.csv
  cp "$scratch/out" across.json
  accepted eval --run all --across test,rotated --eval.tasks 9
  cp "$scratch/out" told.txt
  python <<'PY'
d = json.load(open("across.json"))["domains"]
rows = list(csv.DictReader(open("across.csv")))
for j, r in zip(d, rows, strict=True):
    expect("row", [r["domain"], float(r["accuracy"]), float(r["ci95"]), float(r["loss"]), float(r["ece"])],
           [j["domain"], j["accuracy"], j["ci95"], j["loss"], j["ece"]])
    expect("counts", [int(r[k]) for k in ("ways", "shots", "queries", "tasks")], [5, 1, 2, 9])
if len({r["loss"] for r in rows[:3]}) != 3:
    sys.exit("test, rotated and inverted give equal losses")
for line, r in zip(open("told.txt"), rows):
    if not line.startswith(f"{r['domain']}: accuracy {100 * float(r['accuracy']):.2f} % +- {100 * float(r['ci95']):.2f} ("):
        sys.exit(f"told: {line}expected {r}")
PY
}

"$1"
