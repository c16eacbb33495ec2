#!/usr/bin/env bash
# decisions.sh GROUP: what training decides, worked out again here from other output
# of the program.
support=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../support")
# shellcheck source=tests/support/cli.sh
source "$support/cli.sh"
# shellcheck source=tests/support/recomputed.sh
source "$support/recomputed.sh"

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

"$1"
