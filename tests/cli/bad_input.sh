#!/usr/bin/env bash
# bad_input.sh GROUP: what a user can get wrong ends with the promised exit
# code, one error line that names what is wrong, and nothing changed on disk.
support=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../support")
# shellcheck source=tests/support/cli.sh
source "$support/cli.sh"
cp "$support/../../configs/omniglot/background.pack" sound.pack

# A run of a fraction of a second, if nothing were wrong with it.
tiny=(--data.path sound.pack --run.steps 2 --run.quiet true
  --model.filters 2 --task.ways 2 --task.shots 1 --task.queries 1
  --task.meta_batch 2 --learner.inner_steps 1 --eval.every 0)

# refused CODE REGEX WORDS...: protean with these words ends with CODE and with
# one error line that matches; all files are as before.
refused() {
  local want=$1 regex=$2
  shift 2
  row="${*: -2}"
  listing . >"$scratch/before"
  "${with:-protean}" "$@"
  expect_code "$want"
  expect_error "$regex"
  [ ! -s "$scratch/out" ] || fail "output although it failed"
  listing . >"$scratch/after"
  diff "$scratch/before" "$scratch/after" >&2 || fail "files have changed"
}
train() { refused 2 "$1" train --run.dir new "${tiny[@]}" "${@:2}"; }
accepted() {
  row="$*"
  protean "$@"
  expect_code 0
}

keys() {
  train 'command line: unknown key task\.wayz; .*nearest is task\.ways$' --task.wayz 3
  train 'command line: unknown key task\.wayz; .*nearest is task\.ways$' --task.wayz=3
  train 'command line: unknown key lerner\.name; .*nearest is learner\.name$' --lerner.name maml
  train 'command line: unknown key resum; .*nearest is resume$' --resum auto
  train 'command line: .*--run\.steps.* is missing' --run.steps
  train 'command line: unexpected argument fast' fast
  printf '[task]\nways = 2\nwayz = 3\n' >typo.ini
  train 'typo\.ini:3: unknown key task\.wayz; .*nearest is task\.ways$' --config typo.ini
  printf '[run]\nlog_every = often\n' >word.ini
  train 'word\.ini:2: run\.log_every = "often"; expected a whole number' --config word.ini
  printf 'ways, please\n' >prose.ini
  train "prose\\.ini:1: 'ways, please'; expected key = value" --config prose.ini
  train '--config nosuch\.ini: cannot be read; expected an INI file' --config nosuch.ini
  printf '[task]\nways = 2\n\n[run]\nsteps = 2\n[task]\nways = 3\n' >twice.ini
  train 'twice\.ini:7: task\.ways = 3, but line 2 gives it as 2; expected one of the two' --config twice.ini
  train 'command line: unknown key inner_steps; .*nearest is learner\.inner_steps$' --inner_steps 1
  train 'command line: unknown key learner; .*nearest is learner\.name$' --learner maml
  refused 2 'command line: unknown key out; expected --per-task FILE' eval --run new --out x.csv
  refused 2 'command line: unexpected argument runs/a; expected --run runs/a' eval runs/a
  mkdir folder
  train '--config folder: cannot be read; expected an INI file' --config folder
  RANK=1 WORLD_SIZE=2 train 'a launcher for PyTorch .* started 2 processes, .*; expected launch/mpirun\.sh 2'
  TORCHELASTIC_RUN_ID=x RANK=0 WORLD_SIZE=4 train 'torchrun started 4 processes'
  refused 2 'no command; expected one of: train, eval'
  refused 2 'unknown command "trian"; expected one of: train, eval' trian
  refused 2 'unknown key verfy; .*nearest is verify$' inspect sound.pack --verfy
  refused 2 'inspect takes one path, got 0' inspect
  refused 2 '--out is not set' pack --in sound.pack
  refused 2 'run\.dir is not set' train "${tiny[@]}"
  refused 2 '--run is not set' eval
}

values() {
  local key
  train 'task\.ways = "3\.5"; expected a whole number' --task.ways 3.5
  train 'task\.ways = "-3"; expected a whole number, 0 or above' --task.ways -3
  train "'--task\.ways' should follow" --task.ways=
  train 'run\.seed = "18446744073709551616"; expected' --run.seed 18446744073709551616
  train 'learner\.inner_lr = "fast"; expected a number' --learner.inner_lr fast
  train 'learner\.second_order = "maybe"; expected true or false' --learner.second_order maybe
  train 'run\.steps = 0; expected at least 1' --run.steps 0
  for key in run.threads run.log_every task.meta_batch task.ways task.shots task.queries \
    model.filters learner.inner_steps eval.tasks checkpoint.keep; do
    train "${key//./\\.} = 0; expected at least 1" "--$key" 0
  done
  for key in run.max_time eval.every eval.patience eval.target_accuracy optim.eps \
    optim.weight_decay optim.clip_norm optim.clip_value learner.inner_batch; do
    train "${key//./\\.} = -1; expected at least 0" "--$key" -1
  done
  for key in run.max_time eval.target_accuracy optim.eps optim.lr learner.inner_lr \
    comm.timeout_s checkpoint.grace_s; do
    train "${key//./\\.} = nan; expected" "--$key" nan
  done
  train 'run\.threads = 1000000; expected 1 to' --run.threads 1000000
  train 'checkpoint\.every = -1; expected at least 0' --checkpoint.every -1
  train 'comm\.timeout_s = 0; expected (> 0 seconds|a value above 0)' --comm.timeout_s 0
  train 'comm\.ranks = 0; expected 1 to' --comm.ranks 0
  train 'data\.side = 32, but sound\.pack holds images of 28x28' --data.side 32
  # Of a random split, where the data say how they are split.
  local own='does nothing: these data have a split of their own; expected its default, or data\.split = random'
  train "data\.split_seed $own" --data.split_seed 3
  train "data\.split_validation $own" --data.split_validation 0.3
  train "data\.split_test $own" --data.split_test 0
  # Names that do not exist: the message lists those that do.
  train 'learner\.name = "mml"; expected one of: maml, ' --learner.name mml
  train 'learner\.name = cavia adapts context values; expected model\.context of 1 or more' \
    --learner.name cavia
  train 'learner\.inner_optimizer = "mml"; expected one of: sgd, ' --learner.inner_optimizer mml
  train 'model\.name = "mml"; expected one of: conv4, ' --model.name mml
  train 'model\.pool = "mml"; expected one of: max, ' --model.pool mml
  train 'optim\.name = "?mml"?; expected one of: adam, ' --optim.name mml
  train 'optim\.schedule = "?mml"?; expected one of: constant, ' --optim.schedule mml
  train 'comm\.reduction = "mml"; expected one of: fast, fixed, exact' --comm.reduction mml
  train 'comm\.backend = "mml"; expected one of: inproc, mpi, nccl, auto' --comm.backend mml
  train 'data\.source = "mml"; expected one of: auto, omniglot, ' --data.source mml
  train 'data\.split = "mml"; expected auto, background, stored, random' --data.split mml
  train 'data\.rotations = "mml"; expected one of: none, ' --data.rotations mml
  train 'eval\.stream = "mml"; expected one of: test, validation' --eval.stream mml
  train 'run\.device = "mml"; expected one of: cpu, cuda, auto' --run.device mml
  train 'comm\.wire = bf16 keeps .* learner\.name = metagan has 2; expected comm\.wire = fp32' \
    --comm.wire bf16 --comm.reduction fast --learner.name metagan --task.ways 1 --task.queries 2 \
    --model.filters 64
  # Tasks of unequal size.
  train 'task\.train_ways_max = 1; expected 0, or at least 2' --task.train_ways_max 1
  train 'of [0-9]+ train classes only 0 hold task\.shots \+ task\.queries = 41 examples' \
    --task.train_shots_max 40
  train 'task\.stack_overhead = -1; expected at least 0' --task.stack_overhead -1
  train 'task\.curriculum_accuracy = 2; expected 0 to 1' --task.curriculum_accuracy 2
  train 'task\.curriculum_steps = -1; expected at least 0' --task.curriculum_steps -1
  train 'task\.curriculum_steps and .* need unequal training tasks' --task.curriculum_steps 5
  local unequal=(--task.train_ways_max 3)
  train 'both set; expected one of them' "${unequal[@]}" --task.curriculum_steps 5 \
    --task.curriculum_accuracy 0.5
  train 'eval\.every = 2, by whose validations .*expected more steps than data\.prefetch = 2' \
    "${unequal[@]}" --task.curriculum_accuracy 0.5 --eval.every 2
  train 'make unequal tasks, which learner\.name = snail does not take; expected 0' \
    "${unequal[@]}" --learner.name snail --learner.inner_steps 5
  train 'task\.stack_overhead = 10, but learner\.name = mann takes no padding .*; expected 0' \
    "${unequal[@]}" --learner.name mann --learner.inner_steps 5
  train 'are for N-way K-shot tasks of images' --task.ways 5 --task.train_shots_max 6 \
    --data.source sinusoid --data.path ""
  train 'make unequal tasks, but task\.mix = "real=1,augmented=1"' "${unequal[@]}" \
    --task.mix real=1,augmented=1
  # Tasks mixed with each other.
  train 'task\.interpolate = 2; expected a share of tasks, 0 to 1' --task.interpolate 2
  train 'task\.interpolate_low = -0\.5 .*expected -0\.25 <= low <= high <= 1\.25' \
    --task.interpolate 1 --task.interpolate_low -0.5
  train 'task\.interpolate_draw = "mml"; expected one of: uniform, beta' --task.interpolate 1 \
    --task.interpolate_draw mml
  train 'task\.interpolate_low = 0\.5 does nothing with task\.interpolate = 0; expected its default, 0, or task\.interpolate above 0' --task.interpolate_low 0.5
  train 'task\.interpolate = 1 mixes equal tasks; expected 0' "${unequal[@]}" --task.interpolate 1
  train 'task\.interpolate = 1 mixes classes of images, but training tasks have values; expected 0' \
    --task.interpolate 1 --data.source sinusoid --data.path "" --model.name mlp --model.filters 64 \
    --task.ways 5
}

cut() { head -c "$1" sound.pack >"$2"; }
# flip FILE OFFSET...: changes one bit of each of these bytes.
flip() {
  python3 -c 'import sys
path, offsets = sys.argv[1], map(int, sys.argv[2:])
with open(path, "r+b") as f:
    for at in offsets:
        f.seek(at); byte = f.read(1)[0]
        f.seek(at); f.write(bytes([byte ^ 4]))' "$@"
}

data() {
  local size
  size=$(stat -c %s sound.pack)
  train 'task\.ways = 2, but of [0-9]+ train classes only 0 hold task\.shots \+ task\.queries = 30 examples' \
    --task.shots 15 --task.queries 15
  train 'task\.ways = 2000, but of [0-9]+ train classes only [0-9]+ hold .*expected at least 2000' \
    --task.ways 2000
  train 'nosuch\.pack: no such file or folder' --data.path nosuch.pack
  refused 1 'nosuch\.pack: ' inspect nosuch.pack
  cut 0 empty.pack
  cut 1 byte.pack
  cut $((size / 2)) half.pack
  cut $((size - 1)) short.pack
  cp sound.pack head.pack
  flip head.pack 20 # the length of the file
  cp sound.pack meta.pack
  flip meta.pack 2000 # of the description
  echo 'no pack at all, but long enough for one: 0123456789 0123456789 0123456789' >text.pack
  local name
  for name in empty byte half short head meta text; do
    refused 1 "$name\\.pack: " inspect $name.pack
    train "$name\\.pack: " --data.path $name.pack --data.source pack
  done
  # One record: found by reading all of them.
  cp sound.pack record.pack
  flip record.pack $((size - 50))
  accepted inspect record.pack
  row='one bit of one record'
  protean inspect record.pack --verify
  expect_code 1
  expect_error 'record\.pack: damaged'
  expect_line 'record\.pack: damaged record [0-9]+ \(class [^ ]+, .*CRC32C 0x[0-9a-f]+; expected'
  # All records: the first task meets one. The description stays sound.
  cp sound.pack records.pack
  python3 -c 'import os, struct
size = os.path.getsize("records.pack")
with open("records.pack", "r+b") as f:
    payload, stride = struct.unpack_from("<QQ", f.read(64), 48)
    for at in range(payload, size, stride):
        f.seek(at); byte = f.read(1)[0]
        f.seek(at); f.write(bytes([byte ^ 4]))'
  row='every record damaged'
  accepted inspect records.pack
  protean train --run.dir new "${tiny[@]}" --data.path records.pack
  expect_code 1
  expect_error 'records\.pack: damaged record [0-9]+ \(class .*expected'
}

# What is measured is there, on every rank; what is wrong is a finding.
doctor() {
  local ranks
  for ranks in 1 2; do
    mpi $ranks doctor --json
    expect_code 0
    cp "$scratch/out" "$scratch/doctor.json"
    expect_equal "ranks with rates" "$(json "$scratch/doctor.json" \
      '[len(d["ranks"]), all(r["matrix_gflops"] > 0 and r["sync_ms"] > 0 and not r["disk_error"] for r in d["ranks"])]')" \
      "[$ranks, true]"
  done
  expect_equal "all-reduce sweep" "$(json "$scratch/doctor.json" \
    'all(r["bus_gb_s"] > 0 for r in d["all_reduce"]) and d["all_reduce"][0]["bytes"] == 8 and len(d["all_reduce"]) > 5')" true
  expect_equal "thread level" "$(json "$scratch/doctor.json" \
    'all("thread level " in r["versions"] for r in d["ranks"])')" true
  expect_equal "files left" "$(ls -A)" sound.pack
  protean doctor --folder nosuch
  expect_code 0
  grep -q 'rank 0 on .*: the folder for runs cannot be used: nosuch/.*: cannot create a file: No such file' \
    "$scratch/out" || fail "a missing folder is no finding"
}

run_dir() {
  row=
  if [ "$(id -u)" != 0 ]; then
    mkdir locked
    chmod a-w locked
    train 'run\.dir = locked/new: cannot create folder: Permission denied' --run.dir locked/new
  fi
  train 'run\.dir = /proc/x/y: cannot create folder' --run.dir /proc/x/y
  train 'run\.dir = sound\.pack: cannot create folder: Not a directory' --run.dir sound.pack
  train 'run\.dir = sound\.pack/below: cannot create folder: Not a directory' \
    --run.dir sound.pack/below
  train '--resume nosuch: no checkpoint there' --resume nosuch

  accepted train --run.dir old "${tiny[@]}"
  train 'run\.dir = old already holds a run; go on with --resume auto, or give another' \
    --run.dir old
  # A run in use: stopped in its third step.
  PROTEAN_FAULT=trainer.step:stop:3 start "$PROTEAN_BIN" train --run.dir busy "${tiny[@]}" \
    --run.steps 4
  until_true 60 is_stopped "$job" || fail "the run did not reach its third step"
  local process=$job
  train 'run\.dir = busy already holds a run' --run.dir busy
  train "run\\.dir = busy is in use by another run \\(host [^ ]+, process $process, since .*\\); stop it, or give another" \
    --run.dir busy --resume auto --run.steps 4
  kill -CONT "$job"
  finish 60
  row='the run in use goes on'
  expect_code 0
  [ ! -e busy/lock ] || fail "the lock stayed"
}

evaluation() {
  accepted train --run.dir run "${tiny[@]}"
  accepted eval --run run --eval.tasks 2
  refused 2 '--run nosuch: no config\.ini there; expected a run directory' eval --run nosuch
  mkdir folder
  refused 2 '--run folder: no config\.ini there' eval --run folder
  refused 2 '--run sound\.pack: no config\.ini there' eval --run sound.pack
  refused 2 'eval\.stream = "train"; expected one of: test, validation' \
    eval --run run --eval.stream train
  refused 2 'eval\.tasks = 0; expected at least 1' eval --run run --eval.tasks 0
  refused 2 'model\.filters|another model: parameter 0 is ' eval --run run --model.filters 3
  cp -r run empty
  rm -r empty/checkpoints/*
  refused 2 '--run empty: no checkpoint there' eval --run empty
  # The only checkpoint there is: each of its files damaged in turn.
  local file
  for file in model.safetensors optimizer.safetensors state.json manifest.json; do
    rm -rf broken
    cp -r run broken
    truncate -s -1 broken/checkpoints/step-2/$file
    refused 1 'broken/checkpoints: none of 1 checkpoints is valid' eval --run broken
    expect_line "^\\[warning\\] checkpoint step-2 is not used: .*$file"
    rm -rf broken
    cp -r run broken
    flip broken/checkpoints/step-2/$file 100
    refused 1 'broken/checkpoints: none of 1 checkpoints is valid' eval --run broken
    refused 1 'broken/checkpoints: none of 1 checkpoints is valid' \
      train --run.dir broken --resume auto "${tiny[@]}" --run.steps 3
  done
}

resume() {
  local key value old
  local images=$scratch/images
  python3 "$support/make_images.py" "$images/a" 16 3 1
  python3 "$support/make_images.py" "$images/b" 16 3 2
  accepted pack --in "$images/a" --out a.pack
  accepted pack --in "$images/b" --out b.pack
  tiny+=(--data.source pack --data.path a.pack --data.split random --data.split_validation 0.3
    --data.split_test 0.3)
  accepted train --run.dir run "${tiny[@]}"
  resumed() { protean train --run.dir run --resume auto "${tiny[@]}" "$@"; }
  while read -r key value old; do
    refused 2 "resume: ${key//./\\.} = \"$value\", but the run was started with \"$old\"" \
      train --run.dir run --resume auto "${tiny[@]}" --run.steps 3 "--$key" "$value"
    # Nor may a new run start from it, and its folder does not appear.
    refused 2 "resume: ${key//./\\.} = \"$value\", but the run was started with \"$old\"" \
      train --run.dir new --resume run "${tiny[@]}" --run.steps 3 "--$key" "$value"
  done <<'END'
run.seed 1 0
task.ways 3 2
task.queries 2 1
task.meta_batch 3 2
task.stack 1 0
model.filters 3 2
model.pool stride max
learner.name reptile maml
learner.inner_lr 0.1 0.4
optim.name sgd adam
optim.lr 0.01 0.001
data.rotations task none
END
  row='other data'
  refused 2 'data\.path = b\.pack: not the data that the run was split from: 16 classes have other examples' \
    train --run.dir run --resume auto "${tiny[@]}" --data.path b.pack
  row='what may change'
  resumed --run.steps 4 --comm.ranks 2 --comm.timeout_s 60 --checkpoint.every 1 --checkpoint.keep 2 \
    --run.log_every 1 --eval.tasks 3 --data.prefetch 0
  expect_code 0
  expect_line 'resuming from run/checkpoints/step-2, step 2$'
  expect_equal steps "$(json run/summary.json '[d["steps"], d["resumed_from"], d["ranks"]]')" '[4, 2, 2]'
  # A moved pack is the same data.
  mv a.pack moved.pack
  resumed --run.steps 5 --data.path moved.pack --comm.reduction fixed --run.max_time 100
  expect_code 0
  mv moved.pack a.pack
  # Fewer steps than there are is nothing to do.
  resumed --run.steps 3
  expect_code 0
  expect_equal steps "$(json run/summary.json 'd["steps"]')" 5
}

# Learners that act, and environments.
acting() {
  train 'learner\.name = "promp" acts in an environment, but data\.source = "auto" has examples; expected one of: point, bandit$' \
    --learner.name promp
  train 'data\.source = "point" is an environment, but learner\.name = "maml" does not act; expected one of: promp, mamlpg$' \
    --data.source point
  train 'data\.source = "bandit" is an environment, but learner\.name = "setvae"' \
    --data.source bandit --learner.name setvae --model.filters 64 --learner.inner_steps 5
  train 'policy\.clip = 0\.2 does nothing with learner\.name = maml; it is read by: promp$' \
    --policy.clip 0.2
  train 'data\.horizon = 5 does nothing with data\.source = auto; it is read by: point, bandit$' --data.horizon 5
  tiny=(--run.steps 2 --run.quiet true --data.source point --data.horizon 4 --task.shots 2
    --task.queries 2 --task.meta_batch 2 --model.name mlp --model.hidden 4 --learner.name promp
    --learner.inner_steps 1 --eval.every 0)
  train 'task\.shots = 0; expected at least 1' --task.shots 0
  train 'task\.queries = 0; expected at least 1' --task.queries 0
  train 'data\.horizon = 0; expected at least 1' --data.horizon 0
  train 'data\.family = "speed"; expected one of: goal, velocity' --data.family speed
  train 'data\.arms = 3 does nothing with data\.source = point; it is read by: bandit$' --data.arms 3
  train 'data\.path = "sound\.pack" does nothing with data\.source = point; it is read by: auto, ' --data.path sound.pack
  train 'task\.flat_batch = 4 does nothing with learner\.name = promp; it is read by: baseline$' --task.flat_batch 4
  train 'model\.name = "conv4"; expected mlp with learner\.name = promp' --model.name conv4 \
    --model.hidden 40,40
  train 'learner\.inner_optimizer = "adam" does nothing with learner\.name = promp' \
    --learner.inner_optimizer adam
  train 'learner\.inner_steps = 0; expected at least 1' --learner.inner_steps 0
  train 'policy\.discount = 1\.5; expected 0 to 1' --policy.discount 1.5
  train 'policy\.later_rate = 0; expected a value above 0' --policy.later_rate 0
  train 'policy\.clip = 0; expected a value above 0' --policy.clip 0
  train 'policy\.epochs = 0; expected at least 1' --policy.epochs 0
  train 'policy\.epochs = 2 does nothing with learner\.name = mamlpg; it is read by: promp$' \
    --learner.name mamlpg --policy.epochs 2
  train 'policy\.deviation = 2 does nothing with data\.source = bandit; expected its default, 1, or data\.source = point' --policy.deviation 2 \
    --data.source bandit
  accepted train --run.dir run "${tiny[@]}"
  refused 2 'learner\.name = promp adapts by acting, not to examples' adapt --run run --support . --query .
  refused 2 'learner\.name = promp makes no images' generate --run run --support . --out new
  refused 2 '--across needs a run on classes of images; this one has data\.source = point' \
    eval --run run --across test
}

# The same mistake on all ranks is one line; another one is told apart.
ranks() {
  both() { mpi 2 "$@"; }
  with=both
  train 'rank 0/2: command line: unknown key task\.wayz; .*nearest is task\.ways$' --task.wayz 3
  train 'rank 0/2: comm\.backend = "mml"; expected one of' --comm.backend mml
  train 'rank 0/2: comm\.backend = inproc, but [a-z]+ started 2 processes' --comm.backend inproc
  train 'rank 0/2: comm\.ranks = 2 is for comm\.backend = inproc' --comm.ranks 2
  train 'rank 0/2: comm\.timeout_s = -1; expected > 0' --comm.timeout_s -1
  train 'rank 0/2: task\.ways = 2000, but of ' --task.ways 2000
  train 'rank 0/2: run\.dir = /proc/x/y: cannot create folder' --run.dir /proc/x/y
  refused 2 'rank 0/2: run\.dir is not set' train "${tiny[@]}"
  refused 2 'rank 0/2: unknown command "trian"' trian
  refused 2 'rank 0/2: --run nosuch: no config\.ini there' eval --run nosuch
  accepted train --run.dir run "${tiny[@]}"
  train 'rank 0/2: run\.dir = run already holds a run' --run.dir run
  rm run/checkpoints/step-2/manifest.json
  refused 1 'rank 0/2: run/checkpoints: none of 1 checkpoints is valid' eval --run run

  # differs REGEX [KEY VALUE]... : what rank 1 gets on top of rank 0's words
  differs() {
    local regex=$1
    shift
    with=two_ranks refused 2 "rank 0/2: ($regex)" \
      "$PROTEAN_BIN" train --run.dir new "${tiny[@]}" : \
      "$@" train --run.dir new "${tiny[@]}" "${other[@]}"
  }
  other=(--task.ways 3)
  differs 'ranks differ: task\.ways is 2 on rank 0 and 3 on rank 1' "$PROTEAN_BIN"
  other=(--run.dir newer)
  differs 'ranks differ: run\.dir is new on rank 0 and newer on rank 1' "$PROTEAN_BIN"
  other=(--resume auto)
  differs 'ranks differ: --resume is none on rank 0 and auto on rank 1' "$PROTEAN_BIN"
  other=(--task.wayz 3)
  differs 'rank 1: command line: unknown key task\.wayz' "$PROTEAN_BIN"
  other=(--comm.timeout_s -1)
  differs 'rank 1: comm\.timeout_s = -1; expected > 0' "$PROTEAN_BIN"
  with=two_ranks refused 2 'ranks differ: the command is train on rank 0 and bench on rank 1' \
    "$PROTEAN_BIN" train --run.dir new "${tiny[@]}" : "$PROTEAN_BIN" bench
}

"$1"
