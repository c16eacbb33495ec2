#!/usr/bin/env bash
# stops.sh ROW: a run is killed, stopped or starved in mid-run; it ends as
# promised, and goes on to the bits of the run that never stopped.
faults=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
support=$faults/../support
# shellcheck source=tests/support/cli.sh
source "$support/cli.sh"

# shellcheck source=tests/faults/small_run.sh
source "$faults/small_run.sh"

# kill_rank VICTIM: kill -9 in mid-step, whenever that is; another rank stops in
# a later step, so that the job cannot end before.
kill_rank() {
  whole
  ranks_with trainer.step:stop:20 2 3 "${base[@]}" --run.dir run
  start "${job_words[@]}"
  until_true 60 has_checkpoint run 8 || fail "no checkpoint of step 8"
  local pid all
  pid=$(rank_of "$1") || fail "rank $1 is not found"
  all=$(descendants "$job")
  kill -KILL "$pid"
  finish 15
  expect_lost_rank "$1"
  [ ! -e run/DONE ] || fail "DONE although it was killed"
  for pid in $all; do
    until_true 5 gone "$pid" || fail "process $pid is left"
  done
}
kill_rank0() {
  kill_rank 0
  [ -e run/lock ] || fail "no lock is left to test its taking over"
  mpi 2 "${base[@]}" --run.dir run --resume auto
  expect_line 'run\.dir run: taking over from host .*that process is gone'
  expect_whole run
}
kill_rank1() {
  kill_rank 1
  protean "${base[@]}" --run.dir run --resume auto --comm.ranks 4
  expect_whole run
}

# Killed again and again, on other numbers of ranks.
kill_in_step() {
  whole
  ranks_with trainer.step:kill:7 0 2 "${base[@]}" --run.dir run
  limit_s=40 run "${job_words[@]}"
  expect_lost_rank 0
  # A line that a dying process had not finished.
  printf '{"step": 7, "lo' >>run/metrics.jsonl
  ranks_with trainer.step:kill:9 1 2 "${base[@]}" --run.dir run --resume auto
  limit_s=40 run "${job_words[@]}"
  # mpiexec may drop a rank's last lines when another one dies: the log has them.
  grep -q 'resuming from run/checkpoints/step-4, step 4$' run/logs/rank-0.log ||
    fail "the log tells of no resuming from step 4"
  expect_lost_rank 1
  PROTEAN_FAULT=trainer.step:kill:3 protean "${base[@]}" --run.dir run --resume auto --comm.ranks 3
  expect_code 137
  mpi 3 "${base[@]}" --run.dir run --resume auto
  expect_whole run
  # Before the first checkpoint there is nothing to go on from but step 0.
  PROTEAN_FAULT=trainer.step:kill:2 protean "${base[@]}" --run.dir early
  expect_code 137
  protean "${base[@]}" --run.dir early --resume auto
  expect_whole early
}

# The launcher itself is gone: no rank stays.
kill_launcher() {
  whole
  ranks_with trainer.step:stop:6 1 2 "${base[@]}" --run.dir run --comm.timeout_s 5
  start "${job_words[@]}"
  until_true 60 has_checkpoint run 4 || fail "no checkpoint of step 4"
  local pid all
  all=$(descendants "$job")
  kill -KILL "$job"
  finish 15
  for pid in $all; do
    # Nobody ends a stopped process but the one who stopped it.
    kill -CONT "$pid" 2>/dev/null || true
    until_true 15 gone "$pid" || fail "process $pid is left"
  done
  # Open MPI's own, which mpirun would have removed.
  rm -f /dev/shm/vader_segment.* /dev/shm/sm_segment.*
  protean "${base[@]}" --run.dir run --resume auto
  expect_whole run
}

# --- asked to stop -------------------------------------------------------------

expect_resumable() {
  expect_code 75
  expect_line '^\[info\] stopped by request at step [0-9]+; resume with --resume auto$'
  expect_no_line '^\[error\]'
  local steps
  steps=$(json "$1/summary.json" 'd["steps"]')
  [[ $steps == [3-8] ]] || fail "stopped at step $steps; expected 3 to 8"
  has_checkpoint "$1" "$steps" || fail "no checkpoint of step $steps"
  expect_each_step_once "$1" "$steps"
  [ ! -e "$1/DONE" ] || fail "DONE although it was stopped"
  [ ! -e "$1/lock" ] || fail "the lock stayed"
}
stop_usr1() {
  whole
  ranks_with trainer.step:stop:5 0 2 "${base[@]}" --run.dir run
  start "${job_words[@]}"
  local rank
  rank_is_stopped() { rank=$(rank_of 0) && is_stopped "$rank"; }
  until_true 60 rank_is_stopped || fail "rank 0 did not reach step 5"
  kill -USR1 "$job"
  sleep 0.5 # until mpiexec has passed it on
  kill -CONT "$rank"
  finish 60
  expect_resumable run
  mpi 3 "${base[@]}" --run.dir run --resume auto
  expect_whole run
}
stop_term() {
  whole
  local ranks
  for ranks in 1 2; do
    # Threads count their steps together.
    PROTEAN_FAULT=trainer.step:stop:$((5 * ranks)) \
      start "$PROTEAN_BIN" "${base[@]}" --run.dir "run$ranks" --comm.ranks $ranks
    until_true 60 is_stopped "$job" || fail "step 5 is not reached"
    kill -TERM "$job"
    kill -CONT "$job"
    finish 60
    expect_resumable "run$ranks"
    protean "${base[@]}" --run.dir "run$ranks" --resume auto
    expect_whole "run$ranks"
  done
}
# The second SIGTERM does not wait for the last checkpoint, where it waits here.
stop_twice() {
  whole
  PROTEAN_FAULT=trainer.step:stop:5,checkpoint.begin:stop:2 \
    start "$PROTEAN_BIN" "${base[@]}" --run.dir run
  until_true 60 is_stopped "$job" || fail "step 5 is not reached"
  kill -TERM "$job"
  kill -CONT "$job"
  in_last_save() { is_stopped "$job" && [ "$(wc -l <run/metrics.jsonl)" -gt 5 ]; }
  until_true 60 in_last_save || fail "the last checkpoint is not reached"
  kill -TERM "$job"
  kill -CONT "$job"
  finish 5
  expect_code 143
  protean "${base[@]}" --run.dir run --resume auto
  expect_whole run
}

# --- ranks that fall silent, numbers that are none -------------------------------

rank_stopped() {
  whole
  ranks_with trainer.step:stop:9 1 2 "${base[@]}" --run.dir run --comm.timeout_s 2
  start "${job_words[@]}"
  until_true 60 has_checkpoint run 8 || fail "no checkpoint of step 8"
  finish 17
  [ "$code" -ne 0 ] || fail "exit code 0 although rank 1 was stopped"
  expect_line '^\[error\] .*rank 0/2 on [^,]+, step [0-9]+, all_reduce.* not done in 2[.0-9]* s; .*rank 1'
  mpi 2 "${base[@]}" --run.dir run --resume auto
  expect_whole run
}

not_finite() {
  # where NAME: step and task of the one error.
  where() {
    expect_code 1
    # Which comes first depends on the machine's rounding, never on its ranks.
    expect_error 'step [0-9]+: (the loss or gradient of task [0-9]+ is not finite \(computed by rank [0-9]+\)|the outer step leaves parameters that are not finite)'
    [ ! -e "$1/DONE" ] || fail "DONE"
    [ ! -e "$1/lock" ] || fail "the lock stayed"
    found=$(grep -Eo 'step [0-9]+: (the loss or gradient of task [0-9]+|the outer step)' "$scratch/err")
  }
  local expected
  protean "${base[@]}" --run.dir alone --learner.inner_lr 1e30
  where alone
  expect_equal "first bad task" "$found" "step 0: the loss or gradient of task 0"
  # Later, with checkpoints on the way.
  base+=(--optim.name sgd --optim.lr 3e2 --checkpoint.every 1 --checkpoint.keep 30)
  protean "${base[@]}" --run.dir later
  where later
  expected=$found
  expect_other "step" "${found%%:*}" "step 0"
  protean "${base[@]}" --run.dir threads --comm.ranks 2
  where threads
  expect_equal "bad task on 2 threads" "$found" "$expected"
  mpi 2 "${base[@]}" --run.dir ranks
  where ranks
  expect_equal "bad task on 2 ranks" "$found" "$expected"
  # Finite gradients, and a step to nowhere; the last one counts too.
  row='a step too long'
  protean "${base[@]}" --run.dir far --run.steps 1 --optim.lr 1e38 --optim.weight_decay 1e5
  expect_code 1
  expect_error 'step 0: the outer step leaves parameters that are not finite; .*lower optim\.lr'
  [ ! -e far/checkpoints/latest ] || fail "parameters that are not finite are stored"
  row=
  # What is stored is whole and finite, and one goes on from it to the same end.
  python3 - later/checkpoints/step-*/*.safetensors <<'END'
import math, struct, sys
for path in sys.argv[1:]:
    data = open(path, "rb").read()
    (header,) = struct.unpack_from("<Q", data)
    values = memoryview(data[8 + header:]).cast("f")
    assert all(math.isfinite(v) for v in values), path
END
  protean "${base[@]}" --run.dir later --resume auto
  expect_no_line 'is not used'
  where later
  expect_equal "bad task when resumed" "$found" "$expected"
}

diverges() {
  base+=(--optim.name sgd --optim.lr 3e2 --checkpoint.every 1 --checkpoint.keep 30)
  protean "${base[@]}" --run.dir none
  expect_code 1
  # Ten halves of the rate are enough for this run, whatever ranks there are.
  base+=(--optim.retries 10)
  protean "${base[@]}" --run.dir alone
  expect_code 0
  expect_line 'not finite.*; going back to the newest checkpoint for the 1\. time of optim\.retries = 10, with optim\.lr times 0\.5'
  [ -e alone/DONE ] || fail "no DONE"
  mpi 2 "${base[@]}" --run.dir ranks
  expect_code 0
  python3 - alone ranks <<'END'
import json, sys
alone, ranks = (json.load(open(f"{run}/summary.json")) for run in sys.argv[1:])
assert alone["setbacks"] >= 1, alone["setbacks"]
assert alone["theta_sha256"] == ranks["theta_sha256"]
END
  # The log goes back too.
  expect_each_step_once alone 24
  # Enough is enough.
  protean "${base[@]}" --run.dir few --optim.retries 1 --learner.inner_lr 1e30
  expect_code 1
  expect_error 'step 0: the loss or gradient of task 0'
  [ ! -e few/lock ] || fail "the lock stayed"
}

# --- killed while it saves -------------------------------------------------------

save_killed() {
  whole
  local point visit
  for point in begin after_mkdir after_model after_optimizer after_state after_manifest \
    after_sync after_rename after_sync_folder after_latest between_prune after_prune; do
    row="checkpoint.$point"
    rm -rf run
    visit=3
    [ $point != between_prune ] || visit=1 # the first two need no pruning
    PROTEAN_FAULT=checkpoint.$point:kill:$visit protean "${base[@]}" --run.dir run
    expect_code 137
    protean "${base[@]}" --run.dir run --resume auto
    expect_line 'resuming from run/checkpoints/step-(8|12), step (8|12)$'
    expect_no_line 'is not used'
    expect_whole run
    expect_equal checkpoints "$(cd run/checkpoints && echo *)" "latest step-20 step-24"
  done
  # A damaged checkpoint is passed over, and written once more.
  row=checkpoint.between_renames
  rm -rf run
  PROTEAN_FAULT=trainer.step:kill:10 protean "${base[@]}" --run.dir run
  expect_code 137
  truncate -s -1 run/checkpoints/step-8/model.safetensors
  PROTEAN_FAULT=checkpoint.between_renames:kill protean "${base[@]}" --run.dir run --resume auto
  expect_code 137
  expect_line 'step-8 is not used: .*model\.safetensors: [0-9]+ bytes, expected [0-9]+'
  expect_line 'resuming from run/checkpoints/step-4, step 4$'
  protean "${base[@]}" --run.dir run --resume auto
  expect_whole run
}

# --- a full disk -------------------------------------------------------------------

disk_full() {
  mkdir disk
  if ! mount -t tmpfs -o size=600k protean-test disk 2>"$scratch/err"; then
    echo "skipped: no tmpfs can be mounted here: $(cat "$scratch/err")"
    exit 77
  fi
  disk=$work/disk # for leave()
  whole
  # fill_at_step_6 NAME WORDS...: the disk is full from there on.
  fill_at_step_6() {
    local name=$1
    shift
    row=$name
    rm -rf disk/*
    PROTEAN_FAULT=trainer.step:stop:6 start "$PROTEAN_BIN" "${base[@]}" --run.dir "disk/$name" \
      --checkpoint.grace_s 1 "$@"
    until_true 60 is_stopped "$job" || fail "step 6 is not reached"
    until_true 60 has_checkpoint "disk/$name" 4 || fail "no checkpoint of step 4"
    cat /dev/zero >disk/filler 2>/dev/null || true
    kill -CONT "$job"
  }
  fill_at_step_6 full
  finish 60
  expect_code 1
  expect_line '^\[warning\] checkpoint of step 8 is not stored: .*No space left on device'
  expect_line '^\[warning\] .*metrics\.jsonl: cannot write: No space left on device'
  expect_error 'the last checkpoint \(step 24\) is not stored: .*No space left on device'
  [ ! -e disk/full/DONE ] || fail "DONE although its last checkpoint is lost"
  rm disk/filler
  protean "${base[@]}" --run.dir disk/full --resume auto
  expect_line 'resuming from disk/full/checkpoints/step-4, step 4$'
  expect_whole disk/full

  fill_at_step_6 elsewhere --checkpoint.fallback_dir "$work/fallback"
  finish 60
  expect_code 0
  expect_line '^\[warning\] the last checkpoint is in checkpoint\.fallback_dir: .*/fallback/.*/step-24$'
  expect_no_line '^\[error\]'
  rm disk/filler
  protean "${base[@]}" --run.dir disk/elsewhere --resume auto --run.steps 26 \
    --checkpoint.fallback_dir "$work/fallback"
  expect_code 0
  expect_line 'resuming from .*/fallback/.*/step-24, step 24$'

  fill_at_step_6 freed --checkpoint.grace_s 60
  until_true 60 grep -q 'step 24 is not stored' "$scratch/err" || fail "the end is not reached"
  rm disk/filler
  finish 60
  expect_code 0
  expect_no_line '^\[error\]'
  expect_equal "bits of the freed run" "$(hashes disk/freed)" "$expected"
  has_checkpoint disk/freed 24 || fail "no checkpoint of step 24"
}

"$1"
