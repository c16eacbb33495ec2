#!/usr/bin/env bash
# coordinator.sh ROW: ranks, or the coordinator, fall silent, fail or lag; the
# job ends in time with a line that says who and where, or goes on.
faults=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
support=$faults/../support
# shellcheck source=tests/support/cli.sh
source "$support/cli.sh"
# shellcheck source=tests/faults/small_run.sh
source "$faults/small_run.sh"

# Collectives would wait for minutes: it is the coordinator that notices.
base+=(--comm.timeout_s 300 --coordinator.heartbeat_s 0.5 --coordinator.warn_s 2
  --coordinator.silence_s 4)
who='on [^ ]+ \(process [0-9]+\)'

# silent RANK REGEX: this rank is stopped at step 9; the job ends, is resumed on
# other ranks, and comes to the same.
silent() {
  whole
  ranks_with trainer.step:stop:9 "$1" 3 "${base[@]}" --run.dir run
  start "${job_words[@]}"
  until_true 60 has_checkpoint run 8 || fail "no checkpoint of step 8"
  local all pid
  all=$(descendants "$job")
  finish 15
  [ "$code" -ne 0 ] || fail "exit code 0 although rank $1 was stopped"
  expect_line "$2"
  for pid in $all; do
    until_true 5 gone "$pid" || fail "process $pid is left"
  done
  protean "${base[@]}" --run.dir run --resume auto --comm.ranks 2
  expect_whole run
}
rank_silent() {
  silent 1 "rank 1 $who is silent for 4[.0-9]* s \(coordinator\.silence_s = 4\): stopped, dead or cut off; last seen at step [0-9], "
  expect_no_line '^\[error\] .*rank 2 .* is silent'
}
rank0_stopped() {
  silent 0 'the coordinator, rank 0 is silent for 4[.0-9]* s \(coordinator\.silence_s = 4\): stopped, dead or cut off'
}

# Late, named, and no reason to end.
rank_slow() {
  whole
  ranks_with trainer.step:stop:9 1 2 "${base[@]}" --run.dir run --coordinator.silence_s 60
  start "${job_words[@]}"
  local rank
  rank_is_stopped() { rank=$(rank_of 1) && is_stopped "$rank"; }
  until_true 60 rank_is_stopped || fail "rank 1 did not reach step 9"
  until_true 20 grep -q 'is silent' "$scratch/err" || fail "rank 1 is not named"
  kill -CONT "$rank"
  finish 60
  expect_line "^\[warning\] .*rank 1 $who is silent for 2[.0-9]* s; the job ends at coordinator\.silence_s = 60 s; last seen at step [0-9], "
  expect_line "^\[warning\] .*rank 1 $who is heard again$"
  expect_no_line '^\[error\]'
  expect_whole run
}

# ended RANK FAULT CODE REGEX
ended() {
  whole
  ranks_with "$2" "$1" 2 "${base[@]}" --run.dir run
  limit_s=30 run "${job_words[@]}"
  expect_code "$3"
  expect_line "$4"
  [ ! -e run/DONE ] || fail "DONE"
  mpi 3 "${base[@]}" --run.dir run --resume auto
  expect_whole run
}
rank_throws() {
  ended 1 trainer.step:throw:9 1 '^\[error\] rank 1/2: trainer\.step: injected fault'
}
# What a library may do behind our back.
rank_exits() {
  ended 1 trainer.step:exit:9 3 '([Rr]ank 1[^0-9]|rank:? 1[^0-9]|\[1\])'
}

coordinator_throws() {
  ended 0 coordinator.tick:throw:1 1 'coordinator thread: coordinator\.tick: injected fault'
}
# Its process lives, computes and answers MPI; only the watch is gone.
coordinator_hangs() {
  base+=(--run.steps 100000)
  ranks_with coordinator.tick:hang:3 0 2 "${base[@]}" --run.dir run
  limit_s=40 run "${job_words[@]}"
  [ "$code" -ne 0 ] || fail "exit code 0 although nobody watches"
  expect_line 'the coordinator, rank 0 is silent for 4[.0-9]* s'
  local newest
  newest=$(cat run/checkpoints/latest)
  [[ $newest == step-* ]] || fail "no checkpoint is left: $newest"
}

# A rank of its own: the same bits, no tasks on rank 0.
dedicated() {
  whole
  mpi 3 "${base[@]}" --run.dir run --coordinator.dedicated true
  expect_whole run
  expect_equal "tasks by rank" "$(json run/summary.json 'd["tasks_by_rank"]')" "[0, 4, 2]"
  protean "${base[@]}" --run.dir alone --coordinator.dedicated true
  expect_whole alone
}
dedicated_killed() {
  base+=(--coordinator.dedicated true)
  whole
  ranks_with trainer.step:kill:9 0 3 "${base[@]}" --run.dir run
  limit_s=40 run "${job_words[@]}"
  expect_lost_rank 0
  mpi 2 "${base[@]}" --run.dir run --resume auto
  expect_whole run
}

# --- memory ---------------------------------------------------------------------

# memory_group: a control group, its folder in $group, its files' names in $limit
# and $used.
memory_group() {
  local top=/sys/fs/cgroup
  if group=$(mktemp -d $top/memory/protean-XXXXXX 2>/dev/null); then
    limit=memory.limit_in_bytes used=memory.usage_in_bytes
  elif grep -qw memory $top/cgroup.subtree_control 2>/dev/null &&
    group=$(mktemp -d $top/protean-XXXXXX 2>/dev/null); then
    limit=memory.max used=memory.current
  else
    echo "skipped: no memory control group can be made here"
    exit 77
  fi
}
out_of_memory() {
  local limit used bytes pid
  memory_group
  # What it needs is for its stacks.
  base+=(--coordinator.heartbeat_s 0.2 --task.queries 12 --task.stack 6 --model.filters 64)
  whole
  ranks_with trainer.step:hang:9 1 2 "${base[@]}" --run.dir run
  start bash -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$group" "${job_words[@]}"
  until_true 60 has_checkpoint run 8 || fail "no checkpoint of step 8"

  # Now both wait. What lies in files is given up first, and is not counted.
  echo $(($(cat "$group/$used") / 2)) >"$group/$limit" 2>/dev/null || true
  bytes=$(cat "$group/$used")
  echo $((bytes + bytes / 25)) >"$group/$limit"
  tight() {
    grep -Eq '^\[warning\] .*memory: [0-9]+ of [0-9]+ MiB of .*protean-.* in use \(peak [0-9]+\), .*biggest stack has 234 examples' \
      "$scratch/err"
  }
  until_true 10 tight || fail "no warning"

  # More than fits: the kernel takes who is first in its list, at first somebody
  # else: mpirun leaves no rank the time to tell of the end of another.
  too_much() {  # OWN PLACE IN THE LIST
    bash -c 'echo $$ >"$0/cgroup.procs"; echo "$1" >/proc/$$/oom_score_adj; shift; exec "$@"' \
      "$group" "$1" python3 -c 'import sys; more = b"x" * int(sys.argv[1])' $((bytes / 10)) || true
  }
  too_much 1000
  killed() {
    grep -Eq '^\[error\] .*memory: the kernel has killed a process of .*protean-.*, whose limit is [0-9]+ MiB \(peak [0-9]+\); this rank.s biggest stack has 234 examples' \
      "$scratch/err"
  }
  until_true 10 killed || fail "nobody tells of the kill"
  # Then a rank.
  pid=$(rank_of 1) || fail "no rank 1"
  echo 1000 >"/proc/$pid/oom_score_adj"
  too_much 0
  finish 30
  expect_lost_rank 1
  protean "${base[@]}" --run.dir run --resume auto --comm.ranks 2
  expect_whole run
}

# --- checkpoints that are damaged -------------------------------------------------

checkpoint_damaged() {
  whole
  PROTEAN_FAULT=trainer.step:kill:14 protean "${base[@]}" --run.dir run
  expect_code 137
  has_checkpoint run 12 || fail "no checkpoint of step 12"
  # again WHAT: the newest is damaged so; the one before is used, with a reason.
  again() {
    row=$1
    protean "${base[@]}" --run.dir "$2" --resume auto
    expect_line "checkpoint step-12 is not used: .*($3)"
    expect_line "resuming from $2/checkpoints/step-8, step 8\$"
    expect_whole "$2"
    rm -rf "$2"
  }
  local file size keep
  for file in model.safetensors optimizer.safetensors state.json manifest.json; do
    size=$(stat -c %s "run/checkpoints/step-12/$file")
    for keep in 0 1 $((size / 2)) $((size - 1)); do
      cp -r run cut
      truncate -s "$keep" "cut/checkpoints/step-12/$file"
      again "$file cut to $keep of $size bytes" cut "$file"
    done
    cp -r run flipped
    python3 -c 'import sys
with open(sys.argv[1], "r+b") as f:
    f.seek(int(sys.argv[2])); byte = f.read(1)[0]
    f.seek(int(sys.argv[2])); f.write(bytes([byte ^ 1]))' \
      "flipped/checkpoints/step-12/$file" $((size / 2))
    again "one bit of $file" flipped "$file"
    cp -r run missing
    rm "missing/checkpoints/step-12/$file"
    again "$file is missing" missing "$file"
  done
  # `latest` is for people: the newest whole checkpoint counts.
  row='latest is missing or stale'
  cp -r run stale
  rm stale/checkpoints/latest
  protean "${base[@]}" --run.dir stale --resume auto
  expect_line 'resuming from stale/checkpoints/step-12, step 12$'
  expect_whole stale
  rm -rf stale
  cp -r run stale
  echo step-4711 >stale/checkpoints/latest
  protean "${base[@]}" --run.dir stale --resume auto
  expect_line '^\[warning\] .*latest.*step-4711'
  expect_line 'resuming from stale/checkpoints/step-12, step 12$'
  expect_whole stale
}

"$1"
