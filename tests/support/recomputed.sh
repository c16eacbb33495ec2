# For tests by value: what the program tells is worked out again from other output
# of it. Sourced, after cli.sh.

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
def interval95(values):
    n, t = len(values), {7: 2.4469, 9: 2.3060, 12: 2.2010, 17: 2.1199}  # Student, n - 1
    mean = sum(values) / n
    return t[n] * math.sqrt(sum((v - mean) ** 2 for v in values) / (n - 1) / n)
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
