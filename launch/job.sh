#!/usr/bin/env bash
# Prints a Slurm job that trains, stops in time, queues itself again and goes on
# until it is done.
#
#   launch/job.sh [options] [-- arguments of `protean train`] >job.sbatch
#   sbatch [sbatch arguments] job.sbatch [more arguments of `protean train`]
#
#   --launcher srun|mpirun  what starts the ranks (default srun)
#   --mpi KIND              of srun: pmix (default; Open MPI) or pmi2 (MPICH)
#   --nodes N               default 1
#   --ranks N               per node (default 2)
#   --cpus N                per rank, and its threads (default 1)
#   --gpus 0|1              per rank (default 0). With 1, ranks see all GPUs of
#                           their node, so that NCCL finds the links between
#                           them, and take that of their local number; the
#                           arguments begin with --run.device cuda
#                           --comm.backend nccl
#   --time LIMIT            of one go, not of the training (default 01:00:00)
#   --notice SECONDS        before that limit the ranks are asked to write a
#                           checkpoint and stop (default 180; Slurm may be 60 early)
#   --restarts N            at most (default 20)
#   --interface NAME        of the network between nodes, for MPI and NCCL both
#   --array RANGE           an array of jobs; %A, %a and %j in arguments become
#                           numbers: --run.dir runs/%A_%a --run.seed %a
#   --sbatch OPTION         one more #SBATCH line, say --account=me; repeatable
#
# launch/slurm.sbatch is what this prints without options. run.dir must be among
# the arguments. The job runs where sbatch was called; PROTEAN_BINARY names the
# program (default: build/protean there).
set -euo pipefail

fail() {
  echo "job.sh: error: $*" >&2
  exit 2
}
launcher=srun mpi=pmix nodes=1 ranks=2 cpus=1 gpus=0 time=01:00:00 notice=180 restarts=20
interface='' array='' more=() arguments=()
while [ $# -gt 0 ]; do
  case $1 in
    --)
      shift
      arguments=("$@")
      break
      ;;
    -h | --help)
      sed -n '2,/^set -e/{/^set -e/d;s/^# \{0,1\}//;p}' "$0"
      exit 0
      ;;
    --launcher | --mpi | --nodes | --ranks | --cpus | --gpus | --time | --notice | --restarts | --interface | --array)
      [ $# -gt 1 ] || fail "$1 needs a value"
      printf -v "${1#--}" %s "$2"
      shift
      ;;
    --sbatch)
      [ $# -gt 1 ] || fail "$1 needs a value"
      more+=("$2")
      shift
      ;;
    *) fail "unknown argument \"$1\"; see launch/job.sh --help" ;;
  esac
  shift
done
case $launcher in srun | mpirun) ;; *) fail "--launcher \"$launcher\"; expected srun or mpirun" ;; esac
for name in nodes ranks cpus; do
  [[ ${!name} =~ ^[1-9][0-9]*$ ]] || fail "--$name \"${!name}\"; expected a whole number from 1"
done
for name in gpus notice restarts; do
  [[ ${!name} =~ ^[0-9]+$ ]] || fail "--$name \"${!name}\"; expected a whole number"
done
[ "$gpus" -le 1 ] || fail "--gpus $gpus; expected 0 or 1: a rank uses one GPU, so start more ranks"
[[ $interface$mpi =~ ^[A-Za-z0-9_.-]*$ ]] || fail "--interface \"$interface\", --mpi \"$mpi\"; expected names"

# --- the head of the job ---------------------------------------------------------

cat <<'EOF'
#!/usr/bin/env bash
# A Slurm job that trains, stops in time, queues itself again and goes on until it
# is done. Printed by launch/job.sh, which has options for all that is set here.
#
#   sbatch [sbatch arguments] THIS [arguments of `protean train`]
EOF
line() { printf '#SBATCH %s\n' "$1"; }
line --job-name=protean
line --nodes="$nodes"
line --ntasks-per-node="$ranks"
line --cpus-per-task="$cpus"
if [ "$gpus" = 1 ]; then
  # Not --gpus-per-task: ranks that see their own GPU alone talk through the host.
  line --gpus-per-node="$ranks"
  # Before the user's, which may say otherwise: the last one counts.
  arguments=(--run.device cuda --comm.backend nccl "${arguments[@]}")
fi
line --time="$time"
line --requeue
line --open-mode=append
if [ -n "$array" ]; then
  line --array="$array"
  line --output=%x-%A_%a.log
else
  line --output=%x-%j.log
fi
# To the ranks themselves under srun; mpirun has to pass it on to its own.
if [ $launcher = srun ]; then line --signal="USR1@$notice"; else line --signal="B:USR1@$notice"; fi
for option in "${more[@]}"; do line "$option"; done
printf 'launcher=%s mpi=%s interface=%s restarts_at_most=%s\n' \
  "$launcher" "$mpi" "'$interface'" "$restarts"
printf 'arguments=('
[ ${#arguments[@]} = 0 ] || printf '%q ' "${arguments[@]}" | sed 's/ $//'
printf ')\n'

# --- the rest is the same for every job ----------------------------------------------

cat <<'EOF'

set -uo pipefail
binary=${PROTEAN_BINARY:-${SLURM_SUBMIT_DIR:-.}/build/protean}
restart=${SLURM_RESTART_COUNT:-0}
say() { echo "$(date '+%F %T') job $SLURM_JOB_ID, restart $restart: $*"; }
give_up() {  # exit code, message
  local code=$1
  shift
  say "error: $*"
  exit "$code"
}
[ -x "$binary" ] || give_up 2 "no program at $binary; build it, or set PROTEAN_BINARY"

# argument NAME: the value of that flag, or nothing.
argument() {
  local word previous='' value=''
  for word in "${words[@]}"; do
    [ "$previous" != "--$1" ] || value=$word
    case $word in "--$1="*) value=${word#*=} ;; esac
    previous=$word
  done
  echo "$value"
}
words=()
for word in "${arguments[@]}" "$@"; do
  if [[ $word = *%a* ]] && [ -z "${SLURM_ARRAY_TASK_ID:-}" ]; then
    give_up 2 "\"$word\" has %a, but this job is not of an array"
  fi
  word=${word//%A/${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}}
  word=${word//%a/${SLURM_ARRAY_TASK_ID:-}}
  words+=("${word//%j/$SLURM_JOB_ID}")
done
run=$(argument run.dir)
[ -n "$run" ] || give_up 2 "no --run.dir among the arguments"
if [ -n "${SLURM_ARRAY_TASK_ID:-}" ]; then
  case "${arguments[*]} $*" in
    *%a*) ;;
    *) give_up 2 "jobs of an array need folders of their own; say --run.dir $run/%A_%a" ;;
  esac
fi

# A run that goes on keeps its number of threads, which changes its speed but no
# bit of its result. A new one has those of its allocation.
threads_in() { sed -nE 's/^[[:space:]]*(run\.)?threads[[:space:]]*=[[:space:]]*([0-9]+).*/\2/p' "$1" 2>/dev/null | tail -n 1; }
threads=$(argument run.threads)
if [ -z "$threads" ]; then
  threads=$(threads_in "$run/config.ini")
  [ -n "$threads" ] || threads=$(threads_in "$(argument config)")
  [ -n "$threads" ] || threads=${SLURM_CPUS_PER_TASK:-}
  if [ -z "$threads" ]; then # whatever this job may run on
    here=$(((SLURM_NTASKS + SLURM_NNODES - 1) / SLURM_NNODES))
    threads=$(($(env -u OMP_NUM_THREADS nproc) / here))
    [ $threads -ge 1 ] || threads=1
  fi
  words+=(--run.threads "$threads")
fi
export OMP_NUM_THREADS=$threads

if [ -n "$interface" ]; then
  export OMPI_MCA_btl_tcp_if_include=$interface OMPI_MCA_oob_tcp_if_include=$interface
  export PRTE_MCA_oob_tcp_if_include=$interface
  export NCCL_SOCKET_IFNAME="=$interface"
fi

case $launcher in
  srun) # does not take the number of CPUs from the job since 22.05
    start=(srun --mpi="$mpi" --kill-on-bad-exit=1 --cpus-per-task="${SLURM_CPUS_PER_TASK:-1}")
    ;;
  mpirun)
    start=(mpirun -np "$SLURM_NTASKS")
    case $(mpirun --version 2>&1) in
      *"Open MPI"* | *PRRTE*)
        # Binding would squeeze a rank's threads onto one core.
        start+=(--bind-to none)
        [ -z "$interface" ] || start+=(-x NCCL_SOCKET_IFNAME)
        # A lost node ends the job after 30 s instead of 8 minutes.
        export OMPI_MCA_oob_tcp_keepalive_time=10 OMPI_MCA_oob_tcp_keepalive_intvl=5
        export OMPI_MCA_oob_tcp_keepalive_probes=4
        export PRTE_MCA_prte_keepalive_time=10 PRTE_MCA_prte_keepalive_intvl=5
        export PRTE_MCA_prte_keepalive_probes=4
        if [ "$(id -u)" = 0 ]; then
          export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
        fi
        ;;
    esac
    ;;
esac

# This shell must outlive the ranks, to see how they end.
ask() { kill -USR1 "$step" 2>/dev/null; }
trap 'say "asked to stop"; ask' USR1
# Slurm tells the ranks of srun by itself; a second word would end them at once.
trap 'say "told to stop"; [ $launcher = srun ] || ask' TERM

latest() { cat "$run/checkpoints/latest" 2>/dev/null; }
before=$(latest)
say "$SLURM_NTASKS ranks on $SLURM_JOB_NODELIST, $threads threads each, in $run"
"${start[@]}" "$binary" train "${words[@]}" --resume auto &
step=$!
# A trap ends a wait early.
while kill -0 $step 2>/dev/null; do wait $step; done
wait $step
rc=$?

state() { scontrol show job -o "$SLURM_JOB_ID" 2>/dev/null | sed -n 's/.* JobState=\([A-Z_]*\).*/\1/p'; }
again() {  # why
  if [ "$(state)" != RUNNING ]; then # cancelled, or queued again already
    say "$1; Slurm is ending the job"
  elif [ "$restart" -ge "$restarts_at_most" ]; then
    # Not 75: some sites queue a job again that ends so.
    give_up 1 "$1; $restarts_at_most restarts are the most; sbatch it again to go on"
  elif (trap '' TERM; scontrol requeue "$SLURM_JOB_ID"); then # Slurm ends us at once
    say "$1; queued again"
  else
    say "$1; could not be queued again"
  fi
}
# A lost node or rank is worth another go, a run that cannot get on is not: three
# failures in a row that add no checkpoint are the end.
failures=$run.job-$SLURM_JOB_ID.failures
count=0
if [ "$rc" != 0 ] && [ "$rc" != 2 ] && [ "$rc" != 75 ]; then
  [ "$(latest)" != "$before" ] || read -r count 2>/dev/null <"$failures"
  echo $((count += 1)) >"$failures"
else
  rm -f "$failures"
fi
case $rc in
  0) # has been returned for steps that never started
    [ -e "$run/DONE" ] || give_up 1 "$launcher returned 0, but $run holds no DONE"
    say "done"
    ;;
  2) say "error: exit code 2, bad usage or configuration" ;;
  75) again "stopped" ;; # by request; a checkpoint is there to go on from
  *)
    if [ $count -lt 3 ]; then
      again "failed with exit code $rc"
    else
      rm -f "$failures"
      say "error: exit code $rc, $count times in a row without a new checkpoint"
    fi
    ;;
esac
exit $rc
EOF
