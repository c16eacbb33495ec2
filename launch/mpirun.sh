#!/usr/bin/env bash
# Starts Protean on N ranks by mpirun, with the flags that this MPI needs.
#
#   launch/mpirun.sh N [mpirun arguments --] protean arguments
#   launch/mpirun.sh 4 train --config configs/omniglot/maml-5w1s.ini
#   launch/mpirun.sh 16 --hostfile hosts --map-by ppr:8:node -- train --config ...
#
# - Ranks are not bound to cores (Open MPI binds by default, which squeezes a
#   rank's threads onto one core); say --bind-to ... to bind them.
# - On one host each rank of a new run gets cores / N threads, unless
#   run.threads is given by argument or config; the layout is printed. Where
#   there are more threads than cores they wait without spinning
#   (OMP_WAIT_POLICY=passive, unless set).
# - SIGTERM, SIGINT and SIGHUP to this script ask the job to write a checkpoint
#   and stop (exit 75); mpirun by itself would kill the ranks within 2 seconds. A
#   second one ends it at once.
# - When a host is lost while mpirun talks to it, mpirun waits for it as long as TCP
#   does, about 15 minutes. So once no rank has been left on this host for
#   PROTEAN_LAUNCH_GRACE seconds (default 30), this script ends mpirun: exit 137.
# - PROTEAN_BINARY names another program than build/protean; MPIRUN another
#   mpirun.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
binary=${PROTEAN_BINARY:-$top/build/protean}
mpirun=${MPIRUN:-mpirun}

usage() {
  echo "mpirun.sh: error: $*; usage: launch/mpirun.sh N [mpirun arguments --] protean arguments" >&2
  exit 2
}
[ $# -ge 1 ] || usage "expected a number of ranks and a command"
ranks=$1
shift
[[ $ranks =~ ^[1-9][0-9]*$ ]] || usage "number of ranks \"$ranks\"; expected a whole number from 1"
[ -x "$binary" ] || usage "no program at $binary; build it by launch/quickstart.sh or launch/build.sh"
command -v "$mpirun" >/dev/null || usage "no $mpirun on PATH; load an MPI module or run launch/setup.sh"

given=() # mpirun's own arguments
for arg in "$@"; do
  if [ "$arg" = -- ]; then
    while [ "$1" != -- ]; do
      given+=("$1")
      shift
    done
    shift
    break
  fi
done

says() {  # pattern words...: is one of the words like the pattern?
  local pattern=$1 word
  shift
  for word in "$@"; do
    # shellcheck disable=SC2254  # a pattern on purpose
    case $word in $pattern) return 0 ;; esac
  done
  return 1
}

cores=$(nproc)
flags=()
version=$("$mpirun" --version 2>&1 || true)
case $version in
  *"Open MPI"* | *OpenRTE* | *PRRTE* | *prterun*)
    says '-*bind-to' "${given[@]}" || flags+=(--bind-to none)
    if [ "$(id -u)" = 0 ]; then
      export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
      export PRTE_ALLOW_RUN_AS_ROOT=1 PRTE_ALLOW_RUN_AS_ROOT_CONFIRM=1
    fi
    # An idle connection to a lost host: given up after 60 s instead of 480.
    export OMPI_MCA_oob_tcp_keepalive_time="${OMPI_MCA_oob_tcp_keepalive_time:-30}"
    export OMPI_MCA_oob_tcp_keepalive_intvl="${OMPI_MCA_oob_tcp_keepalive_intvl:-10}"
    export OMPI_MCA_oob_tcp_keepalive_probes="${OMPI_MCA_oob_tcp_keepalive_probes:-3}"
    if [ ${#given[@]} -eq 0 ] && [ -z "${SLURM_JOB_ID:-}" ]; then
      # mpirun counts cores, not hardware threads, and refuses more ranks.
      case $version in
        *"Open MPI) 1."* | *"Open MPI) 2."* | *"Open MPI) 3."* | *"Open MPI) 4."*) flags+=(--oversubscribe) ;;
        *) flags+=(--map-by :OVERSUBSCRIBE) ;;
      esac
      # Ranks that wait must let others run: without it ten times slower.
      [ "$ranks" -lt "$cores" ] || flags+=(--mca mpi_yield_when_idle 1)
    fi
    ;;
  *) # MPICH, Intel MPI: no binding unless asked, ranks may outnumber cores
    says '-*bind-to' "${given[@]}" || flags+=(-bind-to none)
    ;;
esac

# The value of an argument given as "--name value" or "--name=value"; the last.
argument() {  # --name words...
  local name=$1 value="" previous="" word
  shift
  for word in "$@"; do
    [ "$previous" != "$name" ] || value=$word
    case $word in "$name="*) value=${word#*=} ;; esac
    previous=$word
  done
  echo "$value"
}
threads_in() { sed -nE 's/^[[:space:]]*(run\.)?threads[[:space:]]*=[[:space:]]*([0-9]+).*/\2/p' "$1" 2>/dev/null | tail -n 1; }

# A new run and one that goes on share the cores; their number changes no bit.
threads=()
each=$(argument --run.threads "$@")
[ -n "$each" ] || each=$(threads_in "$(argument --config "$@")") || true
if [ "${1:-}" = train ] && [ ${#given[@]} -eq 0 ] && [ -z "${SLURM_JOB_ID:-}" ] &&
  [ -z "$each" ]; then
  each=$((cores > ranks ? cores / ranks : 1))
  threads=(--run.threads "$each")
fi
# Threads that wait for their team's next loop spin, which is quickest where each
# has a core, and slowest where they keep one from another.
if [ -n "$each" ] && [ ${#given[@]} -eq 0 ] && [ -z "${SLURM_JOB_ID:-}" ]; then
  [ $((ranks * each)) -le "$cores" ] || export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-passive}"
  echo "mpirun.sh: $ranks ranks x $each threads on $cores cores, not bound${OMP_WAIT_POLICY:+, OMP_WAIT_POLICY=$OMP_WAIT_POLICY}" >&2
fi

# A group of its own: a terminal's Ctrl-C then reaches this script alone.
set -m
"$mpirun" -np "$ranks" "${flags[@]}" "${given[@]}" "$binary" "$@" "${threads[@]}" </dev/null &
job=$!
set +m

program=$(realpath "$binary")
ranks_here() {
  local pid
  for pid in $(pgrep -P $job); do
    [ "$(readlink "/proc/$pid/exe")" != "$program" ] || return 0
  done
  return 1
}
family() {  # of a process
  local pid
  for pid in $(pgrep -P "$1"); do family "$pid"; done
  echo "$1"
}
watch() {
  local seen=no left=${PROTEAN_LAUNCH_GRACE:-30}
  while sleep 1 3>&- && kill -0 $job; do
    if ranks_here; then
      seen=yes left=${PROTEAN_LAUNCH_GRACE:-30}
    elif [ $seen = yes ] && [ $((left -= 1)) -lt 0 ]; then
      echo "mpirun.sh: no rank is left here, yet mpirun has not ended; a host may be lost; ending mpirun" >&3
      # shellcheck disable=SC2046  # numbers
      kill -KILL $(family $job)
    fi
  done
}
# Nothing of it holds a pipe open that others read to its end.
watch 3>&2 >/dev/null 2>&1 &
watcher=$!
asked=no
stop() {
  if [ $asked = no ]; then
    asked=yes
    echo "mpirun.sh: asking the job to write a checkpoint and stop; once more to end it at once" >&2
    kill -USR1 $job 2>/dev/null || true
  else
    kill -TERM $job 2>/dev/null || true
  fi
}
trap stop TERM INT HUP
while :; do
  rc=0
  wait $job || rc=$?
  # A trap ends the wait early; the job may live on.
  if [ $rc -le 128 ] || ! kill -0 $job 2>/dev/null; then break; fi
done
kill $watcher 2>/dev/null || true
exit $rc
