#!/usr/bin/env bash
# From a fresh clone to a trained few-shot learner: sets up, builds, trains on
# Omniglot with two MPI ranks, judges it on characters it has never seen.
#
#   launch/quickstart.sh [--resume] [-- arguments of `protean train`]
#
#   --resume  goes on with the last quick-start run instead of a new one
#
# Works from any folder; runs go to runs/ there. See launch/setup.sh for what it
# installs and how to keep it from doing so.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${PROTEAN_BUILD:-$top/build}
export PROTEAN_BINARY=$build/protean

resume=none
case ${1:-} in
  --resume)
    resume=auto
    shift
    ;;
  -h | --help)
    sed -n '2,/^set -e/{/^set -e/d;s/^# \{0,1\}//;p}' "$0"
    exit 0
    ;;
esac
if [ $# -gt 0 ]; then
  if [ "$1" != -- ]; then
    echo "quickstart.sh: error: unknown argument \"$1\"; expected --resume, or arguments of train after --" >&2
    exit 2
  fi
  shift
fi

started=$(date +%s)
step() { printf '\n== %s\n' "$*"; }

step "Set-up: system packages and LibTorch"
"$top/launch/setup.sh" --no-tests
set_up=$(date +%s)

step "Build"
# The tests are left out of a first build only; a folder that has them keeps
# them.
options=()
[ -e "$build/CMakeCache.txt" ] || options+=(-DPROTEAN_TESTS=OFF)
"$top/launch/build.sh" --target protean "${options[@]}"
built=$(date +%s)
echo "set-up $((set_up - started)) s, build $((built - set_up)) s"

step "Training: 2 ranks, configs/omniglot/quickstart.ini"
runs=$PWD/runs
run=""
if [ $resume = auto ]; then
  run=$(find "$runs" -maxdepth 1 -type d -name 'quickstart-*' 2>/dev/null | sort | tail -n 1)
  [ -n "$run" ] || resume=none
fi
[ -n "$run" ] || run=$runs/quickstart-$(date +%Y%m%d-%H%M%S)
rc=0
"$top/launch/mpirun.sh" 2 train --config "$top/configs/omniglot/quickstart.ini" \
  --run.dir "$run" --resume $resume "$@" || rc=$?
if [ $rc = 75 ]; then
  echo "Stopped on request. Go on: $top/launch/quickstart.sh --resume"
fi
[ $rc = 0 ] || exit $rc
trained=$(date +%s)
echo "training $((trained - built)) s"

step "Evaluation on held-out characters"
result=$("$top/launch/mpirun.sh" 2 eval --run "$run" --eval.tasks 600 --json)
field() { sed -nE "s/.*\"$1\": *\"?([^,\"}]*).*/\1/p" <<<"$result" | head -n 1; }
awk -v accuracy="$(field accuracy)" -v interval="$(field ci95)" -v tasks="$(field tasks)" \
  -v ways="$(field ways)" -v shots="$(field shots)" 'BEGIN {
    printf "accuracy %.2f %% +- %.2f %% (95 %% interval over %d tasks, %d-way %d-shot)\n",
      100 * accuracy, 100 * interval, tasks, ways, shots }'
echo "evaluation $(($(date +%s) - trained)) s, everything $(($(date +%s) - started)) s"

step "Next"
# Short paths where they are short.
case $PWD in
  "$top") here=. ;;
  *) here=$top ;;
esac
cat <<EOF
The run is in $run: config.ini, metrics.jsonl, summary.json, checkpoints/.
Every published setting:   ls $here/configs/omniglot
Train one, here:           $here/launch/mpirun.sh 2 train --config $here/configs/omniglot/maml-5w1s.ini --run.dir runs/maml
Every key and its default: $here/build/protean config --help
On a cluster:              $here/cluster/guide.md
EOF
