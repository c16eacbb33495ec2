#!/usr/bin/env bash
# decisions.sh GROUP: what the program decides and what it tells, by value: worked
# out again here from other output of the program.
support=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../support")
# shellcheck source=tests/support/cli.sh
source "$support/cli.sh"

accepted() {
  row="$*"
  protean "$@"
  expect_code 0
}
# python FILE... <<PROGRAM: prints nothing when all is as it should be. It knows
# lines(run): of metrics.jsonl; validations(run): those of them; summary(run);
# steps(run): with a checkpoint; near(a, b).
python() {
  local program
  program=$(cat)
  python3 -c 'import csv, json, math, pathlib, re, sys
def lines(run):
    return [json.loads(l) for l in open(f"{run}/metrics.jsonl")]
def validations(run):
    return [l for l in lines(run) if "validation_loss" in l]
def summary(run):
    return json.load(open(f"{run}/summary.json"))
def steps(run):
    return sorted(int(p.name[5:]) for p in pathlib.Path(run, "checkpoints").glob("step-*"))
def near(a, b, tolerance=1e-9):
    return abs(a - b) <= tolerance * max(1, abs(a), abs(b))
def expect(what, got, expected):
    if got != expected and not (isinstance(got, float) and near(got, expected)):
        sys.exit(f"{what}: {got}; expected {expected}")
'"$program" "$@" >"$scratch/python" 2>&1 || {
    cat "$scratch/python" >>"$scratch/err"
    fail "$(tail -n 1 "$scratch/python")"
  }
}

# A learner of 5 ways whose validations go up and down; a waves' learner of values.
few=(train --run.threads 1 --task.ways 5 --task.shots 1 --task.queries 2 --task.meta_batch 4
  --model.filters 4 --learner.name protonet --optim.lr 0.02 --eval.every 1 --eval.tasks 12
  --checkpoint.every 0 --checkpoint.keep 1)
waves=(train --run.threads 1 --run.quiet true --data.source sinusoid --model.name mlp
  --model.hidden 8 --task.shots 5 --task.queries 5 --task.meta_batch 4 --learner.inner_steps 1
  --learner.inner_lr 0.01 --optim.lr 0.1 --eval.every 1 --eval.tasks 12 --checkpoint.every 0
  --checkpoint.keep 1)

# Validation is on the validation stream, and is told as it is.
validation() {
  accepted "${few[@]}" --run.dir run --run.steps 2 --eval.every 2
  cp "$scratch/err" told.txt
  local stream
  for stream in validation test; do
    accepted eval --run run --eval.stream $stream --json --per-task $stream.csv \
      --save-task-list $stream.jsonl
    cp "$scratch/out" $stream.json
  done
  python <<'PY'
v = validations("run")
expect("validations", [l["step"] for l in v], [2])
told = json.load(open("validation.json"))
for key, name in (("accuracy", "validation_accuracy"), ("loss", "validation_loss"), ("ci95", "validation_ci95")):
    expect(f"{name} beside that of eval", v[0][name], told[key])
    expect(f"summary's {key}", summary("run")["validation"][key], told[key])
if told["loss"] == json.load(open("test.json"))["loss"]:
    sys.exit("validation and test tasks are the same")
line = re.search(r"step 2: validation accuracy (\S+) % \+- (\S+)$", open("told.txt").read(), re.M)
expect("told accuracy", round(float(line[1]), 2), round(100 * told["accuracy"], 2))
expect("told interval", round(float(line[2]), 2), round(100 * told["ci95"], 2))
classes = {}
for number, name in ((1, "validation"), (2, "test")):
    tasks = [json.loads(l) for l in open(f"{name}.jsonl")][1:]
    expect(f"stream of {name} tasks", {t["stream"] for t in tasks}, {number})
    classes[name] = {c for t in tasks for c in t["classes"]}
    of_csv = {c for r in csv.DictReader(open(f"{name}.csv")) for c in r["classes"].split()}
    expect(f"classes of {name}", of_csv, classes[name])
if classes["validation"] & classes["test"]:
    sys.exit("a class is in validation and in test tasks")
PY
  # Of values: the loss and its interval.
  accepted "${waves[@]}" --run.quiet false --run.dir values --run.steps 2 --eval.every 2
  cp "$scratch/err" told.txt
  accepted eval --run values --eval.stream validation --json
  cp "$scratch/out" values.json
  python <<'PY'
v, told = validations("values")[0], json.load(open("values.json"))
expect("loss", v["validation_loss"], told["loss"])
expect("interval", v["validation_ci95"], told["ci95"])
line = re.search(r"step 2: validation loss (\S+) \+- (\S+)$", open("told.txt").read(), re.M)
for got, key in ((line[1], "loss"), (line[2], "ci95")):
    if not near(float(got), told[key], 1e-4):
        sys.exit(f"told {key} {got}; expected {told[key]}")
PY
  # A quiet run tells no step.
  accepted "${few[@]}" --run.dir quiet --run.steps 2 --run.quiet true
  ! grep -q 'validation accuracy\|loss' "$scratch/err" || fail "a quiet run tells its steps"
}

# Patience counts validations without a new best, over a stop too.
patience() {
  local words=("${few[@]}" --run.quiet true --eval.patience 4 --checkpoint.keep_best 3
    --run.log_every 1)
  accepted "${words[@]}" --run.dir whole --run.steps 60
  [ -e whole/DONE ] || fail "not done"
  python <<'PY'
best, without, end, placed = -1, 0, None, False
scores = [v["validation_accuracy"] for v in validations("whole")]
for step, score in enumerate(scores, 1):
    placed |= best > score > min(sorted(scores[:step - 1])[-3:], default=2)
    best, without = (score, 0) if score > best else (best, without + 1)
    if without == 4:
        end = step
        break
expect("last step", summary("whole")["steps"], end)
expect("validations", len(scores), end)
if not placed:
    sys.exit("no validation came second or third: the test shows less than it should")
open("end", "w").write(str(end))
PY
  local end
  end=$(cat end)
  # Two validations without gain, then the other two after a stop.
  accepted "${words[@]}" --run.dir stopped --run.steps $((end - 2))
  accepted "${words[@]}" --run.dir stopped --run.steps 60 --resume auto
  expect_equal "last step after a stop" "$(json stopped/summary.json 'd["steps"]')" "$end"
  # On three ranks, of which one alone reads the checkpoint.
  accepted "${words[@]}" --run.dir ranks --run.steps $((end - 2)) --comm.ranks 3 --comm.reduction exact
  accepted "${words[@]}" --run.dir ranks --run.steps 60 --comm.ranks 3 --comm.reduction exact --resume auto
  python <<'PY'
best, without = -1, 0
for v in validations("ranks"):
    best, without = (v["validation_accuracy"], 0) if v["validation_accuracy"] > best else (best, without + 1)
expect("validations without gain", without, 4)
expect("last step on ranks", summary("ranks")["steps"], validations("ranks")[-1]["step"])
PY
}

# eval.target_accuracy ends a run at the first validation that reaches it.
target() {
  accepted "${few[@]}" --run.quiet true --run.dir free --run.steps 12
  python <<'PY'
scores = [v["validation_accuracy"] for v in validations("free")]
# The last step that is better than all before it.
step = max(i for i in range(1, len(scores) + 1) if scores[i - 1] > max(scores[:i - 1], default=-1))
if step < 2:
    sys.exit("the first validation is the best: the test shows nothing")
open("target", "w").write(f"{scores[step - 1]!r} {step}")
PY
  local score step
  read -r score step <target || true
  accepted "${few[@]}" --run.quiet true --run.dir run --run.steps 12 --eval.target_accuracy "$score"
  expect_equal "last step" "$(json run/summary.json 'd["steps"]')" "$step"
  [ -e run/DONE ] || fail "not done"
}

# run.max_time ends a run as done; one that needs less time is not ended.
time_limit() {
  accepted "${few[@]}" --run.quiet true --eval.every 0 --run.dir run --run.steps 1000000 \
    --run.max_time 1.5
  python <<'PY'
s = summary("run")
if not 1.5 <= s["wall_s"] < 60 or not 0 < s["steps"] < 1000000:
    sys.exit(f"{s['steps']} steps in {s['wall_s']} s; expected those of 1.5 s")
expect("DONE", open("run/DONE").read(), f"step {s['steps']}\n")
expect("checkpoints", steps("run"), [s["steps"]])
PY
  accepted "${few[@]}" --run.quiet true --eval.every 0 --run.dir short --run.steps 3 --run.max_time 1000
  expect_equal "steps" "$(json short/summary.json 'd["steps"]')" 3
}

# Of values the lowest losses are the best; they are stored when they come.
best() {
  accepted "${waves[@]}" --run.dir run --run.steps 12 --checkpoint.keep_best 2
  python <<'PY'
losses = {v["step"]: v["validation_loss"] for v in validations("run")}
order = sorted(losses, key=lambda s: (losses[s], s))
expect("steps with a checkpoint", steps("run"), sorted({*order[:2], 12}))
expect("best step", summary("run")["best_validation"]["step"], order[0])
expect("its score", summary("run")["best_validation"]["score"], -losses[order[0]])
if order[0] == 12 or order[1] == 12:
    sys.exit("the last step is among the best: the test shows less than it should")
PY
}

# A rank whose parameters are not the others' is found at the next step. Its
# cosine is another: the rate of the schedule, and with it theta.
agreement() {
  echo 'double cos(double x) { return x < 1 ? 0.5 - x : 0.25; }' >cos.c
  "${CC:-cc}" -shared -fPIC -fno-builtin -o cos.so cos.c || {
    echo "skipped: no C compiler"
    exit 77
  }
  local words=(train --run.threads 1 --run.quiet true --task.ways 3 --task.shots 1 --task.queries 2
    --task.meta_batch 4 --model.filters 4 --learner.inner_steps 1 --eval.every 0
    --optim.schedule cosine --run.steps 4)
  two_ranks "$PROTEAN_BIN" "${words[@]}" --run.dir run : env LD_PRELOAD="$PWD/cos.so" \
    "$PROTEAN_BIN" "${words[@]}" --run.dir run
  row="one rank's theta is another"
  expect_code 1
  expect_error 'step 1: rank 1 holds other parameters than rank 0 \(hash [0-9]+ and [0-9]+\)'
  [ ! -e run/DONE ] || fail "done although the ranks disagreed"
  two_ranks "$PROTEAN_BIN" "${words[@]}" --run.dir both : "$PROTEAN_BIN" "${words[@]}" --run.dir both
  row="equal ranks"
  expect_code 0
}

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

# How a meta-batch is cut, and who owns what.
stacks() {
  cut() {  # EXPECTED WORDS...
    local expected=$1
    shift
    rm -rf cut
    accepted "${few[@]}" --run.quiet true --eval.every 0 --run.dir cut --run.steps 1 \
      --task.meta_batch 7 "$@"
    expect_equal "stacks and tasks by rank with ${*:-defaults}" \
      "$(json cut/summary.json '[d["stacks_per_step"], *d["tasks_by_rank"]]')" "$expected"
  }
  cut '[3, 7]' --task.stack 3
  cut '[7, 7]' --task.stack 1
  cut '[1, 7]' --task.stack 7
  cut '[1, 7]' --task.stack 0
  # 26,624 parameters: stacks of 4 without being told.
  cut '[2, 7]' --task.stack 0 --model.filters 31
  cut '[3, 3, 2, 2]' --task.stack 3 --comm.ranks 3
  cut '[7, 3, 2, 2]' --task.stack 1 --comm.ranks 3
  cut '[7, 0, 4, 3]' --task.stack 1 --comm.ranks 3 --coordinator.dedicated true
  # Seven tasks of many shapes: each its own stack or two, or all padded.
  local unequal=(--task.train_ways 2 --task.train_ways_max 5 --task.train_shots_max 4 --task.stack 4)
  cut '[2, 7]' "${unequal[@]}" --task.stack_overhead 1000000
  accepted "${few[@]}" --run.quiet true --eval.every 0 --run.dir apart --run.steps 1 \
    --task.meta_batch 7 "${unequal[@]}" --task.stack_overhead 0
  [ "$(json apart/summary.json 'd["stacks_per_step"]')" -gt 2 ] || fail "unequal tasks met unpadded"
  cut "$(json apart/summary.json '[d["stacks_per_step"], 7]')" "${unequal[@]}" --task.stack_overhead 1
}

# Whose value counts: the last flag, then the last file, then the stored run.
origins() {
  printf '[run]\nseed = 1\nsteps = 11\nlog_every = 21\n' >first.ini
  printf '[run]\nseed = 2\nsteps = 12\n' >second.ini
  local files=(--config first.ini --config second.ini)
  is() {  # EXPECTED [seed, steps, log_every], WORDS...
    local expected=$1
    shift
    accepted config --json "$@"
    expect_equal "seed, steps, log_every of $*" \
      "$(json "$scratch/out" '[int(d["run." + k]) for k in ("seed", "steps", "log_every")]')" "$expected"
  }
  is '[2, 12, 21]' "${files[@]}"
  is '[1, 11, 21]' --config second.ini --config first.ini
  is '[3, 12, 21]' --run.seed 3 "${files[@]}"
  is '[3, 12, 21]' "${files[@]}" --run.seed 3
  is '[4, 12, 21]' --run.seed 3 "${files[@]}" --run.seed 4
  accepted "${few[@]}" --run.quiet true --eval.every 0 --run.dir run --config first.ini --run.steps 1
  accepted "${few[@]}" --run.quiet true --eval.every 0 --run.dir run --run.steps 2 --resume auto
  expect_equal "a resumed run's own seed" "$(json run/summary.json '[d["seed"], d["steps"]]')" '[1, 2]'

  # Each of these keys sets its own value and no other: what was set reads back,
  # and again from what that prints.
  accepted config --json
  cp "$scratch/out" defaults.json
  python <<'PY'
keys = """run.seed run.steps run.threads run.max_time run.log_every data.prefetch task.ways task.shots
task.queries task.meta_batch task.stack learner.inner_steps learner.inner_lr optim.lr optim.beta1
optim.beta2 optim.eps optim.weight_decay optim.clip_norm comm.timeout_s comm.init_timeout_s comm.grace_s
coordinator.heartbeat_s coordinator.warn_s coordinator.silence_s coordinator.progress_s checkpoint.every
checkpoint.every_s checkpoint.keep checkpoint.keep_best checkpoint.keep_every checkpoint.wait_s
checkpoint.grace_s eval.every eval.tasks eval.ways eval.shots eval.queries eval.patience""".split()
defaults = json.load(open("defaults.json"))
moved = {}
for i, key in enumerate(keys):
    whole = re.fullmatch(r"\d+", defaults[key])
    small = key in ("optim.weight_decay", "optim.clip_norm")
    moved[key] = (repr(0.01 + 0.001 * i) if small else str(int(defaults[key]) + 1 + i % 3) if whole
                  else repr(round(float(defaults[key]) * (0.9 - 0.005 * i), 12)))
sections = {}
for key, value in moved.items():
    sections.setdefault(key.split(".")[0], []).append(f"{key.split('.')[1]} = {value}")
open("moved.ini", "w").write("".join(f"[{name}]\n" + "\n".join(rows) + "\n" for name, rows in sections.items()))
json.dump(moved, open("moved.json", "w"))
PY
  accepted config --config moved.ini
  cp "$scratch/out" printed.ini
  local file
  for file in moved.ini printed.ini; do
    accepted config --config $file --json
    cp "$scratch/out" got.json
    python <<'PY'
got, moved, was = (json.load(open(f)) for f in ("got.json", "moved.json", "defaults.json"))
for key, value in got.items():
    wanted = moved.get(key, was[key])
    if value != wanted and not (re.search(r"\d", wanted) and near(float(value), float(wanted))):
        sys.exit(f"{key} = {value}; expected {wanted}")
PY
  done
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
interval = 1.96 * math.sqrt(sum((x - mean) ** 2 for x in a) / 17) / math.sqrt(17)
got = json.load(open("told.json"))
line, after = open("told.txt").read().splitlines()
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
  # Values: squared errors of the targets that are known.
  accepted "${waves[@]}" --run.dir values --run.steps 2 --eval.every 0
  printf '1,0.5\n2,-1\n-3,0.1\n' >support.csv
  printf '0.5,1\n-2,2\n1,-3\n' >query.csv
  accepted adapt --run values --support support.csv --query query.csv --out out.csv
  cp "$scratch/out" told.txt
  python <<'PY'
targets = [1, 2, -3]
got = [float(r["prediction_1"]) for r in csv.DictReader(open("out.csv"))]
error = sum((a - b) ** 2 for a, b in zip(got, targets)) / 3
told = open("told.txt").read().splitlines()
for line, number, value in zip(told, (1, 2, 3), got):
    expect("prediction", line, f"line {number}: {value:.6g}")
expect("squared error", told[3].split("squared error ")[1], f"{error:.4g}")
PY
  accepted eval --run values --eval.tasks 12 --per-task tasks.csv
  cp "$scratch/out" told.txt
  python <<'PY'
losses = sorted(float(r["loss"]) for r in csv.DictReader(open("tasks.csv")))
mean = sum(losses) / 12
interval = 1.96 * math.sqrt(sum((x - mean) ** 2 for x in losses) / 12) / math.sqrt(12)
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
interval = 1.96 * math.sqrt(sum((x - mean) ** 2 for x in bits) / 7) / math.sqrt(7)
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
interval = 1.96 * math.sqrt(sum((x - mean) ** 2 for x in returns) / 9) / 3
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
