#!/usr/bin/env bash
# slurm.sh ROW: jobs that launch/job.sh prints, on a real Slurm over several hosts
# of the test bed: they stop, are queued again, and come to the bits of one
# process that never stopped.
support=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../support")
# shellcheck source=tests/support/cli.sh
source "$support/cli.sh"
# shellcheck source=tests/support/testbed.sh
source "$support/testbed.sh"

steps=80
base=(--run.quiet true --run.threads 1 --run.log_every 1 --run.steps "$steps" --eval.every 0
  --task.ways 3 --task.shots 1 --task.queries 2 --task.meta_batch 6 --task.stack 2
  --model.filters 4 --learner.inner_steps 1 --checkpoint.every 4 --checkpoint.keep 2
  --comm.reduction exact)

# whole NAME WORDS...
whole() {
  local name=$1
  shift
  protean train "${base[@]}" --run.dir "$name" "$@"
  expect_code 0
  expected=$(hashes "$name")
}
# submit OPTIONS of job.sh -- WORDS of train; its number in $id.
submit() {
  run "$launch/job.sh" --interface eth0 "$@"
  expect_code 0
  cp "$scratch/out" job.sbatch
  run "$testbed/on.sh" n0 sbatch --parsable job.sbatch
  expect_code 0
  id=$(cat "$scratch/out")
}
field() {  # NAME [JOB]: of scontrol's description of the job
  on n0 scontrol show job -o "${2:-$id}" 2>/dev/null | tr ' ' '\n' | sed -n "s/^$1=//p" | head -n 1
}
has_state() { [[ $(field JobState "${2:-$id}") == "$1" ]]; }
has_checkpoint() { [ -e "$1/checkpoints/step-$2/manifest.json" ]; }
# started_again N: the job has begun once more. Slurm keeps a job that is queued
# again for two minutes, until credentials of its last go can no longer be mistaken
# for new ones; they count in seconds.
started_again() {
  until_true 60 has_state PENDING || fail "the job is not queued again"
  sleep 2
  await 60 "the job starts again" is_started_again "$1"
}
is_started_again() {
  on n0 scontrol update JobId="$id" StartTime=now >/dev/null 2>&1 || true
  grep -q "restart $1: .* ranks on" "protean-$id.log"
}
# The log of the job is what fail() shows.
expect_log() {  # REGEX
  cp "protean-$id.log" "$scratch/err"
  expect_line "$1"
}
await() {  # SECONDS WHAT WORDS...
  local seconds=$1 what=$2
  shift 2
  until_true "$seconds" "$@" || {
    cat "protean-$id.log" >"$scratch/err" 2>/dev/null
    {
      on n0 scontrol show job -o
      tail -n 15 "$PROTEAN_TESTBED"/slurm/*.log "$PROTEAN_TESTBED"/n*/slurmd.log
    } >"$scratch/out" 2>&1
    fail "not in $seconds s: $what"
  }
}
expect_whole() {  # NAME
  await 60 "the job is completed" has_state COMPLETED
  expect_equal "bits of $1" "$(hashes "$1")" "$expected"
  expect_each_step_once "$1" $steps
  [ -e "$1/DONE" ] || fail "$1/DONE is missing"
  expect_equal "files beside the run" "$(echo "$1".*)" "$1.*"
}

# --- what needs no Slurm -----------------------------------------------------------

script() {
  run "$launch/job.sh"
  expect_code 0
  cmp "$scratch/out" "$launch/slurm.sbatch" ||
    fail "launch/slurm.sbatch is not what launch/job.sh prints; print it again"
  local launcher
  for launcher in srun mpirun; do
    run "$launch/job.sh" --launcher $launcher --nodes 3 --ranks 4 --cpus 5 --gpus 1 --time 10 \
      --notice 60 --array 1-3 --sbatch --account=me -- --run.dir 'runs/%A_%a' --data.path "it's here"
    expect_code 0
    bash -n "$scratch/out" || fail "no script"
    cp "$scratch/out" "$scratch/err" # where expect_line looks
    for line in nodes=3 ntasks-per-node=4 cpus-per-task=5 time=10 'array=1-3' account=me requeue; do
      expect_line "^#SBATCH --$line$"
    done
    expect_line "^arguments=\\(--run\\.device cuda --comm\\.backend nccl --run\\.dir runs/%A_%a --data\\.path it\\\\'s\\\\ here\\)$"
    expect_line '^#SBATCH --gpus-per-node=4$'
    if [ $launcher = srun ]; then
      expect_line '^#SBATCH --signal=USR1@60$'
    else
      expect_line '^#SBATCH --signal=B:USR1@60$'
    fi
  done
  for bad in --what '--launcher ssh' '--nodes 0' '--ranks x' --time '--gpus 2'; do
    # shellcheck disable=SC2086  # words
    run "$launch/job.sh" $bad
    expect_code 2
    expect_line '^job\.sh: error: .*'"${bad%% *}"
  done
}

# --- stopped and queued again ----------------------------------------------------------

# cycle LAUNCHER: asked to stop, queued again, completed.
cycle() {
  whole whole
  bed_up --slurm
  submit --launcher "$1" --nodes 2 -- "${base[@]}" --run.dir run
  await 60 "a checkpoint of step 8" has_checkpoint run 8
  on n0 scancel --signal=USR1 "$id"
  await 30 "the job is queued again" has_state PENDING
  expect_equal restarts "$(field Restarts)" 1
  expect_log '^\[info\] stopped by request at step [0-9]+; resume with --resume auto$'
  expect_log ', restart 0: stopped; queued again$'
  expect_nothing_left n0 n1
  [ ! -e run/DONE ] || fail "DONE although it was stopped"
  [ ! -e run/lock ] || fail "the lock stayed"
  started_again 1
  expect_whole run
  expect_log ', restart 1: 4 ranks on n\[0-1\], 1 threads each, in run$'
  expect_log 'resuming from run/checkpoints/step-[0-9]+,'
  expect_log ', restart 1: done$'
  expect_nothing_left n0 n1
  bed_down
}
srun() { cycle srun; }
mpirun() { cycle mpirun; }

# A host is switched off: the ranks say so before Slurm does; the job goes on on
# another as soon as Slurm has given up the first.
node_killed() {
  whole whole
  bed_up --slurm --hosts 3
  submit --nodes 2 -- "${base[@]}" --run.dir run --coordinator.silence_s 5
  await 60 "a checkpoint of step 8" has_checkpoint run 8
  "$testbed/kill-host.sh" n1
  started_again 1
  expect_whole run
  expect_log '^\[error\] .*rank [23] on n1 .*is silent for'
  expect_log ', restart 0: failed with exit code 1; queued again$'
  expect_log ', restart 1: 4 ranks on n\[0,2\],'
  expect_log 'resuming from run/checkpoints/step-[0-9]+,'
  expect_nothing_left n0 n2
  bed_down
}

# --- settings ------------------------------------------------------------------------

# Each task of an array has its own folder; what fails is not tried for ever.
array() {
  whole whole1 --run.seed 1
  local of_first=$expected
  whole whole2 --run.seed 2
  local of_second=$expected words
  bed_up --slurm
  submit --ranks 1 --array 1-2 -- "${base[@]}" --run.dir 'runs/%A_%a' --run.seed %a
  words=$id
  for n in 1 2; do
    id=${words}_$n
    await 60 "task $n is completed" has_state COMPLETED
    expect_log ', restart 0: done$'
  done
  expect_equal "bits of task 1" "$(hashes "runs/${words}_1")" "$of_first"
  expect_equal "bits of task 2" "$(hashes "runs/${words}_2")" "$of_second"

  row='one folder for two'
  submit --ranks 1 --array 1-2 -- "${base[@]}" --run.dir runs/same
  words=$id
  id=${words}_1
  await 30 "the job has failed" has_state FAILED
  expect_log 'error: jobs of an array need folders of their own'
  [ ! -e runs/same ] || fail "runs/same was made"

  row='no more restarts'
  submit --ranks 1 --restarts 0 -- "${base[@]}" --run.steps 100000 --run.dir stopped
  await 60 "a checkpoint of step 8" has_checkpoint stopped 8
  on n0 scancel --signal=USR1 "$id"
  await 30 "the job has ended" has_state FAILED
  expect_equal "exit code" "$(field ExitCode)" 1:0
  expect_log 'error: stopped; 0 restarts are the most; sbatch it again to go on$'

  row='bad usage'
  submit --ranks 1 -- "${base[@]}" --run.dir bad --task.ways 0
  await 30 "the job has failed" has_state FAILED
  expect_equal "exit code" "$(field ExitCode)" 2:0

  row='ended without a word'
  printf '#!/bin/sh\nexit 0\n' >silent
  chmod +x silent
  PROTEAN_BINARY=$PWD/silent submit --ranks 1 -- --run.dir silent-run
  await 30 "the job has failed" has_state FAILED
  expect_log 'error: srun returned 0, but silent-run holds no DONE$'

  row='cancelled'
  submit --ranks 1 -- "${base[@]}" --run.steps 100000 --run.dir cancelled
  await 60 "a checkpoint of step 8" has_checkpoint cancelled 8
  on n0 scancel "$id"
  stopped() { grep -q 'stopped; Slurm is ending the job' "protean-$id.log"; }
  await 30 "the script has seen it" stopped
  await 30 "the job is cancelled" has_state CANCELLED
  expect_nothing_left n0 n1
  bed_down
}

# Interface, threads and GPUs reach every rank.
settings() {
  local launcher
  cat >show <<'END_OF_SHOW'
#!/bin/sh
# In place of protean: what a rank sees.
folder=$(echo "$*" | sed 's/.*--run.dir \([^ ]*\).*/\1/')
{
  echo "arguments $*"
  echo "threads $OMP_NUM_THREADS"
  echo "interfaces $OMPI_MCA_btl_tcp_if_include $OMPI_MCA_oob_tcp_if_include $NCCL_SOCKET_IFNAME"
  echo "gpus $CUDA_VISIBLE_DEVICES"
} >"$folder/$(hostname).${PMIX_RANK:-$OMPI_COMM_WORLD_RANK}"
: >"$folder/DONE"
END_OF_SHOW
  chmod +x show
  bed_up --slurm --cpus 4
  local gpus=0
  ! grep -q '^GresTypes' "$PROTEAN_TESTBED/slurm/slurm.conf" || gpus=1
  for launcher in srun mpirun; do
    row=$launcher
    mkdir $launcher
    PROTEAN_BINARY=$PWD/show submit --launcher $launcher --nodes 2 --cpus 2 --gpus $gpus -- \
      --run.dir $launcher
    await 30 "the job is completed" has_state COMPLETED
    expect_equal ranks "$(cd $launcher && echo n*)" "n0.0 n0.1 n1.2 n1.3"
    local words="--run.dir $launcher"
    [ $gpus = 0 ] || words="--run.device cuda --comm.backend nccl $words"
    expect_equal arguments "$(sort -u $launcher/n* | grep ^arguments)" \
      "arguments train $words --run.threads 2 --resume auto"
    expect_equal threads "$(sort -u $launcher/n* | grep ^threads)" "threads 2"
    expect_equal interfaces "$(sort -u $launcher/n* | grep ^interfaces)" "interfaces eth0 eth0 =eth0"
    if [ $gpus = 1 ]; then
      expect_equal GPUs "$(grep -h ^gpus $launcher/n* | xargs)" \
        "gpus 0,1 gpus 0,1 gpus 0,1 gpus 0,1"
    fi
  done
  expect_nothing_left n0 n1
  bed_down
}

"$1"
