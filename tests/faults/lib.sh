# What the fault tests share. Sourced; needs PROTEAN_BIN.
# shellcheck shell=bash
: "${PROTEAN_BIN:?the protean binary}"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
work=$(mktemp -d "${TMPDIR:-/tmp}/protean-fault.XXXXXX")
job=""
clean() {
  [ -z "$job" ] || kill -9 "$job" 2>/dev/null || true
  rm -rf "$work"
}
trap clean EXIT

fail() {
  echo "FAILED: $*" >&2
  for log in "$work"/*.log; do
    [ ! -e "$log" ] || { echo "--- $log" >&2; tail -n 30 "$log" >&2; }
  done
  exit 1
}

# Seven stacks of two tasks: uneven shares on 2, 3 and 4 ranks.
small=(--model.filters 8 --model.pool stride --learner.inner_steps 2
       --task.queries 3 --task.meta_batch 14 --task.stack 2 --eval.every 0
       --comm.reduction exact --run.quiet true)

ranks() {  # ranks N arguments...: under mpirun
  local n=$1
  shift
  mpirun -np "$n" --oversubscribe --bind-to none \
    --mca mpi_yield_when_idle 1 "$PROTEAN_BIN" "$@"
}

start_ranks() {  # as ranks, in the background; $job is mpirun itself
  local n=$1
  shift
  mpirun -np "$n" --oversubscribe --bind-to none \
    --mca mpi_yield_when_idle 1 "$PROTEAN_BIN" "$@" &
  job=$!
}

value() {  # value DIR KEY: of summary.json
  python3 -c 'import json, sys; print(json.load(open(sys.argv[1] + "/summary.json"))[sys.argv[2]])' "$1" "$2"
}

hashes() {  # of theta, and of meta-state with the optimiser's
  echo "$(value "$1" theta_sha256) $(value "$1" state_sha256)"
}

# Waits until DIR holds a checkpoint of at least STEP steps.
await_step() {
  local i
  for i in $(seq 600); do
    local latest
    latest=$(cat "$1/checkpoints/latest" 2>/dev/null || echo step-0)
    [ "${latest#step-}" -lt "$2" ] || return 0
    kill -0 "$job" 2>/dev/null || fail "the job ended before step $2"
    sleep 0.1
  done
  fail "no checkpoint of step $2 in 60 s"
}

# Process id of rank R of the job that works in DIR.
pid_of_rank() {
  local pid
  for pid in $(pgrep -f "$PROTEAN_BIN train"); do
    if tr '\0' '\n' <"/proc/$pid/environ" 2>/dev/null | grep -qx "OMPI_COMM_WORLD_RANK=$2" &&
      tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null | grep -qx "$1"; then
      echo "$pid"
      return
    fi
  done
  fail "no process of rank $2 works in $1"
}

# Waits for $job to end within SECONDS; its exit code goes to $rc.
await_end() {
  local begun=$SECONDS
  while kill -0 "$job" 2>/dev/null; do
    [ $((SECONDS - begun)) -le "$1" ] || fail "the job still runs after $1 s"
    sleep 0.1
  done
  rc=0
  wait "$job" || rc=$?
  job=""
}
