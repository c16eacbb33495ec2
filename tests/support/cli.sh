# For tests that drive the protean binary from bash. Source it; it reads
#   PROTEAN_BIN      the binary
#   PROTEAN_MPIEXEC  how ranks are started, up to and with the flag before their
#                    number ("mpirun --oversubscribe -np"); for mpi and jobs
# and moves to an empty folder, which is removed at the end together with every
# process that the test left. A check that does not hold prints the command and
# its output, and ends the test.
# shellcheck shell=bash
set -euo pipefail
export LC_ALL=C
PROTEAN_BIN=$(realpath "${PROTEAN_BIN:?the protean binary}")
read -ra mpiexec <<<"${PROTEAN_MPIEXEC:-}"

work=$(mktemp -d)
scratch=$(mktemp -d) # of this library: not in the way of listings of $work
cd "$work"
row=     # what is being tested, for messages
job=     # process of the last start
disk=    # a file system that the test mounted
group=   # a control group that it made
code=0   # exit code of the last command
command= # its words

leave() {
  local status=$? pid
  set +e
  if [ -n "$job" ] && kill -0 "$job" 2>/dev/null; then
    for pid in $(descendants "$job") "$job"; do
      kill -KILL "$pid" 2>/dev/null
    done
    wait "$job" 2>/dev/null
  fi
  cd /
  [ -z "$disk" ] || umount "$disk"
  [ -z "$group" ] || rmdir "$group"
  rm -rf "$work" "$scratch"
  exit $status
}
trap leave EXIT

fail() {
  {
    echo "FAILED${row:+ ($row)}: $*"
    echo "  command: $command"
    echo "  exit code: $code"
    sed 's/^/  out: /' "$scratch/out" | tail -n 20
    sed 's/^/  err: /' "$scratch/err" | tail -n 60
  } >&2
  exit 1
}

# --- commands ----------------------------------------------------------------

# run WORDS...: into $code, $scratch/out and $scratch/err.
run() {
  command="$*" code=0
  # The outer redirection is for bash's own word on a command that was killed.
  {
    timeout --kill-after=5 "${limit_s:-100}" "$@" \
      >"$scratch/out" 2>"$scratch/err" </dev/null || code=$?
  } 2>/dev/null
}
protean() { run "$PROTEAN_BIN" "$@"; }
# mpi RANKS WORDS...: protean under the launcher.
mpi() {
  local ranks=$1
  shift
  run "${mpiexec[@]}" "$ranks" "$PROTEAN_BIN" "$@"
}
# two_ranks [WORDS...] : [WORDS...]: ranks with command lines of their own.
two_ranks() {
  local first=()
  while [ "$1" != : ]; do
    first+=("$1")
    shift
  done
  shift
  run "${mpiexec[@]}" 1 "${first[@]}" : "${mpiexec[-1]}" 1 "$@"
}

# start WORDS...: in the background; its process in $job.
start() {
  command="$*" code=0
  "$@" >"$scratch/out" 2>"$scratch/err" </dev/null &
  job=$!
}
# The end of $job, within so many seconds.
finish() {
  local seconds=$1 begin=$SECONDS
  until_true "$seconds" gone "$job" ||
    fail "still running $((SECONDS - begin)) s later; expected its end within $seconds s"
  code=0
  wait "$job" || code=$?
  job=
}
gone() { ! kill -0 "$1" 2>/dev/null || [ "$(state_of "$1")" = Z ]; }
state_of() { sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null || true; }
is_stopped() { [ "$(state_of "$1")" = T ]; }

# until_true SECONDS WORDS...: asks again and again; false when time is over.
until_true() {
  local rounds=$(($1 * 20))
  shift
  while ! "$@"; do
    [ $((rounds -= 1)) -gt 0 ] || return 1
    sleep 0.05
  done
}

descendants() {
  local child
  for child in $(pgrep -P "$1"); do
    echo "$child"
    descendants "$child"
  done
}
# rank_of N: the process of that rank below $job.
rank_of() {
  local pid
  for pid in $(descendants "$job"); do
    [ "$(readlink "/proc/$pid/exe")" = "$PROTEAN_BIN" ] || continue
    # Read to the end: a writer whose reader has gone would fail the pipe.
    if tr '\0' '\n' <"/proc/$pid/environ" |
      grep -Ex "(OMPI_COMM_WORLD_RANK|PMI_RANK|PMIX_RANK)=$1" >/dev/null; then
      echo "$pid"
      return
    fi
  done 2>/dev/null
  return 1
}

# --- checks ------------------------------------------------------------------

expect_code() {
  local want
  for want in "$@"; do
    if [ "$want" = "$code" ]; then return; fi
  done
  fail "exit code $code; expected $*"
}
# expect_line REGEX: on the error output.
expect_line() {
  grep -Eq -- "$1" "$scratch/err" || fail "no line matches: $1"
}
expect_no_line() {
  ! grep -Eq -- "$1" "$scratch/err" || fail "a line matches: $1"
}
# expect_error REGEX: exactly one line is an error, and matches.
expect_error() {
  local errors
  errors=$(grep -c '^\[error\]' "$scratch/err") || true
  [ "$errors" = 1 ] || fail "$errors error lines; expected one that matches: $1"
  expect_line "^\[error\] .*($1)"
}
expect_equal() {  # WHAT ACTUAL EXPECTED
  [ "$2" = "$3" ] || fail "$1: $2; expected $3"
}
expect_other() {  # WHAT ACTUAL UNEXPECTED
  [ "$2" != "$3" ] || fail "$1: $2 both times; expected another value"
}

# Everything below a folder: names, kinds and contents.
listing() {
  (cd "$1" && find . -printf '%y %P -> %l\n' | sort &&
    find . -type f -print0 | sort -z | xargs -0r sha256sum)
}

# json FILE EXPRESSION: of the object `d`, as JSON.
json() {
  python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
print(json.dumps(eval(sys.argv[2])))' "$1" "$2"
}
# hashes RUN: what training came to.
hashes() {
  json "$1/summary.json" '[d["theta_sha256"], d["state_sha256"], d["steps"]]'
}
# Every step of a run from 1 to STEPS has one line, in order (run.log_every 1).
expect_each_step_once() {  # RUN STEPS
  local steps
  steps=$(python3 -c 'import json, sys
lines = [json.loads(l) for l in open(sys.argv[1])]
print([l["step"] for l in lines if "loss" in l] == list(range(1, int(sys.argv[2]) + 1)))' \
    "$1/metrics.jsonl" "$2")
  expect_equal "each of $2 steps once in $1/metrics.jsonl" "$steps" True
}
